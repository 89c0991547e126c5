//! A user's conversations, with what is unread in each. Users are named by sid or identity.

use super::{Shape, by};
use crate::{
    rest::{
        Reply,
        error::Refusal,
        list,
        request::{Answer, Request},
        route::Operation,
    },
    world::{World, sid::Sid},
};

/// `PageSize`, at most.
const MAX_SIZE: u64 = 50;

pub(super) fn answer(
    world: &mut World,
    request: &Request,
    operation: Operation,
    user: &Sid,
    conversation: Option<&Sid>,
) -> Reply {
    let identity = world.user(user.as_str()).ok_or_else(Refusal::not_found)?;
    let Some(conversation) = conversation else {
        let rows = world.conversations.iter().filter(|row| row.participant(&identity).is_some());
        let all = rows.map(|row| row.sid.clone()).collect();
        let shape = Shape::new(world, request);
        return Ok(list::v1_of(request, "conversations", all, MAX_SIZE, |sid| shape.of_user(sid, &identity)));
    };
    if operation == Operation::UpdateUserConversation {
        update(world, request, conversation, &identity)?;
    }
    Shape::new(world, request).of_user(conversation, &identity).map(Answer::ok).ok_or_else(Refusal::not_found)
}

fn update(world: &mut World, request: &Request, conversation: &Sid, identity: &str) -> Result<(), Refusal> {
    let form = &request.form;
    let index = form.number("LastReadMessageIndex")?;
    let muted = form.word("NotificationLevel", |level| match level {
        "default" => Some(false),
        "muted" => Some(true),
        _ => None,
    })?;
    let one = world.conversation(conversation)?.participant(identity).map(|one| one.sid.clone());
    let sid = one.ok_or_else(Refusal::not_found)?;
    if let Some(index) = index {
        world.set_last_read(conversation, &sid, index, &by(request))?;
    }
    if let Some(muted) = muted {
        world.change_participant(conversation, &sid, &by(request), |one| one.muted = muted)?;
    }
    Ok(())
}
