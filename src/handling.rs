//! Handle times: how long tasks were worked on, on phones and at the desk. One record an agent and day (of UTC), which the agent's
//! actor adds to in the batch that holds a task's end.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    clock::Clock,
    domain::{AgentId, Day, Handled, Place},
    store::{Batch, Cursor, Family, Page, Record, StoreError, StoreHandle},
};

/// How many days are kept: a year, and a month to look back at it from.
pub const KEPT_DAYS: u32 = 400;
/// Channels that are told apart in one day of one agent, at most: a bound on the record's size.
const CHANNELS: usize = 16;
/// What comes in place of the channels beyond that.
const OTHER: &str = "other";
/// Records read, or forgotten, in one go.
const PAGE: usize = 500;

/// One agent's day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HandleTimes(Vec<Row>);

/// Tasks of one channel that were taken in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    pub channel: Box<str>,
    pub place: Place,
    pub sum: Sum,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub tasks: u64,
    /// From the acceptance to the end of the talk, in milliseconds.
    pub talk: u64,
    /// From there to the completion, in milliseconds.
    pub wrap: u64,
}

impl Sum {
    pub fn add(&mut self, other: Self) {
        self.tasks = self.tasks.saturating_add(other.tasks);
        self.talk = self.talk.saturating_add(other.talk);
        self.wrap = self.wrap.saturating_add(other.wrap);
    }
}

impl Record for HandleTimes {
    const FAMILY: Family = Family::HandleTimes;
    const VERSION: u8 = 1;
    type Key = (Day, AgentId);

    fn key_bytes((Day(day), agent): &(Day, AgentId)) -> Vec<u8> {
        [&day.to_be_bytes()[..], &agent.to_bits().to_be_bytes()].concat()
    }
}

impl HandleTimes {
    pub fn add(&mut self, task: &Handled) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let talk = millis(task.wrapped.since(task.accepted));
        let sum = Sum { tasks: 1, talk, wrap: millis(task.completed.since(task.wrapped)) };
        let is_known = self.0.iter().any(|row| row.channel == task.channel);
        let channel = if is_known || self.0.len() < 2 * CHANNELS { &*task.channel } else { OTHER };
        match self.0.iter_mut().find(|row| *row.channel == *channel && row.place == task.place) {
            Some(row) => row.sum.add(sum),
            None => self.0.push(Row { channel: channel.into(), place: task.place, sum }),
        }
    }

    pub fn rows(&self) -> &[Row] {
        &self.0
    }
}

fn key_of(cursor: &Cursor) -> Option<(Day, AgentId)> {
    let (day, agent) = cursor.as_bytes().split_first_chunk::<4>()?;
    Some((Day(u32::from_be_bytes(*day)), AgentId::from_bits(u64::from_be_bytes(agent.try_into().ok()?))))
}

/// What the reports are made of. Clones are the same.
#[derive(Clone)]
pub struct Handling {
    pub store: StoreHandle,
    pub clock: Clock,
}

/// Of one agent, by channel and place.
pub type OfAgent = BTreeMap<(Box<str>, Place), Sum>;

impl Handling {
    /// Sums of all agents over the days `from` to `to`, both included.
    ///
    /// # Errors
    /// The store has failed, or has too much to do.
    pub async fn between(&self, from: Day, to: Day) -> Result<BTreeMap<AgentId, OfAgent>, StoreError> {
        let mut sums: BTreeMap<AgentId, OfAgent> = BTreeMap::new();
        // Nobody has the last id of the day before.
        let start = from.0.checked_sub(1).map(|day| (Day(day), AgentId::from_bits(u64::MAX)));
        let mut after = start.map(|key| Cursor::behind::<HandleTimes>(&key));
        loop {
            let page: Page<HandleTimes> = self.store.page(after.as_ref(), PAGE).await?;
            let is_last = page.len() < PAGE;
            for (cursor, record) in &page {
                let Some((day, agent)) = key_of(cursor) else { continue };
                if day > to {
                    return Ok(sums);
                }
                let of_agent = sums.entry(agent).or_default();
                for row in record.as_ref().map(HandleTimes::rows).unwrap_or_default() {
                    of_agent.entry((row.channel.clone(), row.place)).or_default().add(row.sum);
                }
            }
            match page.into_iter().next_back() {
                Some((last, _)) if !is_last => after = Some(last),
                _ => return Ok(sums),
            }
        }
    }

    /// Forgets the days that are no more kept.
    ///
    /// # Errors
    /// The store has failed, or has too much to do.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let oldest = Day::of(self.clock.now()).0.saturating_sub(KEPT_DAYS);
        loop {
            let page: Page<HandleTimes> = self.store.page(None, PAGE).await?;
            let is_old = |cursor: &&Cursor| key_of(cursor).is_none_or(|(day, _)| day.0 < oldest);
            let old: Vec<_> = page.iter().map(|(cursor, _)| cursor).take_while(is_old).collect();
            if old.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            for cursor in old {
                batch.delete_at::<HandleTimes>(cursor);
            }
            self.store.commit(batch).await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{domain::Timestamp, store::MemoryStore};

    const DAY: u64 = 86_400_000;

    fn task(day: u64, channel: &str, place: Place) -> Handled {
        let at = |seconds: u64| Timestamp::from_millis(day * DAY + seconds * 1000);
        Handled { channel: channel.into(), place, accepted: at(10), wrapped: at(70), completed: at(100) }
    }

    #[test]
    fn a_day_has_a_row_for_each_channel_and_place_and_is_bounded() {
        let mut day = HandleTimes::default();
        for place in [Place::Mobile, Place::Desktop, Place::Mobile] {
            day.add(&task(1, "voice", place));
        }
        let sums: Vec<_> = day.rows().iter().map(|row| (row.place, row.sum)).collect();
        let sum = |tasks| Sum { tasks, talk: tasks * 60_000, wrap: tasks * 30_000 };
        assert_eq!(sums, [(Place::Mobile, sum(2)), (Place::Desktop, sum(1))]);
        (0..1000).for_each(|number| day.add(&task(1, &number.to_string(), Place::Mobile)));
        assert!(day.rows().len() <= 2 * CHANNELS + 1);
        assert_eq!(day.rows().iter().map(|row| row.sum.tasks).sum::<u64>(), 1003);
    }

    #[tokio::test]
    async fn spans_are_summed_and_old_days_forgotten() {
        let (clock, _hand) = Clock::manual(Timestamp::from_millis(1000 * DAY));
        let handling = Handling { store: Arc::new(MemoryStore::new()), clock };
        let mut batch = Batch::new();
        for day in [500, 599, 600, 998, 999, 1000] {
            for agent in [1, u64::MAX] {
                let mut times = HandleTimes::default();
                times.add(&task(u64::from(day), "chat", Place::Mobile));
                batch.put(&(Day(day), AgentId::from_bits(agent)), &times).unwrap();
            }
        }
        handling.store.commit(batch).await.unwrap();
        let tasks = async |from, to| {
            let sums = handling.between(Day(from), Day(to)).await.unwrap();
            sums.values().flat_map(BTreeMap::values).map(|sum| sum.tasks).collect::<Vec<_>>()
        };
        assert_eq!(tasks(998, 999).await, [2, 2]);
        assert_eq!(tasks(0, 1000).await, [6, 6]);
        assert_eq!(tasks(1001, 2000).await, [0; 0]);
        handling.sweep().await.unwrap();
        assert_eq!(tasks(0, 1000).await, [4, 4]);
    }
}
