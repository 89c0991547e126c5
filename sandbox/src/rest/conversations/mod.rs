//! Conversations v1 (<https://www.twilio.com/docs/conversations/api>).

mod configuration;
mod messages;
mod participants;
mod shape;
mod users;

use percent_encoding::percent_decode_str;

use self::{configuration::Whose, shape::Shape};
use super::{
    Reply,
    error::Refusal,
    list,
    request::{Answer, Request},
    route::Operation,
};
use crate::world::{
    World,
    conversations::{By, StateReason},
    sid::Sid,
    words::ConversationState,
};

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    // Paths may name people by identity.
    let path: Vec<Sid> =
        path.iter().map(|part| Sid::from(percent_decode_str(part.as_str()).decode_utf8_lossy().as_ref())).collect();
    let first = || path.first().ok_or_else(Refusal::not_found);
    let second = path.get(1);
    match operation {
        Operation::FetchConfiguration => Ok(configuration::fetch(world, request)),
        Operation::FetchConfigurationWebhook => Ok(configuration::webhook(world, request, Whose::Account)),
        Operation::UpdateConfigurationWebhook => configuration::update_webhook(world, request, Whose::Account),
        Operation::FetchServiceWebhookConfiguration => {
            let whose = Whose::of_service(first()?)?;
            Ok(configuration::webhook(world, request, whose))
        }
        Operation::UpdateServiceWebhookConfiguration => {
            let whose = Whose::of_service(first()?)?;
            configuration::update_webhook(world, request, whose)
        }
        Operation::ListConversation => list_conversations(world, request),
        Operation::FetchConversation => conversation(world, request, first()?),
        Operation::UpdateConversation => update_conversation(world, request, first()?),
        Operation::ListConversationMessage
        | Operation::FetchConversationMessage
        | Operation::CreateConversationMessage => messages::answer(world, request, operation, first()?, second),
        Operation::ListUserConversation | Operation::FetchUserConversation | Operation::UpdateUserConversation => {
            users::answer(world, request, operation, first()?, second)
        }
        _ => participants::answer(world, request, operation, first()?, second),
    }
}

/// Whose act a request's is.
const fn by(request: &Request) -> By {
    By::Rest { webhooks: request.webhooks_enabled }
}

fn list_conversations(world: &World, request: &Request) -> Reply {
    let state = request.query.word("State", ConversationState::parse)?;
    let rows = world.conversations.iter().filter(|row| state.is_none_or(|wanted| row.state == wanted));
    let all = rows.map(|row| row.sid.clone()).collect();
    let shape = Shape::new(world, request);
    Ok(list::v1(request, "conversations", all, |sid| shape.conversation(sid)))
}

fn conversation(world: &World, request: &Request, sid: &Sid) -> Reply {
    Shape::new(world, request).conversation(sid).map(Answer::ok).ok_or_else(Refusal::not_found)
}

fn update_conversation(world: &mut World, request: &Request, sid: &Sid) -> Reply {
    let (form, by) = (&request.form, by(request));
    let state = form.word("State", ConversationState::parse)?;
    let attributes = form.json_object("Attributes")?;
    world.update_conversation(sid, attributes, form.text("FriendlyName"), &by)?;
    if let Some(state) = state {
        world.set_conversation_state(sid, state, StateReason::Api, &by)?;
    }
    conversation(world, request, sid)
}
