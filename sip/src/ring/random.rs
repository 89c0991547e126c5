//! A ring over a network that loses, repeats and reorders, with phones that do whatever they like.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::{
    leg::{Reason, tests::random::Net},
    message::Code,
};

/// A ring whose legs run on the first node of a network; the phones are on the second.
struct Phones {
    net: Net,
    ring: Ring<usize>,
    told: Vec<News>,
}

impl Phones {
    fn new(net: Net, phones: usize) -> Self {
        let until = net.now + Duration::from_secs(20);
        let (ring, acts) = Ring::new(0..phones, [], until);
        let mut this = Self { net, ring, told: Vec::new() };
        this.act(acts);
        this
    }

    fn act(&mut self, mut acts: Vec<Act<usize>>) {
        acts.reverse();
        while let Some(act) = acts.pop() {
            match act {
                Act::Call(key) => {
                    let leg = self.net.call(0);
                    acts.extend(self.ring.called(key, leg));
                }
                Act::End(leg, reason) => self.net.nodes[0].legs.end(leg, reason, self.net.now),
                Act::Tell(news) => self.told.push(news),
                Act::Wake(_) => {}
            }
        }
    }

    fn pass(&mut self, time: Duration) {
        let end = self.net.now + time;
        while self.net.now < end {
            self.net.pass(Duration::from_millis(50));
            for (leg, event) in std::mem::take(&mut self.net.told) {
                let acts = self.ring.heard(leg, &event);
                self.act(acts);
            }
            let acts = self.ring.timeout(self.net.now);
            self.act(acts);
        }
    }

    /// What a phone does with a call that has come.
    fn phone(&mut self, which: usize, what: u8) {
        let phones: Vec<_> = self.net.begun.iter().filter(|(node, _)| *node == 1).map(|(_, leg)| *leg).collect();
        let Some(leg) = phones.get(which % phones.len().max(1)).copied() else { return };
        let (legs, now) = (&mut self.net.nodes[1].legs, self.net.now);
        match what {
            0 => legs.progress(leg, Code::RINGING, None, now),
            1 => legs.refuse(leg, Code::BUSY_HERE, now),
            2 => legs.refuse(leg, Code::DECLINE, now),
            _ => legs.answer(leg, "v=0".into(), now),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn never_are_two_phones_left_with_the_call(
        seed in 1u64..1_000_000,
        lost in 0u64..40,
        repeated in 0u64..40,
        phones in 1usize..5,
        acts in prop::collection::vec((0usize..5, 0u8..8, 0u64..1500), 0..12),
    ) {
        let mut phones = Phones::new(Net::new(seed, lost, repeated), phones);
        phones.pass(Duration::from_millis(900));
        for (which, what, wait) in acts {
            phones.phone(which, what);
            phones.pass(Duration::from_millis(wait));
        }
        phones.pass(Duration::from_secs(250));
        let last: Vec<_> = phones.told.iter().filter(|news| **news != News::Ringing).cloned().collect();
        prop_assert_eq!(last.len(), 1);
        let left = usize::from(matches!(last[0], News::Answered { .. }));
        for node in &phones.net.nodes {
            // A call that was answered may have been lost since, over such a network.
            prop_assert!(node.legs.len() <= left);
        }
        if let News::Answered { leg, .. } = last[0] {
            phones.net.nodes[0].legs.end(leg, Reason::Plain, phones.net.now);
            phones.pass(Duration::from_secs(250));
        }
        for node in &phones.net.nodes {
            prop_assert!(node.legs.is_empty() && node.table.is_empty());
        }
    }
}
