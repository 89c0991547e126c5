//! What was changed, so that it can be put back: a file beside the store, written before each change and after it.
//!
//! A change that was cut short is in it without the sid that Twilio would have answered. Nothing of its kind was there when
//! it was written down: what is there afterwards is ours.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{
    file::Edit,
    plan::{There, VERIFY_KEY, Verify},
};
use crate::{
    domain::{AccountSid, ActivitySid, RateLimitSid, SinkSid, SubscriptionSid, VerifyServiceSid},
    files::write_durably,
    intake::OurSink,
    twilio::{
        conversations::{Webhook, WebhookScope},
        taskrouter::EventCallback,
    },
};

/// One thing that was made or changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(super) enum Change {
    Activity { name: String, available: bool, sid: Option<ActivitySid> },
    EventCallback { before: EventCallback, after: EventCallback },
    Webhook { scope: WebhookScope, before: Webhook, after: Webhook },
    Sink { destination: String, sid: Option<SinkSid> },
    Subscription { sink: SinkSid, sid: Option<SubscriptionSid> },
    Type { subscription: SubscriptionSid, kind: String },
    VerifyService { name: String, sid: Option<VerifyServiceSid> },
    RateLimit { service: VerifyServiceSid, name: String, sid: Option<RateLimitSid> },
    Config { file: PathBuf, edit: Edit },
    ConfigFile { file: PathBuf, text: String },
}

impl Change {
    /// Whether both are changes of one thing, so that the later goes before the earlier.
    fn is_of_the_place_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::EventCallback { .. }, Self::EventCallback { .. }) => true,
            (Self::Webhook { scope, .. }, Self::Webhook { scope: other, .. }) => scope == other,
            _ => false,
        }
    }

    /// Fills its sid in, if it has none and Twilio has made it all the same. `known`: all changes.
    fn settle(&mut self, there: &There, known: &[Self]) {
        match self {
            Self::Activity { name, sid: sid @ None, .. } => {
                let found = there.activities.iter().find(|activity| activity.friendly_name == *name);
                *sid = found.map(|activity| activity.sid.clone());
            }
            // One that Twilio has given up is no hindrance to making another: it may have been there before.
            Self::Sink { sid: sid @ None, .. } => {
                let is_new = |found: &OurSink| {
                    let is_it =
                        |change: &Self| matches!(change, Self::Sink { sid, .. } if *sid == Some(found.sid.clone()));
                    !found.failed && !known.iter().any(is_it)
                };
                *sid = there.intake.sinks.iter().find(|sink| is_new(sink)).map(|sink| sink.sid.clone());
            }
            Self::Subscription { sink, sid: sid @ None } => {
                let found = there.intake.sinks.iter().find(|found| found.sid == *sink);
                *sid = found.and_then(|sink| sink.subscriptions.first()).map(|(sid, _)| sid.clone());
            }
            // One that is configured is the operator's, whatever it is called.
            Self::VerifyService { name, sid: sid @ None } => {
                if let Verify::Service { sid: found, name: called, .. } = &there.verify
                    && called == name
                    && there.unset.iter().any(|(key, _)| *key == VERIFY_KEY)
                {
                    *sid = Some(found.clone());
                }
            }
            Self::RateLimit { service, name, sid: sid @ None } => {
                if let Verify::Service { sid: of, limits, .. } = &there.verify
                    && of == service
                {
                    let found = limits.iter().find(|(limit, _)| limit.unique_name == *name);
                    *sid = found.map(|(limit, _)| limit.sid.clone());
                }
            }
            _ => {}
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) account: AccountSid,
    /// The oldest first.
    pub(super) changes: Vec<Change>,
    #[serde(skip)]
    path: PathBuf,
}

impl Record {
    /// The record in this folder; an empty one, if there is none.
    pub(super) fn open(folder: &Path, account: &AccountSid) -> io::Result<Self> {
        let path = folder.join("setup.json");
        match fs::read(&path) {
            Ok(bytes) => Ok(Self { path, ..serde_json::from_slice(&bytes)? }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self { account: account.clone(), changes: Vec::new(), path })
            }
            Err(error) => Err(error),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down what is about to be done. One that is there already was cut short, and is done again.
    pub(super) fn begin(&mut self, change: &Change) -> io::Result<()> {
        if !self.changes.contains(change) {
            self.changes.push(change.clone());
        }
        self.save()
    }

    /// Writes down that it was done, with its sid.
    pub(super) fn done(&mut self, begun: &Change, done: Change) -> io::Result<()> {
        if let Some(change) = self.changes.iter_mut().find(|change| *change == begun) {
            *change = done;
        }
        self.save()
    }

    pub(super) fn forget(&mut self, change: &Change) -> io::Result<()> {
        self.changes.retain(|known| known != change);
        self.save()
    }

    /// URLs that were set by us.
    pub(super) fn urls(&self) -> Vec<String> {
        let url = |change: &Change| match change {
            Change::EventCallback { after, .. } => Some(after.url.clone()),
            Change::Webhook { after, .. } => Some(after.post_url.clone()),
            _ => None,
        };
        self.changes.iter().filter_map(url).collect()
    }

    pub(super) fn made_limit(&self, sid: &RateLimitSid) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::RateLimit { sid: Some(made), .. } if made == sid))
    }

    /// The Verify service that was made last, or was about to be.
    pub(super) fn verify_service(&self) -> Option<&Change> {
        self.changes.iter().rev().find(|change| matches!(change, Change::VerifyService { .. }))
    }

    /// Whether the same place was changed again later on.
    pub(super) fn is_covered(&self, change: &Change) -> bool {
        let later = self.changes.iter().skip_while(|known| *known != change).skip(1);
        later.into_iter().any(|later| later.is_of_the_place_of(change))
    }

    /// Finds the sids of changes that were cut short after Twilio had made them.
    pub(super) fn settle(&mut self, there: &There) -> io::Result<()> {
        let before = self.changes.clone();
        for change in &mut self.changes {
            change.settle(there, &before);
        }
        if before == self.changes { Ok(()) } else { self.save() }
    }

    /// There is the whole record or the one before it, also after a power loss. An empty one is no file.
    fn save(&self) -> io::Result<()> {
        let folder = self.path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        if self.changes.is_empty() {
            return fs::remove_file(&self.path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => Ok(()),
                _ => Err(error),
            });
        }
        fs::create_dir_all(folder)?;
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        write_durably(&self.path, &text, 0o600, fs::metadata(folder).ok().map(|found| (found.uid(), found.gid())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::Found;

    fn sink(number: u8, failed: bool) -> OurSink {
        OurSink { sid: format!("DG{number:032}").parse().unwrap(), failed, subscriptions: Vec::new() }
    }

    fn there(sinks: Vec<OurSink>) -> There {
        let service = format!("IS{:032}", 1).parse().unwrap();
        There {
            activities: Vec::new(),
            intake: Found {
                callback: EventCallback::default(),
                service,
                service_webhook: Webhook::default(),
                account_webhook: Webhook::default(),
                sinks,
            },
            verify: Verify::None,
            vapid_key: true,
            unset: Vec::new(),
        }
    }

    #[test]
    fn a_sink_that_got_lost_is_found_among_those_that_are_new_and_work() {
        let change = |sid: Option<u8>| Change::Sink {
            destination: String::new(),
            sid: sid.map(|number| sink(number, false).sid),
        };
        for (sinks, found) in [
            (vec![], None),
            (vec![sink(1, true)], None),
            (vec![sink(2, false)], None),
            (vec![sink(1, true), sink(2, false), sink(3, false)], Some(3)),
        ] {
            let mut lost = change(None);
            lost.settle(&there(sinks), &[change(Some(2)), change(None)]);
            assert_eq!(lost, change(found));
        }
    }
}
