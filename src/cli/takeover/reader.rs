//! Reading the agents of other systems at Twilio. Nothing is written there.

use futures_util::{StreamExt, stream};
use tokio::runtime::Runtime;

use super::Found;
use crate::{
    app,
    cli::{
        daemon::not_started,
        failure::{Exit, Failure},
        progress::Progress,
    },
    clock::Clock,
    config::Config,
    domain::SyncServiceSid,
    roster::{Origin, from_flex_mobile, from_taskrouter},
    twilio::{Refusal, Twilio, TwilioError, sync::SyncDocument, taskrouter::Worker},
};

/// Requests under way at once: Twilio limits an account's concurrency, and agents at work need it too.
const AT_ONCE: usize = 10;

/// Whatever Twilio answers, nothing of ours has been touched yet.
const AGAIN: &str = "try again; nobody was added";

/// A way to Twilio for one command.
pub(in crate::cli) struct Reader {
    runtime: Runtime,
    twilio: Twilio,
}

impl Reader {
    pub(in crate::cli) fn new(config: &Config) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let twilio = app::twilio(config, Clock::system(), runtime.handle().clone())
            .map_err(|error| not_started(error, config))?;
        Ok(Self { runtime, twilio })
    }

    /// The workers of the workspace.
    pub(in crate::cli) fn workers(&self, phone_attribute: Option<&str>) -> Result<Found, Failure> {
        let mut progress = Progress::new("workers read");
        let read = self.runtime.block_on(read_workers(&self.twilio, phone_attribute, &mut progress));
        progress.done();
        read.map_err(|error| match error.refusal() {
            Some(Refusal::NotFound) => Failure::usage(
                "the account has no such TaskRouter workspace",
                "set twilio.workspace_sid to one that Twilio's console shows below TaskRouter",
            ),
            _ => refused(&error),
        })
    }

    /// The agents of a Flex Mobile proof of concept.
    pub(in crate::cli) fn flex_mobile(&self, service: &SyncServiceSid) -> Result<Found, Failure> {
        let mut progress = Progress::new("documents read");
        let read = self.runtime.block_on(read_documents(&self.twilio, service, &mut progress));
        progress.done();
        read.map_err(|error| match error.refusal() {
            Some(Refusal::NotFound) => Failure::usage(
                format!("the account has no Sync service {service}"),
                "name the one that Flex Mobile uses: Twilio's console lists them below Sync",
            ),
            _ => refused(&error),
        })
    }
}

async fn read_workers(
    twilio: &Twilio,
    phone_attribute: Option<&str>,
    progress: &mut Progress,
) -> Result<Found, TwilioError> {
    let mut found = Found::default();
    let mut pages = twilio.workers().await?;
    while let Some(page) = pages.next(twilio).await? {
        let mut whole = stream::iter(page).map(|worker| whole_worker(twilio, worker)).buffered(AT_ONCE);
        while let Some(worker) = whole.next().await {
            found.take_worker(worker?, phone_attribute);
            progress.at(found.people.len() as u64);
        }
    }
    Ok(found)
}

/// Page by page, so that the tokens in the documents are soon let go of.
async fn read_documents(
    twilio: &Twilio,
    service: &SyncServiceSid,
    progress: &mut Progress,
) -> Result<Found, TwilioError> {
    let mut found = Found::default();
    let mut pages = twilio.sync_documents(service);
    while let Some(page) = pages.next(twilio).await? {
        let whole = stream::iter(page).map(|document| whole_document(twilio, service, document));
        let mut whole = whole.buffered(AT_ONCE);
        while let Some(document) = whole.next().await {
            found.take_document(document?);
            progress.at((found.people.len() + found.others) as u64);
        }
    }
    Ok(found)
}

impl Found {
    /// None: it was deleted while the list was read.
    fn take_worker(&mut self, worker: Option<Worker>, phone_attribute: Option<&str>) {
        let Some(worker) = worker else { return };
        let as_told = from_taskrouter::Worker {
            sid: &worker.sid,
            friendly_name: &worker.friendly_name,
            attributes: worker.attributes.as_deref().unwrap_or("{}"),
        };
        let newcomer = from_taskrouter::newcomer(as_told, phone_attribute);
        self.people.push((Origin { sid: worker.sid.to_string(), name: worker.friendly_name }, newcomer));
    }

    fn take_document(&mut self, document: Option<SyncDocument>) {
        let Some(document) = document else { return };
        match document.unique_name.filter(|name| from_flex_mobile::is_agent(name)) {
            Some(name) => {
                let newcomer = from_flex_mobile::newcomer(&name, &document.data);
                self.people.push((Origin { sid: document.sid.to_string(), name }, newcomer));
            }
            None => self.others += 1,
        }
    }
}

/// A worker with its attributes, which lists leave out.
async fn whole_worker(twilio: &Twilio, worker: Worker) -> Result<Option<Worker>, TwilioError> {
    match worker.attributes {
        Some(_) => Ok(Some(worker)),
        None => there(twilio.worker(&worker.sid).await),
    }
}

/// An agent's document with its data, should the list leave that out.
async fn whole_document(
    twilio: &Twilio,
    service: &SyncServiceSid,
    document: SyncDocument,
) -> Result<Option<SyncDocument>, TwilioError> {
    let is_agent = document.unique_name.as_deref().is_some_and(from_flex_mobile::is_agent);
    if !is_agent || !document.data.is_null() {
        return Ok(Some(document));
    }
    there(twilio.sync_document(service, &document.sid).await)
}

fn there<T>(fetched: Result<T, TwilioError>) -> Result<Option<T>, TwilioError> {
    match fetched {
        Err(error) if error.refusal() == Some(Refusal::NotFound) => Ok(None),
        fetched => fetched.map(Some),
    }
}

fn refused(error: &TwilioError) -> Failure {
    let cause = error.to_string();
    match error {
        TwilioError::Workspace { .. } => Failure::usage(cause, "set twilio.workspace_sid to one of these"),
        error if error.is_retryable() => Failure::new(Exit::Unavailable, cause, AGAIN),
        error if matches!(error.refusal(), Some(Refusal::Unauthorized | Refusal::Forbidden)) => {
            Failure::usage(cause, "see that twilio's account_sid, auth_token or API key are those of one account")
        }
        _ => Failure::new(Exit::Internal, cause, AGAIN),
    }
}
