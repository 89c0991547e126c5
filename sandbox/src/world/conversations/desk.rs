//! What people do at the Flex desktop: agents and supervisors, in clients of their own.

use super::{By, NewMessage, NewParticipant, identity_of};
use crate::{
    rest::error::Refusal,
    world::{Done, World, sid::Sid, words::ReservationStatus},
};

impl World {
    /// `who`: a worker's sid, name or phone, or the identity of anybody else who takes part.
    pub(crate) fn desk_says(&mut self, conversation: &Sid, who: &str, text: &str) -> Done<Sid> {
        let (_, author) = self.at_the_desk(conversation, who)?;
        let by = By::Sdk(Some(author.clone()));
        self.add_message(conversation, NewMessage { author, body: Some(text.to_owned()), ..NewMessage::default() }, &by)
    }

    /// Reads everything that is there.
    pub(crate) fn desk_reads(&mut self, conversation: &Sid, who: &str) -> Done {
        let (sid, identity) = self.at_the_desk(conversation, who)?;
        let Some(last) = self.conversation(conversation)?.last_index else { return Ok(()) };
        self.set_last_read(conversation, &sid, last, &By::Sdk(Some(identity)))
    }

    pub(crate) fn desk_accepts(&mut self, reservation: &Sid) -> Done {
        self.update_reservation(reservation, ReservationStatus::Accepted, None)
    }

    /// A supervisor looks in: a participant with an identity of its own, who has no task.
    pub(crate) fn supervisor_joins(&mut self, conversation: &Sid, identity: &str) -> Done<Sid> {
        let by = By::Sdk(Some(identity.to_owned()));
        let participant = self.add_participant(conversation, NewParticipant::of(identity), &by)?;
        self.supervisor_is_in(conversation, &participant);
        Ok(participant)
    }

    /// Participant and identity.
    fn at_the_desk(&self, conversation: &Sid, who: &str) -> Done<(Sid, String)> {
        let identity = self.worker_meant(who).map_or_else(|| who.to_owned(), |worker| identity_of(&worker.name));
        let participant = self.conversation(conversation)?.participant(&identity);
        let sid = participant.map(|one| one.sid.clone());
        let sid = sid.ok_or_else(|| Refusal::new(403, 50430, "Participant is not a member of conversation"))?;
        Ok((sid, identity))
    }
}
