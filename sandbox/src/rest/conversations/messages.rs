//! Messages of a conversation.

use super::{Shape, by};
use crate::{
    rest::{
        Reply,
        error::Refusal,
        list,
        request::{Answer, Request},
        route::Operation,
    },
    world::{World, conversations::NewMessage, sid::Sid},
};

/// `PageSize`, at most.
const MAX_SIZE: u64 = 100;
/// Who writes where no author is named.
const SYSTEM: &str = "system";

pub(super) fn answer(
    world: &mut World,
    request: &Request,
    operation: Operation,
    conversation: &Sid,
    sid: Option<&Sid>,
) -> Reply {
    match (operation, sid) {
        (Operation::CreateConversationMessage, _) => create(world, request, conversation),
        (_, Some(sid)) => {
            let body = Shape::new(world, request).message(conversation, sid);
            body.map(Answer::ok).ok_or_else(Refusal::not_found)
        }
        (_, None) => list(world, request, conversation),
    }
}

fn list(world: &World, request: &Request, conversation: &Sid) -> Reply {
    let ascending = |order: &str| match order.to_ascii_lowercase().as_str() {
        "asc" => Some(true),
        "desc" => Some(false),
        _ => None,
    };
    let ascending = request.query.word("Order", ascending)?.unwrap_or(true);
    let rows = world.conversation(conversation)?.messages.iter();
    let mut all: Vec<_> = rows.map(|message| message.sid.clone()).collect();
    if !ascending {
        all.reverse();
    }
    let shape = Shape::new(world, request);
    Ok(list::v1_of(request, "messages", all, MAX_SIZE, |sid| shape.message(conversation, sid)))
}

fn create(world: &mut World, request: &Request, conversation: &Sid) -> Reply {
    let form = &request.form;
    let new = NewMessage {
        author: form.text("Author").unwrap_or_else(|| SYSTEM.to_owned()),
        body: form.text("Body"),
        media: form.text("MediaSid").map(Sid::from).into_iter().collect(),
        attributes: form.json_object("Attributes")?,
    };
    let sid = world.add_message(conversation, new, &by(request))?;
    Shape::new(world, request).message(conversation, &sid).map(Answer::created).ok_or_else(Refusal::not_found)
}
