//! Who is in a conversation, and how far each has read.

use super::{By, Participant};
use crate::{
    rest::error::Refusal,
    world::{Done, World, sid::Sid, words::ConversationState},
};

/// Twilio allows more; this bounds the memory.
const MAX_PARTICIPANTS: usize = 100;

#[derive(Debug, Default)]
pub(crate) struct NewParticipant {
    pub(crate) identity: Option<String>,
    pub(crate) address: Option<String>,
    pub(crate) proxy_address: Option<String>,
    /// JSON; none: `{}`.
    pub(crate) attributes: Option<String>,
}

impl NewParticipant {
    pub(crate) fn of(identity: &str) -> Self {
        Self { identity: Some(identity.to_owned()), ..Self::default() }
    }
}

impl World {
    pub(crate) fn add_participant(&mut self, conversation: &Sid, new: NewParticipant, by: &By) -> Done<Sid> {
        let row = self.conversation(conversation)?;
        if row.state == ConversationState::Closed {
            return Err(Refusal::invalid("The conversation is closed"));
        }
        if new.identity.is_none() && new.address.is_none() {
            return Err(Refusal::invalid("Either Identity or MessagingBinding.Address must be there"));
        }
        if row.participants.len() >= MAX_PARTICIPANTS {
            return Err(Refusal::invalid("The conversation has too many participants"));
        }
        let same = |one: &&Participant| {
            (one.identity.is_some() && one.identity == new.identity)
                || (one.address.is_some() && one.address == new.address)
        };
        if let Some(there) = row.participants.iter().find(same) {
            let (code, what) =
                if there.identity.is_some() { (50433, "Participant already exists") } else { (50416, ALREADY_BOUND) };
            return Err(Refusal::new(409, code, what));
        }
        let participant = Participant {
            sid: self.make_sid("MB"),
            identity: new.identity,
            address: new.address,
            proxy_address: new.proxy_address,
            attributes: new.attributes.unwrap_or_else(|| "{}".to_owned()),
            last_read: None,
            last_read_at: None,
            muted: false,
            created: self.now,
            updated: self.now,
        };
        let sid = participant.sid.clone();
        self.conversation_mut(conversation)?.participants.push(participant.clone());
        self.tell_participant(conversation, "onParticipantAdded", &participant, by);
        Ok(sid)
    }

    pub(crate) fn remove_participant(&mut self, conversation: &Sid, participant: &Sid, by: &By) -> Done {
        let row = self.conversation_mut(conversation)?;
        let place = row.participants.iter().position(|one| one.sid == *participant).ok_or_else(Refusal::not_found)?;
        let gone = row.participants.remove(place);
        self.tell_participant(conversation, "onParticipantRemoved", &gone, by);
        self.member_is_gone(conversation, participant);
        Ok(())
    }

    /// Moves the read horizon; it cannot be ahead of the latest message.
    pub(crate) fn set_last_read(&mut self, conversation: &Sid, participant: &Sid, index: u64, by: &By) -> Done {
        let last = self.conversation(conversation)?.last_index;
        let now = self.now;
        self.change_participant(conversation, participant, by, |one| {
            one.last_read = last.map(|last| index.min(last));
            one.last_read_at = Some(now);
        })
    }

    pub(crate) fn change_participant(
        &mut self,
        conversation: &Sid,
        participant: &Sid,
        by: &By,
        change: impl FnOnce(&mut Participant),
    ) -> Done {
        let now = self.now;
        let row = self.conversation_mut(conversation)?;
        let one = row.participant_mut(participant).ok_or_else(Refusal::not_found)?;
        change(one);
        one.updated = now;
        let changed = one.clone();
        self.tell_participant(conversation, "onParticipantUpdated", &changed, by);
        Ok(())
    }
}

const ALREADY_BOUND: &str = "A binding for this participant and proxy address already exists";
