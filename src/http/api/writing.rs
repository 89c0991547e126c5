//! Writing into a conversation: once, however often an app asks, and whatever becomes of the connection or the daemon meanwhile.

use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload, web};
use aws_lc_rs::{digest, rand};
use serde::Deserialize;
use std::{
    future::{Ready, ready},
    time::Duration,
};
use utoipa::ToSchema;

use super::{
    Answer, Api,
    auth::Caller,
    conversations::{Part, part},
    failure::Failure,
    shape::WrittenMessage,
    upload::{self, File, Posted},
};
use crate::{
    actors::ask::{self, Begin, Command, Line, Sending, Sent},
    domain::{AgentId, Fingerprint, SendId, Timestamp},
    sessions::NoSession,
    twilio::{TwilioError, conversations::Message},
};

/// A message's longest text, in bytes: Conversations' own bound.
const LONGEST: usize = 32 * 1024;
/// A key's longest form, in bytes.
const LONGEST_KEY: usize = 255;
/// Where a message is looked for of which nobody knows whether it was sent: among the latest, and later, when others may have
/// been written behind it, among so many. Those of a conversation's most talkative day are fewer.
const LATEST: usize = 10;
const LATER: usize = 1000;
/// By how much Twilio's clock may be behind ours.
const SLACK: Duration = Duration::from_secs(120);
/// When what may have been sent is worth asking about again.
const SOON: Duration = Duration::from_secs(5);

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config.route("/conversations/{conversation}/messages", web::post().to(write));
}

/// A header that names the message, so that asking twice sends once.
pub(super) struct Key(Option<String>);

impl FromRequest for Key {
    type Error = Failure;
    type Future = Ready<Result<Self, Failure>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut given = request.headers().get_all("idempotency-key");
        let key = match (given.next(), given.next()) {
            (None, _) => Ok(None),
            (Some(key), None) => {
                let plain = key.to_str().ok().map(str::trim).filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
                plain.map(|key| Some(key.to_owned())).ok_or(())
            }
            _ => Err(()),
        };
        let malformed = Failure::Malformed("Idempotency-Key: expected one, of 1 to 255 visible characters");
        ready(key.map(Self).map_err(|()| malformed))
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Text {
    #[schema(example = "How can I help?")]
    body: String,
}

/// The form as the document shows it.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it is read part by part")]
pub(super) struct Form {
    body: Option<String>,
    /// The file.
    #[schema(value_type = String, format = Binary)]
    media: Vec<u8>,
}

/// Write a message: a text as JSON, or a form with a file and perhaps a text called `body`
///
/// With an `Idempotency-Key` the same message is sent once, however often it is asked for within a day (of the latest 64), also if
/// the first answer was lost: a repeated request answers with the message as it was sent. On 504 ask again with the same key.
#[utoipa::path(
    post, operation_id = "writeMessage", path = "/conversations/{conversation}/messages", tag = "conversations",
    params(
        ("conversation" = String, Path, description = "The conversation's sid", example = "CH0123456789abcdef0123456789abcdef"),
        ("Idempotency-Key" = Option<String>, Header, description = "Of the app's own choice, such as a UUID", example = "8e03978e-40d5-43e8-bc93-6894a57f9324"),
    ),
    request_body(content((Text = "application/json"), (Form = "multipart/form-data"))),
    responses(
        (status = 201, description = "The message as it was sent", body = WrittenMessage),
        (status = 400, description = "The body is neither JSON nor a form, or the key is none"),
        (status = 404, description = "You work in no such conversation"),
        (status = 409, description = "`closed`, or `in_progress`: a request with the same key is under way"),
        (status = 413, description = "`too_large`"),
        (status = 422, description = "`invalid`, `rejected`: the contact centre keeps the message back, or `key_reused`: another message had this key"),
        (status = 504, description = "`unknown`: nobody knows whether it was sent"),
    ),
)]
pub(super) async fn write(
    api: web::Data<Api>,
    Caller(agent): Caller,
    path: web::Path<String>,
    Key(key): Key,
    message: Posted<Text>,
) -> Answer {
    let part = part(&*ask::see(&api.directory, agent).await?, &path)?;
    if part.is_over && key.is_none() {
        return Err(Failure::Closed);
    }
    // Held until Twilio has the file: it is in memory until then.
    let turn = match &message {
        Posted::Json(_) => None,
        Posted::Form(_) => Some(api.uploads.clone().try_acquire_owned().map_err(|_| Failure::Unavailable)?),
    };
    let (body, file) = match message {
        Posted::Json(web::Json(text)) => (Some(text.body), None),
        Posted::Form(upload) => upload.read().await?,
    };
    // A form may take minutes: its sender may be gone by now.
    api.book.enabled(agent).ok_or(NoSession::Unknown)?;
    let body = body.filter(|body| !body.trim().is_empty());
    if body.is_none() && file.is_none() {
        return Err(Failure::Invalid("a message has a text or a file"));
    }
    if body.as_ref().is_some_and(|body| body.len() > LONGEST) {
        return Err(Failure::TooLarge("a message has 32 KB at most"));
    }
    let letter = Letter { api, agent, part, body, file };
    // It goes on although whoever asked is gone: what was begun has an end.
    let sending = actix_web::rt::spawn(async move {
        let _turn = turn;
        match key {
            Some(key) => letter.send_once(&key).await,
            None => letter.send_now().await,
        }
    });
    let written = sending.await.map_err(|_| Failure::Unknown)??;
    Ok(HttpResponse::Created().json(written))
}

/// A message on its way.
struct Letter {
    api: web::Data<Api>,
    agent: AgentId,
    part: Part,
    body: Option<String>,
    file: Option<File>,
}

impl Letter {
    /// Without a key: a second request is a second message.
    async fn send_now(mut self) -> Result<WrittenMessage, Failure> {
        let mut bits = [0; 16];
        rand::fill(&mut bits).map_err(|_| Failure::NotNow)?;
        let sent = self.send(SendId::from_bits(u128::from_be_bytes(bits))).await?;
        self.note(&sent).await;
        Ok(WrittenMessage::new(sent, &self.part.me, |_| None))
    }

    async fn send_once(mut self, key: &str) -> Result<WrittenMessage, Failure> {
        let id = send_id(self.agent, key);
        let sending = ask::begin_send(&self.api.directory, self.agent, id, self.fingerprint()).await?;
        let Sending::Yours(begin, _turn) = sending else { return Err(Failure::InProgress) };
        let found = match begin {
            Begin::Send => None,
            Begin::Sent(sent) => return Ok(self.repeated(sent)),
            Begin::Other => return Err(Failure::KeyReused),
            Begin::LookAndSend { since } => self.find_later(id, since).await?,
            Begin::Look { since, again_in } => {
                let found = self.find_later(id, since).await?;
                Some(found.ok_or(Failure::UnknownFor(again_in))?)
            }
        };
        let sent = match found {
            Some(found) => Ok(found),
            None if self.part.is_over => Err(Failure::Closed),
            None => self.send(id).await,
        };
        match sent {
            Ok(sent) => {
                let (index, at, media) = (sent.index, sent.date_created, sent.media.clone());
                let record = Sent { message: sent.sid.clone(), index, at, media };
                ask::end_send(&self.api.directory, self.agent, id, Some(record)).await?;
                self.note(&sent).await;
                Ok(WrittenMessage::new(sent, &self.part.me, |_| None))
            }
            Err(Failure::Unknown) => Err(Failure::UnknownFor(SOON)),
            Err(failure) => {
                ask::end_send(&self.api.directory, self.agent, id, None).await?;
                Err(failure)
            }
        }
    }

    /// The message as it was sent before.
    fn repeated(self, Sent { message, index, at, media }: Sent) -> WrittenMessage {
        let author = self.part.me.as_str().to_owned();
        let body = self.body.unwrap_or_default();
        let sent =
            Message { sid: message, index, author, body, media, participant: None, date_created: at, send: None };
        WrittenMessage::new(sent, &self.part.me, |_| None)
    }

    /// Sends it. What may have been sent is looked for before anybody is told that it was not.
    async fn send(&mut self, id: SendId) -> Result<Message, Failure> {
        let media = match self.file.take() {
            Some(file) => Some(upload::to_twilio(&self.api, file).await?),
            None => None,
        };
        let Part { conversation, me, .. } = &self.part;
        match self.api.twilio.send_message(conversation, me, self.body.as_deref(), media.as_ref(), id).await {
            Err(error) if error.may_have_happened() => match self.find(id, LATEST).await {
                Ok(found) => found.ok_or(Failure::Unknown),
                Err(_) => Err(Failure::Unknown),
            },
            sent => Ok(sent?),
        }
    }

    /// The message among all that were written since it was tried first; none: it is not there. As long as that cannot be told,
    /// nobody knows.
    async fn find_later(&self, id: SendId, since: Timestamp) -> Result<Option<Message>, Failure> {
        let unknown = Failure::UnknownFor(SOON);
        let latest = self.api.twilio.latest_messages(&self.part.conversation, LATEST).await.map_err(|_| unknown)?;
        let reaches_back = |messages: &[Message]| {
            let oldest = messages.first().and_then(|message| message.date_created);
            oldest.is_some_and(|at| at + SLACK < since)
        };
        let is_enough = latest.len() < LATEST || reaches_back(&latest) || latest.iter().any(|one| one.send == Some(id));
        let all = if is_enough {
            latest
        } else {
            let all = self.api.twilio.latest_messages(&self.part.conversation, LATER).await.map_err(|_| unknown)?;
            if all.len() >= LATER && !reaches_back(&all) {
                return Err(unknown);
            }
            all
        };
        Ok(all.into_iter().rev().find(|message| message.send == Some(id)))
    }

    /// The message among the latest, if it is there.
    async fn find(&self, id: SendId, among: usize) -> Result<Option<Message>, TwilioError> {
        let latest = self.api.twilio.latest_messages(&self.part.conversation, among).await?;
        Ok(latest.into_iter().rev().find(|message| message.send == Some(id)))
    }

    /// Tells the agent's books of what was written; its webhook would do so too, a little later.
    async fn note(&self, sent: &Message) {
        let line = Line {
            message: sent.sid.clone(),
            index: sent.index,
            at: sent.date_created.unwrap_or(Timestamp::EPOCH),
            author: sent.author.clone(),
            text: sent.body.clone(),
            files: u32::try_from(sent.media.len()).unwrap_or(u32::MAX),
        };
        let (agent, conversation) = (self.agent, self.part.conversation.clone());
        if let Err(error) = ask::order(&self.api.directory, agent, Command::Wrote { conversation, line }).await {
            tracing::warn!(%agent, %error, "a message that was sent is heard of by its webhook alone");
        }
    }

    fn fingerprint(&self) -> Fingerprint {
        let file = self.file.as_ref().map(File::parts);
        let (kind, name, bytes) = file.unwrap_or_default();
        let body = self.body.as_deref().unwrap_or_default();
        let parts =
            [self.part.conversation.as_str().as_bytes(), body.as_bytes(), kind.as_bytes(), name.as_bytes(), bytes];
        Fingerprint::from_bits(half_digest(&parts))
    }
}

/// The key is the app's own; of two agents the same key is not the same.
fn send_id(agent: AgentId, key: &str) -> SendId {
    SendId::from_bits(half_digest(&[&agent.to_bits().to_be_bytes(), key.as_bytes()]))
}

/// Half of the SHA-256 of all parts, each behind its length.
fn half_digest(parts: &[&[u8]]) -> u128 {
    let mut digest = digest::Context::new(&digest::SHA256);
    for part in parts {
        digest.update(&(part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    let digest = digest.finish();
    digest.as_ref().iter().take(16).fold(0, |bits, byte| bits << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart_and_agents_too() {
        assert_ne!(half_digest(&[b"ab", b"c"]), half_digest(&[b"a", b"bc"]));
        let (ada, bob) = (AgentId::from_bits(1), AgentId::from_bits(2));
        assert_ne!(send_id(ada, "key"), send_id(bob, "key"));
        assert_eq!(send_id(ada, "key"), send_id(ada, "key"));
    }
}
