//! Participants of a conversation, who may be named by sid or identity.

use super::{Shape, by};
use crate::{
    rest::{
        Reply,
        error::Refusal,
        list,
        request::{Answer, Request},
        route::Operation,
    },
    world::{World, conversations::NewParticipant, sid::Sid},
};

pub(super) fn answer(
    world: &mut World,
    request: &Request,
    operation: Operation,
    conversation: &Sid,
    participant: Option<&Sid>,
) -> Reply {
    let row = world.conversation(conversation)?;
    let Some(named) = participant else {
        return if operation == Operation::CreateConversationParticipant {
            create(world, request, conversation)
        } else {
            let all = row.participants.iter().map(|one| one.sid.clone()).collect();
            let shape = Shape::new(world, request);
            Ok(list::v1(request, "participants", all, |sid| shape.participant(conversation, sid)))
        };
    };
    let sid = row.participant(named.as_str()).map(|one| one.sid.clone()).ok_or_else(Refusal::not_found)?;
    match operation {
        Operation::UpdateConversationParticipant => update(world, request, conversation, &sid)?,
        Operation::DeleteConversationParticipant => {
            world.remove_participant(conversation, &sid, &by(request))?;
            return Ok(Answer::no_content());
        }
        _ => {}
    }
    found(world, request, conversation, &sid)
}

fn create(world: &mut World, request: &Request, conversation: &Sid) -> Reply {
    let form = &request.form;
    let new = NewParticipant {
        identity: form.text("Identity"),
        address: form.text("MessagingBinding.Address"),
        proxy_address: form.text("MessagingBinding.ProxyAddress"),
        attributes: form.json_object("Attributes")?,
    };
    let sid = world.add_participant(conversation, new, &by(request))?;
    let shape = Shape::new(world, request);
    shape.participant(conversation, &sid).map(Answer::created).ok_or_else(Refusal::not_found)
}

fn update(world: &mut World, request: &Request, conversation: &Sid, sid: &Sid) -> Result<(), Refusal> {
    let form = &request.form;
    let (index, attributes) = (form.number("LastReadMessageIndex")?, form.json_object("Attributes")?);
    if let Some(index) = index {
        world.set_last_read(conversation, sid, index, &by(request))?;
    }
    if let Some(attributes) = attributes {
        world.change_participant(conversation, sid, &by(request), |one| one.attributes = attributes)?;
    }
    Ok(())
}

fn found(world: &World, request: &Request, conversation: &Sid, sid: &Sid) -> Reply {
    Shape::new(world, request).participant(conversation, sid).map(Answer::ok).ok_or_else(Refusal::not_found)
}
