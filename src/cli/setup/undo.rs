//! What puts a change back. Pure: `back` says what is to be done, given what is there now.

use super::{
    plan::There,
    record::{Change, Record},
};
use crate::twilio::{conversations::Webhook, taskrouter::EventCallback};

/// What is done about a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Back {
    /// It never happened, or was put back already.
    Nothing,
    /// What was made is taken away.
    Remove,
    Callback(EventCallback),
    Webhook(Webhook),
    /// The text of the configuration as it was.
    Text(String),
    /// Somebody else has changed it since: theirs stays.
    Theirs,
}

/// `text`: the configuration file, where the change is about it.
pub(super) fn back(change: &Change, there: &There, text: Option<&str>) -> Back {
    match change {
        Change::EventCallback { before, after } => restore(&there.intake.callback, before, after, Back::Callback),
        Change::Webhook { scope, before, after } => restore(there.intake.webhook(scope), before, after, Back::Webhook),
        Change::Config { edit, .. } => match text {
            Some(text) => edit.undo(text).map_or(Back::Theirs, Back::Text),
            None => Back::Nothing,
        },
        Change::ConfigFile { text: written, .. } => match text {
            Some(text) if text == written => Back::Remove,
            Some(_) => Back::Theirs,
            None => Back::Nothing,
        },
        Change::Activity { sid: None, .. }
        | Change::Sink { sid: None, .. }
        | Change::Subscription { sid: None, .. }
        | Change::VerifyService { sid: None, .. }
        | Change::RateLimit { sid: None, .. } => Back::Nothing,
        _ => Back::Remove,
    }
}

fn restore<T: PartialEq + Clone>(now: &T, before: &T, after: &T, how: fn(T) -> Back) -> Back {
    if now == after {
        how(before.clone())
    } else if now == before {
        Back::Nothing
    } else {
        Back::Theirs
    }
}

/// The latest first: what was made on top of something goes before it.
pub(super) fn order(record: &Record) -> Vec<Change> {
    record.changes.iter().rev().cloned().collect()
}

/// What a change is called.
pub(super) fn described(change: &Change) -> String {
    match change {
        Change::Activity { name, .. } => format!("the activity {name:?}"),
        Change::EventCallback { .. } => "TaskRouter's callback and filter".to_owned(),
        Change::Webhook { .. } => "Conversations' webhook and filters".to_owned(),
        Change::Sink { .. } => "the Event Streams sink".to_owned(),
        Change::Subscription { .. } => "the sink's subscription".to_owned(),
        Change::Type { kind, .. } => format!("the sink's subscription to {kind}"),
        Change::VerifyService { .. } => "the Verify service".to_owned(),
        Change::RateLimit { name, .. } => format!("Verify's rate limit {name}"),
        Change::Config { file, .. } => format!("the key in {}", file.display()),
        Change::ConfigFile { file, .. } => format!("the file {}", file.display()),
    }
}
