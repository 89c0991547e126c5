//! Carries steps out, one after the other, each written down before it and after it.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use toml::Value;

use super::{
    file::complete,
    plan::{Action, There},
    record::{Change, Record},
    undo::{Back, back},
};
use crate::{
    app,
    config::{Config, Effective, Origin},
    domain::{SinkSid, VerifyServiceSid},
    files::{give, write_durably},
    push,
    twilio::{Twilio, TwilioError},
};

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{0}")]
    Twilio(#[from] TwilioError),
    #[error("{}: {source}", file.display())]
    File { file: PathBuf, source: io::Error },
    #[error("{0}")]
    Key(String),
    /// The configuration cannot be completed: this line belongs into its table `[twilio]`.
    #[error("the configuration cannot be written")]
    ByHand { line: String },
    #[error("what it belongs to was not made")]
    Missing,
    /// It was changed again after this, and that could not be put back.
    #[error("what was put on top of it is still there")]
    Covered,
}

pub(super) struct Hands<'a> {
    pub(super) twilio: &'a Twilio,
    pub(super) config: &'a Config,
    pub(super) effective: &'a [Effective],
    /// The configuration file, from the root on.
    pub(super) file: PathBuf,
    pub(super) record: Record,
    /// What earlier steps have made.
    pub(super) sink: Option<SinkSid>,
    pub(super) verify: Option<VerifyServiceSid>,
}

impl Hands<'_> {
    pub(super) async fn make(&mut self, action: Action) -> Result<(), Trouble> {
        match action {
            Action::Change(change) => self.change(change).await.map(drop),
            Action::Subscribe { sink, types } => {
                let sink = sink.or_else(|| self.sink.clone()).ok_or(Trouble::Missing)?;
                let begun = Change::Subscription { sink: sink.clone(), sid: None };
                self.begin(&begun)?;
                let made = self.twilio.create_subscription(super::plan::NAME, &sink, &types).await;
                let sid = made.map_err(|error| self.not_done(&begun, error))?;
                self.done(&begun, Change::Subscription { sink, sid: Some(sid) })
            }
            Action::Limit { service, name, max, interval } => {
                let service = service.or_else(|| self.verify.clone()).ok_or(Trouble::Missing)?;
                let begun = Change::RateLimit { service: service.clone(), name: name.to_owned(), sid: None };
                self.begin(&begun)?;
                let made = self.twilio.create_rate_limit(&service, name).await;
                let limit = made.map_err(|error| self.not_done(&begun, error))?;
                let made =
                    Change::RateLimit { service: service.clone(), name: name.to_owned(), sid: Some(limit.clone()) };
                self.done(&begun, made)?;
                Ok(self.twilio.create_bucket(&service, &limit, max, interval).await?)
            }
            Action::Bucket { service, limit, max, interval } => {
                Ok(self.twilio.create_bucket(&service, &limit, max, interval).await?)
            }
            Action::VapidKey => self.make_vapid_key(),
            Action::Config { key, value } => {
                let value = value.or_else(|| self.verify.as_ref().map(ToString::to_string)).ok_or(Trouble::Missing)?;
                self.complete_config(key, &value)
            }
        }
    }

    async fn change(&mut self, begun: Change) -> Result<(), Trouble> {
        self.begin(&begun)?;
        match self.carry_out(&begun).await {
            Ok(done) => self.done(&begun, done),
            Err(error) => Err(self.not_done(&begun, error)),
        }
    }

    /// Does it, and answers it with the sid of what was made.
    async fn carry_out(&mut self, begun: &Change) -> Result<Change, TwilioError> {
        Ok(match begun.clone() {
            Change::Activity { name, available, .. } => {
                let sid = Some(self.twilio.create_activity(&name, available).await?.sid);
                Change::Activity { name, available, sid }
            }
            Change::Sink { destination, .. } => {
                let sid = self.twilio.create_sink(super::plan::NAME, &destination).await?;
                self.sink = Some(sid.clone());
                Change::Sink { destination, sid: Some(sid) }
            }
            Change::VerifyService { name, .. } => {
                let sid = self.twilio.create_verify_service(&name).await?;
                self.verify = Some(sid.clone());
                Change::VerifyService { name, sid: Some(sid) }
            }
            Change::EventCallback { ref after, .. } => {
                self.twilio.set_event_callback(after).await?;
                begun.clone()
            }
            Change::Webhook { ref scope, ref after, .. } => {
                self.twilio.set_conversations_webhook(scope, after).await?;
                begun.clone()
            }
            Change::Type { ref subscription, ref kind } => {
                self.twilio.subscribe(subscription, kind).await?;
                begun.clone()
            }
            // These are made of more than themselves, in `make`.
            change @ (Change::Subscription { .. }
            | Change::RateLimit { .. }
            | Change::Config { .. }
            | Change::ConfigFile { .. }) => change,
        })
    }

    /// What certainly did not happen is struck off the record: what is there of its kind later on is somebody else's.
    fn not_done(&mut self, begun: &Change, error: TwilioError) -> Trouble {
        if error.may_have_happened() {
            return error.into();
        }
        match self.record.forget(begun) {
            Ok(()) => error.into(),
            Err(source) => self.not_recorded(source),
        }
    }

    fn begin(&mut self, change: &Change) -> Result<(), Trouble> {
        self.record.begin(change).map_err(|source| self.not_recorded(source))
    }

    fn done(&mut self, begun: &Change, done: Change) -> Result<(), Trouble> {
        self.record.done(begun, done).map_err(|source| self.not_recorded(source))
    }

    fn not_recorded(&self, source: io::Error) -> Trouble {
        Trouble::File { file: self.record.path().to_owned(), source }
    }

    fn make_vapid_key(&self) -> Result<(), Trouble> {
        let file = app::vapid_key(self.config);
        let folder = self.config.data_dir.path();
        let of = |source| Trouble::File { file: file.path().to_owned(), source };
        fs::create_dir_all(folder).map_err(of)?;
        push::vapid_public_key(&file).map_err(|error| Trouble::Key(error.to_string()))?;
        let owner = fs::metadata(folder).map(|found| (found.uid(), found.gid())).map_err(of)?;
        give(file.path(), Some(owner)).map_err(of)
    }

    /// Adds the key to the file, or makes the file of what the environment says.
    fn complete_config(&mut self, key: &'static str, value: &str) -> Result<(), Trouble> {
        let (table, value) = ("twilio", Value::from(value));
        let by_hand = || Trouble::ByHand { line: format!("{key} = {value}") };
        match fs::read_to_string(&self.file) {
            Ok(text) => {
                let (text, edit) = complete(&text, table, key, &value).ok_or_else(by_hand)?;
                self.complete_with(&Change::Config { file: self.file.clone(), edit }, &text, by_hand)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let text = self.first_config().ok_or_else(by_hand)?;
                let (text, _) = complete(&text, table, key, &value).ok_or_else(by_hand)?;
                self.complete_with(&Change::ConfigFile { file: self.file.clone(), text: text.clone() }, &text, by_hand)
            }
            Err(_) => Err(by_hand()),
        }
    }

    /// What the environment says, but for secrets, in the file that explains every key.
    fn first_config(&self) -> Option<String> {
        let mut text = include_str!("../../../config/offdesk.toml").to_owned();
        let mut defaults = text.parse::<toml::Table>().ok()?;
        for Effective { path, shown, origin } in self.effective {
            if !matches!(origin, Some(Origin::Environment(_))) || shown.as_str() == Some("***") {
                continue;
            }
            let (table, key) = path.rsplit_once('.').unwrap_or(("", path));
            let mut place = &mut defaults;
            for name in table.split('.').filter(|name| !name.is_empty()) {
                place = place.get_mut(name)?.as_table_mut()?;
            }
            text = match place.remove(key) {
                Some(default) => text.replacen(&format!("\n{key} = {default}"), &format!("\n{key} = {shown}"), 1),
                None => complete(&text, table, key, shown)?.0,
            };
        }
        Some(text)
    }

    /// What the operator writes by hand, since we could not, is the operator's.
    fn complete_with(&mut self, begun: &Change, text: &str, by_hand: impl Fn() -> Trouble) -> Result<(), Trouble> {
        self.begin(begun)?;
        if write_config(&self.file, text).is_ok() {
            return Ok(());
        }
        if fs::read_to_string(&self.file).is_ok_and(|now| now == text) {
            return Err(by_hand());
        }
        self.record.forget(begun).map_err(|source| self.not_recorded(source))?;
        Err(by_hand())
    }

    /// Puts a change back, notes in `there` what is there now, and strikes it off the record.
    pub(super) async fn put_back(&mut self, change: &Change, there: &mut There) -> Result<Back, Trouble> {
        if self.record.is_covered(change) {
            return Err(Trouble::Covered);
        }
        let text = match change {
            Change::Config { file, .. } | Change::ConfigFile { file, .. } => text_of(file)?,
            _ => None,
        };
        let how = back(change, there, text.as_deref());
        match (&how, change) {
            (Back::Callback(before), _) => {
                self.twilio.set_event_callback(before).await?;
                there.intake.callback = before.clone();
            }
            (Back::Webhook(before), Change::Webhook { scope, .. }) => {
                self.twilio.set_conversations_webhook(scope, before).await?;
                *there.intake.webhook_mut(scope) = before.clone();
            }
            (Back::Text(text), Change::Config { file, .. }) => {
                write_config(file, text).map_err(|source| Trouble::File { file: file.clone(), source })?;
            }
            (Back::Remove, change) => self.remove(change).await?,
            (Back::Nothing | Back::Theirs | Back::Webhook(_) | Back::Text(_), _) => {}
        }
        self.record.forget(change).map_err(|source| self.not_recorded(source))?;
        Ok(how)
    }

    async fn remove(&self, change: &Change) -> Result<(), Trouble> {
        match change {
            Change::Activity { sid: Some(sid), .. } => self.twilio.delete_activity(sid).await?,
            Change::Sink { sid: Some(sid), .. } => self.twilio.delete_sink(sid).await?,
            Change::Subscription { sid: Some(sid), .. } => self.twilio.delete_subscription(sid).await?,
            Change::Type { subscription, kind } => self.twilio.unsubscribe(subscription, kind).await?,
            Change::VerifyService { sid: Some(sid), .. } => self.twilio.delete_verify_service(sid).await?,
            Change::RateLimit { service, sid: Some(sid), .. } => self.twilio.delete_rate_limit(service, sid).await?,
            Change::ConfigFile { file, .. } => {
                fs::remove_file(file).map_err(|source| Trouble::File { file: file.clone(), source })?;
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a file holds; none: it is not there.
fn text_of(file: &Path) -> Result<Option<String>, Trouble> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(Trouble::File { file: file.to_owned(), source }),
    }
}

fn write_config(file: &Path, text: &str) -> io::Result<()> {
    let (mode, owner) = match fs::metadata(file) {
        Ok(found) => (found.mode() & 0o7777, Some((found.uid(), found.gid()))),
        // Of its folder's group, as the manual has it.
        Err(_) => (0o640, file.parent().and_then(|folder| fs::metadata(folder).ok()).map(|f| (f.uid(), f.gid()))),
    };
    write_durably(file, text.as_bytes(), mode, owner)
}
