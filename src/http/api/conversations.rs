//! Conversations: what was written, and reading.

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
};
use crate::{
    actors::ask::{self, Command, Progress, View},
    domain::{ChatIdentity, ConversationSid, MediaSid},
};

/// Messages a page, by default and at most.
const PAGE: usize = 50;
const LARGEST_PAGE: usize = 200;
/// Links to files that are asked for at a time, for one reader: calls go on meanwhile.
const LINKS: usize = 4;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/conversations/{conversation}/messages", web::get().to(history))
        .route("/conversations/{conversation}/read", web::post().to(read));
}

/// An agent's own part in a conversation.
pub(super) struct Part {
    pub(super) conversation: ConversationSid,
    pub(super) me: ChatIdentity,
    /// Nothing can be written any more.
    pub(super) is_over: bool,
    latest: Option<u64>,
}

/// The conversation that a path names, if the agent works on a task with it.
pub(super) fn part(view: &View, path: &str) -> Result<Part, Failure> {
    let conversation: ConversationSid = path.parse().map_err(|_| Failure::NotFound)?;
    let works = |progress| matches!(progress, Progress::Accepted | Progress::Wrapping);
    let tasks = view.tasks.iter();
    let mut own = tasks.filter(|task| task.conversation.as_ref() == Some(&conversation) && works(task.progress));
    let task = own.next().ok_or(Failure::NotFound)?;
    let is_over = task.progress == Progress::Wrapping || !task.takes_part;
    Ok(Part { conversation, me: view.identity.clone(), is_over, latest: task.last.as_ref().map(|last| last.index) })
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
    let part = part(&*ask::see(&api.directory, agent).await?, &path)?;
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
    let Part { conversation, latest, .. } = part(&*ask::see(&api.directory, agent).await?, &path)?;
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
