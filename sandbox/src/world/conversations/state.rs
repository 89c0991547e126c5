//! A conversation's way from `active` to `closed`
//! (<https://www.twilio.com/docs/conversations/states-timers>).

use super::By;
use crate::{
    rest::error::Refusal,
    world::{Done, World, sid::Sid, words::ConversationState},
};

/// `Reason` of a change of state.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StateReason {
    Api,
    Timer,
    Event,
}

impl StateReason {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::Timer => "TIMER",
            Self::Event => "EVENT",
        }
    }
}

impl World {
    /// Sets the state, as REST, a timer or the customer's client does; Flex follows. Nothing leaves `closed`.
    pub(crate) fn set_conversation_state(
        &mut self,
        sid: &Sid,
        to: ConversationState,
        reason: StateReason,
        by: &By,
    ) -> Done {
        let from = self.conversation(sid)?.state;
        if from == ConversationState::Closed && to != from {
            return Err(Refusal::invalid("The conversation is closed"));
        }
        self.change_conversation_state(sid, to, reason, by);
        if to == ConversationState::Closed {
            self.channel_follows(sid);
        }
        Ok(())
    }

    pub(in crate::world) fn change_conversation_state(
        &mut self,
        sid: &Sid,
        to: ConversationState,
        reason: StateReason,
        by: &By,
    ) {
        let now = self.now;
        let Some(row) = self.conversations.get_mut(sid).filter(|row| row.state != to) else { return };
        let from = std::mem::replace(&mut row.state, to);
        row.updated = now;
        self.tell_state(sid, from, reason, by);
    }

    /// `Attributes` and `FriendlyName`, as REST sets them.
    pub(crate) fn update_conversation(
        &mut self,
        sid: &Sid,
        attributes: Option<String>,
        friendly_name: Option<String>,
        by: &By,
    ) -> Done {
        let now = self.now;
        let row = self.conversation_mut(sid)?;
        if attributes.is_none() && friendly_name.is_none() {
            return Ok(());
        }
        row.updated = now;
        if let Some(attributes) = attributes {
            row.attributes = attributes;
        }
        row.friendly_name = friendly_name.or_else(|| row.friendly_name.take());
        self.tell_conversation(sid, "onConversationUpdated", by);
        Ok(())
    }
}
