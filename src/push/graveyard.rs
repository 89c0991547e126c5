//! Pushes that were never delivered: the newest are kept, for whoever wants to know what did not arrive.

use std::collections::VecDeque;

use super::{
    failure::End,
    queue::Job,
    records::{Cause, DeadLetter},
};
use crate::{
    domain::Timestamp,
    store::{Batch, Cursor, Sequence, StoreError, StoreHandle},
};

/// Letters that are kept: some 300 kB.
const KEPT: usize = 1_000;

/// Where letters lie, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Graveyard(VecDeque<Sequence>);

impl Graveyard {
    pub(super) async fn open(store: &StoreHandle) -> Result<Self, StoreError> {
        let mut places = VecDeque::new();
        let see = |key: Cursor, _: Result<DeadLetter, StoreError>| places.extend(key.sequence());
        store.visit(see).await?;
        Ok(Self(places))
    }

    /// The place behind all others.
    pub(super) fn end(&self) -> Sequence {
        self.0.back().map_or(Sequence::new(1), |last| last.next())
    }

    /// Puts a letter into the batch that deletes the push, and takes out what is too old to be kept.
    pub(super) fn bury(&mut self, place: Sequence, letter: &DeadLetter, batch: &mut Batch) -> Result<(), StoreError> {
        batch.put(&place, letter)?;
        if !self.0.contains(&place) {
            self.0.push_back(place);
        }
        while self.0.len() > KEPT
            && let Some(oldest) = self.0.pop_front()
        {
            batch.delete::<DeadLetter>(&oldest);
        }
        Ok(())
    }
}

/// The letter that is left of a push; none: it was delivered, or nobody wanted it.
pub(super) fn letter_of(job: &Job, end: End, now: Timestamp) -> Option<DeadLetter> {
    let cause = match end {
        End::Refused => Cause::Refused,
        End::Expired => Cause::Expired,
        End::Sent | End::Replaced | End::Gone | End::HeldBack(_) => return None,
    };
    let item = &job.item;
    Some(DeadLetter {
        id: item.id,
        agent: item.agent,
        device: item.device,
        provider: item.target.label().to_owned(),
        kind: item.notification.news.kind(),
        created: item.created,
        died: now,
        cause,
        tries: job.tries,
        last: job.last.map(str::to_owned),
    })
}

/// Letters behind a place, the oldest first, with their places.
pub(super) async fn letters(
    store: &StoreHandle,
    after: Sequence,
    limit: usize,
) -> Result<Vec<(Sequence, DeadLetter)>, StoreError> {
    let page = store.page::<DeadLetter>(Some(&Cursor::behind::<DeadLetter>(&after)), limit).await?;
    Ok(page.into_iter().filter_map(|(key, letter)| Some((key.sequence()?, letter.ok()?))).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        domain::{AgentId, DeviceId, NewsKind, NotificationId},
        store::MemoryStore,
    };

    fn letter(number: u64) -> DeadLetter {
        DeadLetter {
            id: NotificationId(number),
            agent: AgentId::from_bits(1),
            device: DeviceId::from_bits(2),
            provider: "fcm".into(),
            kind: NewsKind::Message,
            created: Timestamp::EPOCH,
            died: Timestamp::EPOCH,
            cause: Cause::Expired,
            tries: 1,
            last: Some("timeout".into()),
        }
    }

    #[tokio::test]
    async fn the_newest_are_kept_and_no_place_is_given_twice() {
        let store: StoreHandle = Arc::new(MemoryStore::new());
        let mut graveyard = Graveyard::open(&store).await.unwrap();
        assert_eq!(graveyard.end(), Sequence::new(1));
        for number in 1..=KEPT as u64 + 5 {
            let mut batch = Batch::new();
            graveyard.bury(Sequence::new(number), &letter(number), &mut batch).unwrap();
            store.commit(batch).await.unwrap();
        }
        let kept = letters(&store, Sequence::new(0), 2 * KEPT).await.unwrap();
        assert_eq!((kept.len(), kept[0].0), (KEPT, Sequence::new(6)));
        let again = Graveyard::open(&store).await.unwrap();
        assert_eq!((again.0.len(), again.end()), (KEPT, Sequence::new(KEPT as u64 + 6)));
        let rest = letters(&store, Sequence::new(KEPT as u64 + 4), 9).await.unwrap();
        assert_eq!(rest, [(Sequence::new(KEPT as u64 + 5), letter(KEPT as u64 + 5))]);
    }
}
