//! An agent's part in a conversation: what was written, what is read, and whether a message may have been missed.
//!
//! Messages are known by their index, so that it does not matter in which order they come, how often, or whether a
//! webhook or a reading brings them.

use serde::{Deserialize, Serialize};

use super::index_set::IndexSet;
use crate::domain::{MessageSid, ReservationSid, Timestamp};

/// Of a message so many bytes are kept for lists.
const PREVIEW: usize = 120;
/// Messages of ours whose echo is awaited, at most.
const ECHOES: usize = 8;

/// A conversation that the agent is in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chat {
    pub reservation: ReservationSid,
    /// When the agent came in, by Twilio's clock: what was written before is no news.
    pub since: Timestamp,
    /// The read horizon: all up to and with this index is read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<u64>,
    #[serde(default, skip_serializing_if = "IndexSet::is_empty")]
    unread: IndexSet,
    /// All messages above the read horizon of which we know, the agent's own among them.
    #[serde(default, skip_serializing_if = "IndexSet::is_empty")]
    known: IndexSet,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<LastMessage>,
    /// The messages that were there when the agent came have been looked at.
    #[serde(default)]
    based: bool,
    /// The last of those of the second in which the agent came: readings know no finer time, and call it old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<u64>,
    /// By how much Twilio's count of unread messages differs from ours although all were read: it may count others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slack: Option<Box<Slack>>,
    /// Unread messages were pushed to the devices, and show there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shown: bool,
    /// Messages that those who look on were told of.
    #[serde(skip)]
    told: IndexSet,
    /// What we wrote ourselves, and have not heard of yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sent: Vec<MessageSid>,
}

/// The newest message, for lists.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastMessage {
    pub index: u64,
    pub at: Timestamp,
    /// Written by this agent.
    pub mine: bool,
    /// Its beginning.
    pub text: Box<str>,
}

/// What people write stays out of logs.
impl std::fmt::Debug for LastMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "LastMessage({})", self.index)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Slack {
    read: Option<u64>,
    by: i64,
}

/// A message, as far as an agent's books go.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    pub message: MessageSid,
    pub index: u64,
    pub at: Timestamp,
    pub author: String,
    pub text: String,
    pub files: u32,
}

impl std::fmt::Debug for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Line({})", self.index)
    }
}

/// Who brings a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Webhook,
    Reading,
}

/// What a message is to the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Something new to read.
    News,
    /// The agent's own, written elsewhere.
    Own,
    /// The echo of what we wrote for the agent.
    Echo,
    /// It comes late: what was written behind it is read.
    Late,
    /// Known, or written before the agent came.
    Old,
}

impl Heard {
    /// Whether those who look on have not seen it yet.
    pub const fn is_to_be_told(self) -> bool {
        matches!(self, Self::News | Self::Own | Self::Late)
    }
}

/// What Twilio counts for an agent in a conversation (`UserConversation`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// None while there is no read horizon.
    pub unread: Option<u64>,
    pub read: Option<u64>,
}

/// What a count says about us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing is missing.
    Complete,
    /// Twilio's horizon is behind ours.
    Behind(u64),
    /// A message may have been missed: the messages are to be read.
    Doubtful,
}

impl Chat {
    /// The agent comes into the conversation.
    pub fn new(reservation: ReservationSid, since: Timestamp) -> Self {
        Self {
            reservation,
            since,
            read: None,
            unread: IndexSet::default(),
            known: IndexSet::default(),
            last: None,
            based: false,
            floor: None,
            slack: None,
            shown: false,
            told: IndexSet::default(),
            sent: Vec::new(),
        }
    }

    /// What only the running process knows.
    #[cfg(test)]
    pub(super) fn forget_the_moment(&mut self) {
        self.told = IndexSet::default();
    }

    /// As if those who look on had been told what they were told of the other.
    pub(super) fn tell_as(&mut self, other: &Self) {
        self.told.clone_from(&other.told);
    }

    /// How many messages wait to be read.
    pub fn unread(&self) -> u32 {
        u32::try_from(self.unread.len()).unwrap_or(u32::MAX)
    }

    /// Takes a reading in: the newest messages, the oldest of them first. Answers those that were not known, and what they are.
    ///
    /// The first reading moves the horizon to the last message before the agent came: without a horizon Twilio counts
    /// nothing.
    pub fn hear_all<'a>(&mut self, lines: &'a [Line], mine: impl Fn(&Line) -> bool) -> Vec<(&'a Line, Heard)> {
        if !self.based {
            self.based = true;
            let since = self.since.as_secs();
            let until = |second| lines.iter().filter(move |line| line.at.as_secs() <= second).map(|line| line.index);
            self.floor = until(since).max();
            if let Some(before) = until(since.saturating_sub(1)).max() {
                self.read_up_to(before);
            }
        }
        let heard = lines.iter().map(|line| (line, self.hear(line, mine(line), Source::Reading)));
        heard.filter(|(_, heard)| heard.is_to_be_told()).collect()
    }

    /// Takes a message in.
    pub fn hear(&mut self, line: &Line, mine: bool, source: Source) -> Heard {
        if self.last.as_ref().is_none_or(|last| last.index <= line.index) {
            let text = line.text[..line.text.floor_char_boundary(PREVIEW)].into();
            self.last = Some(LastMessage { index: line.index, at: line.at, mine, text });
        }
        let echo = self.sent.iter().position(|sid| *sid == line.message);
        if let Some(place) = echo {
            self.sent.remove(place);
        }
        if self.is_read(line.index) {
            let late =
                source == Source::Webhook && self.is_new_to_the_agent(line, source) && self.told.insert(line.index);
            return match echo {
                Some(_) => Heard::Echo,
                None if late => Heard::Late,
                None => Heard::Old,
            };
        }
        let heard = self.hear_unread(line, mine, source, echo.is_some());
        if heard != Heard::Old {
            self.told.insert(line.index);
        }
        heard
    }

    fn hear_unread(&mut self, line: &Line, mine: bool, source: Source, echo: bool) -> Heard {
        let new = self.known.insert(line.index);
        match (echo, mine) {
            (true, _) => Heard::Echo,
            (false, true) if new => Heard::Own,
            // A reading that took it for old may have known no better: a webhook does.
            (false, false) if new || (source == Source::Webhook && self.floor >= Some(line.index)) => {
                let news = self.is_new_to_the_agent(line, source) && self.unread.insert(line.index);
                if news { Heard::News } else { Heard::Old }
            }
            _ => Heard::Old,
        }
    }

    /// Written since the agent came. Where Twilio gives whole seconds, the first second counts.
    fn is_new_to_the_agent(&self, line: &Line, source: Source) -> bool {
        let exact = !line.at.as_millis().is_multiple_of(1000);
        let since = if exact { line.at >= self.since } else { line.at.as_secs() >= self.since.as_secs() };
        since && (source == Source::Webhook || self.floor.is_none_or(|floor| line.index > floor))
    }

    fn is_read(&self, index: u64) -> bool {
        self.read.is_some_and(|read| index <= read)
    }

    /// We wrote this for the agent: its webhook is an echo. Answers what it is, since the webhook may have been faster.
    pub fn wrote(&mut self, line: &Line) -> Heard {
        let heard = self.hear(line, true, Source::Reading);
        self.sent.push(line.message.clone());
        let excess = self.sent.len().saturating_sub(ECHOES);
        self.sent.drain(..excess);
        heard
    }

    /// The horizon moves; it never goes back. Answers whether it did.
    pub fn read_up_to(&mut self, index: u64) -> bool {
        if self.is_read(index) {
            return false;
        }
        self.read = Some(index);
        self.unread.remove_up_to(index);
        self.known.remove_up_to(index);
        true
    }

    /// Compares Twilio's count with what is known.
    pub fn judge(&mut self, count: Count) -> Verdict {
        if let Some(read) = count.read {
            self.read_up_to(read);
        }
        match (self.read, count.unread) {
            (Some(ours), _) if count.read.is_none_or(|theirs| theirs < ours) => Verdict::Behind(ours),
            (_, Some(unread)) if self.difference(unread) == self.usual_difference(count.read) => Verdict::Complete,
            _ => Verdict::Doubtful,
        }
    }

    /// The messages have been read whole after this count: what still differs is Twilio's way of counting.
    pub fn settle(&mut self, count: Count) {
        let by = count.unread.map(|unread| self.difference(unread)).filter(|by| *by != 0);
        self.slack = by.map(|by| Box::new(Slack { read: count.read, by }));
    }

    fn difference(&self, unread: u64) -> i64 {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        signed(unread) - signed(self.known.count_above(self.read))
    }

    fn usual_difference(&self, read: Option<u64>) -> i64 {
        self.slack.as_ref().filter(|slack| slack.read == read).map_or(0, |slack| slack.by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat() -> Chat {
        Chat::new("WR0123456789abcdef0123456789abcdef".parse().unwrap(), Timestamp::from_millis(100_000))
    }

    fn line(index: u64, at: u64) -> Line {
        let message = format!("IM{index:032x}").parse().unwrap();
        let at = Timestamp::from_millis(at);
        Line { message, index, at, author: "x".into(), text: "hello".into(), files: 0 }
    }

    #[test]
    fn each_message_counts_once_in_whatever_order_it_comes() {
        let mut chat = chat();
        for index in [7, 4, 7, 5, 4, 9, 5] {
            chat.hear(&line(index, 101_000), false, Source::Webhook);
        }
        assert_eq!(chat.unread(), 4);
        assert_eq!(chat.last.as_ref().map(|last| last.index), Some(9));
        assert!(chat.read_up_to(5) && !chat.read_up_to(4));
        assert_eq!(chat.unread(), 2);
        assert_eq!(chat.hear(&line(5, 101_000), false, Source::Webhook), Heard::Old);
        assert_eq!(chat.hear(&line(3, 101_000), false, Source::Webhook), Heard::Late);
        assert_eq!(chat.hear(&line(3, 101_000), false, Source::Webhook), Heard::Old);
    }

    #[test]
    fn what_was_written_before_the_agent_came_or_by_the_agent_is_no_news() {
        let mut chat = chat();
        assert_eq!(chat.hear(&line(1, 99_000), false, Source::Webhook), Heard::Old);
        assert_eq!(chat.hear(&line(2, 101_000), true, Source::Webhook), Heard::Own);
        chat.wrote(&line(3, 101_000));
        assert_eq!(chat.hear(&line(3, 101_000), true, Source::Webhook), Heard::Echo);
        assert_eq!(chat.unread(), 0);
    }

    #[test]
    fn a_reading_takes_what_was_there_in_the_first_second_for_old_and_the_rest_for_news() {
        let mut chat = chat();
        let lines = [line(0, 100_000), line(1, 100_000)];
        assert!(chat.hear_all(&lines, |_| false).is_empty());
        assert_eq!(chat.last.as_ref().map(|last| last.index), Some(1));
        // What a webhook brings of that second is believed, and so is what a later reading finds above.
        assert_eq!(chat.hear(&line(2, 100_000), false, Source::Webhook), Heard::News);
        let lines = [line(1, 100_000), line(2, 100_000), line(3, 100_000)];
        assert_eq!(chat.hear_all(&lines, |_| false), [(&lines[2], Heard::News)]);
        assert_eq!(chat.unread(), 2);
    }

    #[test]
    fn twilios_count_tells_whether_a_message_was_missed() {
        let mut chat = chat();
        let count = |unread, read| Count { unread, read };
        assert_eq!(chat.judge(count(None, None)), Verdict::Doubtful);
        chat.hear(&line(3, 101_000), false, Source::Webhook);
        assert_eq!(chat.judge(count(Some(1), Some(2))), Verdict::Complete);
        assert_eq!(chat.judge(count(Some(2), Some(2))), Verdict::Doubtful);
        // All was read; Twilio counts one more than there is.
        chat.settle(count(Some(2), Some(2)));
        assert_eq!(chat.judge(count(Some(2), Some(2))), Verdict::Complete);
        chat.hear(&line(4, 101_000), false, Source::Webhook);
        assert_eq!(chat.judge(count(Some(3), Some(2))), Verdict::Complete);
        assert_eq!(chat.judge(count(Some(4), Some(2))), Verdict::Doubtful);
        chat.read_up_to(4);
        assert_eq!(chat.judge(count(Some(2), Some(2))), Verdict::Behind(4));
        assert_eq!(chat.judge(count(Some(0), Some(4))), Verdict::Complete);
    }

    #[test]
    fn reading_elsewhere_moves_the_horizon() {
        let mut chat = chat();
        chat.hear(&line(3, 101_000), false, Source::Webhook);
        assert_eq!(chat.judge(Count { unread: Some(0), read: Some(3) }), Verdict::Complete);
        assert_eq!((chat.unread(), chat.read), (0, Some(3)));
    }
}
