//! Changes that are in the journal and not yet in sled, as they are looked up and laid over what is in sled.

use std::{
    collections::BTreeMap,
    iter::Peekable,
    ops::Bound::{Excluded, Unbounded},
};

use super::{
    super::{Rows, StoreError},
    journal::Row,
};

/// The latest change of each key. In the order of keys, so that sled is given neighbours together.
#[derive(Default)]
pub(super) struct Layer {
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

impl Layer {
    pub(super) fn lay(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += size(&key, value.as_deref());
        self.changes.insert(key, value);
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Option<Vec<u8>>> {
        self.changes.get(key)
    }

    pub(super) fn range(&self, range: super::Range) -> impl Iterator<Item = Row> {
        self.changes.range(range).map(|(key, value)| (key.clone(), value.clone()))
    }

    /// The next few changes behind a key.
    pub(super) fn behind(&self, key: &[u8], count: usize) -> Vec<Row> {
        let next = self.changes.range::<[u8], _>((Excluded(key), Unbounded)).take(count);
        next.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// How many bytes were laid, those included that later ones lie over.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

pub(super) fn size(key: &[u8], value: Option<&[u8]>) -> usize {
    key.len() + value.map_or(0, <[u8]>::len)
}

/// A place to read rows from, in the order of keys.
pub(super) type Source<'a> = Box<dyn Iterator<Item = Result<Row, StoreError>> + 'a>;

/// The first `limit` rows of several sources laid over each other, the topmost first, without the family's tag.
pub(super) fn merge(sources: Vec<Source<'_>>, limit: usize) -> Result<Rows, StoreError> {
    let mut sources: Vec<_> = sources.into_iter().map(Iterator::peekable).collect();
    let mut rows = Rows::new();
    while rows.len() < limit {
        let Some(key) = least_key(&mut sources)? else { break };
        // All who have the key move on; the topmost is believed.
        let mut found = sources.iter_mut().filter_map(|source| {
            source.next_if(|row| row.as_ref().is_ok_and(|(next, _)| *next == key)).and_then(Result::ok)
        });
        let topmost = found.next().and_then(|(_, value)| value);
        found.for_each(drop);
        if let Some(value) = topmost {
            rows.push((key[1..].to_vec(), value));
        }
    }
    Ok(rows)
}

fn least_key(sources: &mut [Peekable<Source<'_>>]) -> Result<Option<Vec<u8>>, StoreError> {
    let mut least: Option<&Vec<u8>> = None;
    for source in sources {
        match source.peek() {
            Some(Ok((key, _))) if least.is_none_or(|least| key < least) => least = Some(key),
            Some(Err(error)) => return Err(error.clone()),
            _ => {}
        }
    }
    Ok(least.cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_layer_is_believed_and_what_it_deletes_is_gone() {
        let source = |rows: &[(&str, Option<&str>)]| -> Source<'static> {
            let rows: Vec<_> = rows.iter().map(|(key, value)| Ok(((*key).into(), value.map(Into::into)))).collect();
            Box::new(rows.into_iter())
        };
        let sources = || {
            let top = source(&[("-b", None), ("-c", Some("top"))]);
            let below = source(&[("-a", Some("below")), ("-b", Some("below")), ("-c", None)]);
            let bottom = source(&[("-a", Some("bottom")), ("-c", Some("bottom")), ("-d", Some("bottom"))]);
            vec![top, below, bottom]
        };
        let expected = [("a", "below"), ("c", "top"), ("d", "bottom")];
        let expected: Rows = expected.map(|(key, value)| (key.into(), value.into())).into();
        assert_eq!(merge(sources(), 10), Ok(expected.clone()));
        assert_eq!(merge(sources(), 2), Ok(expected[..2].to_vec()));
    }
}
