//! Conversations: what was written, writing, and reading.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use futures_util::{StreamExt, future, stream};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::{
    Answer, Api,
    auth::Caller,
    failure::Failure,
    shape::{Page, WrittenMessage},
    upload::{self, Posted},
};
use crate::{
    actors::ask::{self, Command, Line, Progress, View},
    domain::{AgentId, ChatIdentity, ConversationSid, MediaSid, Timestamp},
    sessions::NoSession,
    twilio::{TwilioError, conversations::Message},
};

/// Messages a page, by default and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;
/// A message's longest text, in bytes: Conversations' own bound.
const LONGEST: usize = 32 * 1024;
/// Links to files that are asked for at a time, for one reader: calls go on meanwhile.
const LINKS: usize = 4;
/// Where a message is looked for of which nobody knows whether it was sent: among the latest.
const LATEST: usize = 10;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/conversations/{conversation}/messages", web::get().to(history))
        .route("/conversations/{conversation}/messages", web::post().to(write))
        .route("/conversations/{conversation}/read", web::post().to(read));
}

/// An agent's own part in a conversation.
struct Part {
    conversation: ConversationSid,
    me: ChatIdentity,
    /// Nothing can be written any more.
    is_over: bool,
    latest: Option<u64>,
}

/// The conversation that a path names, if the agent works on a task with it.
fn part(view: View, path: &str) -> Result<Part, Failure> {
    let conversation: ConversationSid = path.parse().map_err(|_| Failure::NotFound)?;
    let works = |progress| matches!(progress, Progress::Accepted | Progress::Wrapping);
    let tasks = view.tasks.into_iter();
    let mut own = tasks.filter(|task| task.conversation.as_ref() == Some(&conversation) && works(task.progress));
    let task = own.next().ok_or(Failure::NotFound)?;
    let is_over = task.progress == Progress::Wrapping || !task.takes_part;
    Ok(Part { conversation, me: view.identity, is_over, latest: task.last.map(|last| last.index) })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// The index behind the page; without it, the newest messages.
    before: Option<u64>,
    /// Up to 200.
    limit: Option<usize>,
}

/// Read a conversation, the newest message last.
#[utoipa::path(
    get, operation_id = "listMessages", path = "/conversations/{conversation}/messages", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's sid", example = "CH0123456789abcdef0123456789abcdef"), Span),
    responses(
        (status = 200, description = "The messages; `next` is `before` of the page before", body = Page<WrittenMessage>),
        (status = 404, description = "You work in no such conversation"),
        (status = 422, description = "`before` or `limit` is no number"),
    ),
)]
pub(super) async fn history(
    api: web::Data<Api>,
    Caller(agent): Caller,
    path: web::Path<String>,
    span: Result<web::Query<Span>, actix_web::Error>,
) -> Answer {
    let span = span.map_err(|_| Failure::Invalid("expected whole numbers for \"before\" and \"limit\""))?;
    let part = part(ask::see(&api.directory, agent).await?, &path)?;
    let limit = span.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let messages = api.twilio.messages(&part.conversation, span.before, limit).await?;
    let next = messages.first().filter(|_| messages.len() == limit).map(|first| first.index.to_string());
    let links = links(&api, messages.iter().flat_map(|message| &message.media).map(|media| &media.sid)).await;
    let shape = |message| WrittenMessage::new(message, &part.me, |sid| links.get(sid).cloned());
    Ok(HttpResponse::Ok().json(Page { items: messages.into_iter().map(shape).collect(), next }))
}

/// Where files can be fetched from. One that Twilio does not tell of does not hide the messages.
async fn links(api: &Api, files: impl Iterator<Item = &MediaSid>) -> HashMap<MediaSid, String> {
    let files: Vec<_> = files.cloned().collect();
    if files.is_empty() {
        return HashMap::new();
    }
    let Ok(service) = api.facts.chat_service_sid().await else { return HashMap::new() };
    let links = files.into_iter().map(|sid| {
        let service = &service;
        async move {
            let link = api.twilio.media_link(service, &sid).await.ok()?;
            Some((sid, link.to_string()))
        }
    });
    stream::iter(links).buffer_unordered(LINKS).filter_map(future::ready).collect().await
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

/// Write a message: a text as JSON, or a form with a file and perhaps a text called `body`.
#[utoipa::path(
    post, operation_id = "writeMessage", path = "/conversations/{conversation}/messages", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's sid", example = "CH0123456789abcdef0123456789abcdef")),
    request_body(content((Text = "application/json"), (Form = "multipart/form-data"))),
    responses(
        (status = 201, description = "The message as it was sent", body = WrittenMessage),
        (status = 400, description = "The body is neither JSON nor a form"),
        (status = 404, description = "You work in no such conversation"),
        (status = 409, description = "`closed`"),
        (status = 413, description = "`too_large`"),
        (status = 422, description = "The body is not of this form, or the contact centre keeps the message back"),
        (status = 504, description = "Nobody knows whether it was sent"),
    ),
)]
pub(super) async fn write(
    api: web::Data<Api>,
    Caller(agent): Caller,
    path: web::Path<String>,
    message: Posted<Text>,
) -> Answer {
    let part = part(ask::see(&api.directory, agent).await?, &path)?;
    if part.is_over {
        return Err(Failure::Closed);
    }
    // Held until Twilio has the file: it is in memory until then.
    let _turn = match &message {
        Posted::Json(_) => None,
        Posted::Form(_) => Some(api.uploads.try_acquire().map_err(|_| Failure::Unavailable)?),
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
    let media = match file {
        Some(file) => Some(upload::to_twilio(&api, file).await?),
        None => None,
    };
    let sent = send(&api, &part, body.as_deref(), media.as_ref()).await?;
    note(&api, agent, &part, &sent).await;
    Ok(HttpResponse::Created().json(WrittenMessage::new(sent, &part.me, |_| None)))
}

/// Sends once. What may have been sent is looked for before anybody is told that it was not.
async fn send(api: &Api, part: &Part, body: Option<&str>, media: Option<&MediaSid>) -> Result<Message, Failure> {
    match api.twilio.send_message(&part.conversation, &part.me, body, media).await {
        Err(error) if error.may_have_happened() => find(api, part, body, media).await?.ok_or(Failure::Unknown),
        sent => Ok(sent?),
    }
}

async fn find(
    api: &Api,
    part: &Part,
    body: Option<&str>,
    media: Option<&MediaSid>,
) -> Result<Option<Message>, TwilioError> {
    let latest = api.twilio.latest_messages(&part.conversation, LATEST).await?;
    let is_it = |message: &Message| {
        message.author == part.me.as_str()
            && part.latest.is_none_or(|known| message.index > known)
            && message.body == body.unwrap_or_default()
            && media.is_none_or(|media| message.media.iter().any(|file| file.sid == *media))
    };
    Ok(latest.into_iter().rev().find(is_it))
}

/// Tells the agent's books of what was written; its webhook would do so too, a little later.
async fn note(api: &Api, agent: AgentId, part: &Part, sent: &Message) {
    let line = Line {
        message: sent.sid.clone(),
        index: sent.index,
        at: sent.date_created.unwrap_or(Timestamp::EPOCH),
        author: sent.author.clone(),
        text: sent.body.clone(),
        files: u32::try_from(sent.media.len()).unwrap_or(u32::MAX),
    };
    let conversation = part.conversation.clone();
    if let Err(error) = ask::order(&api.directory, agent, Command::Wrote { conversation, line }).await {
        tracing::warn!(%agent, %error, "a message that was sent is heard of by its webhook alone");
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UpTo {
    /// The last message that was read.
    #[schema(example = 12)]
    index: u64,
}

/// Tell how far a conversation was read.
#[utoipa::path(
    post, operation_id = "markRead", path = "/conversations/{conversation}/read", tag = "conversations",
    params(("conversation" = String, Path, description = "The conversation's sid", example = "CH0123456789abcdef0123456789abcdef")), request_body = UpTo,
    responses(
        (status = 204, description = "Noted"),
        (status = 400, description = "The body is not JSON"),
        (status = 404, description = "You work in no such conversation"),
        (status = 422, description = "The body is not of this form, or there is no such message yet"),
    ),
)]
pub(super) async fn read(
    api: web::Data<Api>,
    Caller(agent): Caller,
    path: web::Path<String>,
    up_to: web::Json<UpTo>,
) -> Answer {
    let Part { conversation, latest, .. } = part(ask::see(&api.directory, agent).await?, &path)?;
    let index = up_to.index;
    if latest.is_none_or(|latest| index > latest) {
        // Its webhook may still be on the way. What nobody has written can not be read: later it would never be new.
        let newest = api.twilio.latest_messages(&conversation, 1).await?;
        if newest.last().is_none_or(|newest| index > newest.index) {
            return Err(Failure::Invalid("\"index\" is beyond the newest message"));
        }
    }
    ask::order(&api.directory, agent, Command::Read { conversation, index }).await??;
    Ok(HttpResponse::NoContent().finish())
}
