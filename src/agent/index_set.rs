//! Indices of messages: a set that is small where they follow each other, as messages do.

use serde::{Deserialize, Serialize};

/// Ranges at most; beyond them the oldest is forgotten. A bound on the record's size that no conversation of people meets.
const RANGES: usize = 12;

/// A set of indices, as ranges with both ends included, in order and apart from each other. It takes no more room than its
/// ranges: there are many sets, and they change seldom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IndexSet(Box<[(u64, u64)]>);

impl IndexSet {
    /// Puts an index in; answers whether it is new.
    pub fn insert(&mut self, index: u64) -> bool {
        let place = self.0.partition_point(|(_, last)| *last < index);
        if self.0.get(place).is_some_and(|(first, _)| *first <= index) {
            return false;
        }
        let follows = place > 0 && self.0[place - 1].1.checked_add(1) == Some(index);
        let leads = self.0.get(place).is_some_and(|(first, _)| index.checked_add(1) == Some(*first));
        match (follows, leads) {
            (true, true) => self.change(|ranges| {
                let (_, last) = ranges.remove(place);
                ranges[place - 1].1 = last;
            }),
            (true, false) => self.0[place - 1].1 = index,
            (false, true) => self.0[place].0 = index,
            (false, false) => self.change(|ranges| ranges.insert(place, (index, index))),
        }
        if self.0.len() > RANGES {
            self.0 = self.0[1..].into();
        }
        true
    }

    fn change(&mut self, by: impl FnOnce(&mut Vec<(u64, u64)>)) {
        let mut ranges = std::mem::take(&mut self.0).into_vec();
        by(&mut ranges);
        self.0 = ranges.into_boxed_slice();
    }

    /// Takes all up to and with this index out.
    pub fn remove_up_to(&mut self, index: u64) {
        if self.0.first().is_some_and(|(_, last)| *last <= index) {
            self.change(|ranges| ranges.retain(|(_, last)| *last > index));
        }
        if let Some((first, _)) = self.0.first_mut() {
            *first = (*first).max(index.saturating_add(1));
        }
    }

    /// How many lie above an index, or all.
    pub fn count_above(&self, index: Option<u64>) -> u64 {
        let Some(from) = index.map_or(Some(0), |index| index.checked_add(1)) else { return 0 };
        let count = |(first, last): &(u64, u64)| (*last >= from).then(|| (last - from.max(*first)).saturating_add(1));
        self.0.iter().filter_map(count).fold(0, u64::saturating_add)
    }

    pub fn len(&self) -> u64 {
        self.count_above(None)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64),
        RemoveUpTo(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![4 => (0_u64..22).prop_map(Step::Insert), 1 => (0_u64..22).prop_map(Step::RemoveUpTo)]
    }

    proptest! {
        #[test]
        fn it_is_the_set_that_it_seems(steps in prop::collection::vec(step(), 0..80), above in 0_u64..23) {
            let (mut set, mut model) = (IndexSet::default(), BTreeSet::new());
            for step in steps {
                match step {
                    Step::Insert(index) => prop_assert_eq!(set.insert(index), model.insert(index)),
                    Step::RemoveUpTo(index) => {
                        set.remove_up_to(index);
                        model.retain(|known| *known > index);
                    }
                }
                prop_assert_eq!(set.len(), model.len() as u64);
                prop_assert_eq!(set.count_above(Some(above)), model.range(above + 1..).count() as u64);
                prop_assert!(set.0.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0), "{:?}", set);
            }
        }
    }

    #[test]
    fn the_ends_of_numbers_are_no_trap_and_its_size_is_bounded() {
        let mut set = IndexSet::default();
        assert!(set.insert(u64::MAX) && set.insert(0) && !set.insert(u64::MAX));
        assert_eq!((set.len(), set.count_above(Some(u64::MAX))), (2, 0));
        set.remove_up_to(u64::MAX);
        assert!(set.is_empty());
        for index in 0..1000 {
            set.insert(index * 2);
        }
        assert_eq!(set.0.len(), RANGES);
        assert!(!set.insert(1998));
    }
}
