//! Flex's interactions: the channels that route conversations to agents
//! (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api>).
//!
//! A chat ends here and not at its task or reservation: ending those would leave the conversation open with nobody in it.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::{
    client::{Call, Pages, Product, Twilio, TwilioError},
    wire::{Nothing, or_default},
};
use crate::domain::{
    InteractionChannelSid, InteractionParticipantSid, InteractionSid, ReservationSid, TaskSid, WorkerSid,
};

const PAGE_SIZE: &str = "100";
/// More participants than any channel has.
const MAX_PAGES: usize = 10;

/// What becomes of the agent's reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// The work after the talk goes on.
    Wrapup,
    /// All is done.
    Closed,
}

impl Ending {
    const fn wire(self) -> &'static str {
        match self {
            Self::Wrapup => "wrapup",
            Self::Closed => "closed",
        }
    }
}

/// Somebody in a channel
/// (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api/interaction-channel-participants>).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ChannelParticipant {
    pub sid: InteractionParticipantSid,
    #[serde(default, rename = "type", deserialize_with = "or_default")]
    pub kind: ParticipantKind,
    /// By which task, worker and reservation an agent came in. Twilio's examples have it of agents and not of customers.
    #[serde(default, rename = "routing_properties", deserialize_with = "routing")]
    pub routing: Routing,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantKind {
    Agent,
    Customer,
    Supervisor,
    External,
    #[default]
    #[serde(other)]
    Unknown,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    pub task: Option<TaskSid>,
    pub worker: Option<WorkerSid>,
    pub reservation: Option<ReservationSid>,
}

/// The documents say nothing of its form but by their examples: what is not as there is not told.
fn routing<'de, D: Deserializer<'de>>(from: D) -> Result<Routing, D::Error> {
    fn sid<T: std::str::FromStr>(properties: &Value, name: &str) -> Option<T> {
        properties.get(name)?.as_str()?.parse().ok()
    }
    let properties = Value::deserialize(from)?;
    Ok(Routing {
        task: sid(&properties, "task_sid"),
        worker: sid(&properties, "worker_sid"),
        reservation: sid(&properties, "reservation_sid"),
    })
}

impl ChannelParticipant {
    /// The agent who came in by a reservation: by its sid, or by the worker's where none of the worker's is told. Where
    /// Twilio says of no agent how they came in, it is the only one: the reservation is accepted, so its agent is there.
    /// Among several of whom nothing is told, none can be chosen.
    pub fn of_reservation<'a>(all: &'a [Self], reservation: &ReservationSid, worker: &WorkerSid) -> Option<&'a Self> {
        let agents = || all.iter().filter(|participant| participant.kind == ParticipantKind::Agent);
        let only = |found: Vec<&'a Self>| match *found {
            [only] => Some(only),
            _ => None,
        };
        let by_reservation = || agents().find(|agent| agent.routing.reservation.as_ref() == Some(reservation));
        let without_reservation = || agents().filter(|agent| agent.routing.reservation.is_none());
        let by_worker =
            || only(without_reservation().filter(|agent| agent.routing.worker.as_ref() == Some(worker)).collect());
        let alone = || only(agents().collect()).filter(|agent| agent.routing == Routing::default());
        by_reservation().or_else(by_worker).or_else(alone)
    }
}

impl Twilio {
    /// Closes a channel and its conversation for everybody in it; `ending` is what becomes of the agents' reservations
    /// (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api/interaction-channels#modify-a-channel>).
    ///
    /// # Errors
    /// [`TwilioError`]. Whether a channel that is closed already is a refusal is not documented: read the reservation.
    pub async fn close_channel(
        &self,
        interaction: &InteractionSid,
        channel: &InteractionChannelSid,
        ending: Ending,
    ) -> Result<(), TwilioError> {
        let call = self
            .post(Product::Flex, "update_interaction_channel", &channel_path(interaction, channel))
            .with("Status", "closed")
            .with("Routing", json!({ "status": ending.wire() }).to_string());
        self.done(call).await
    }

    /// Everybody in a channel.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn channel_participants(
        &self,
        interaction: &InteractionSid,
        channel: &InteractionChannelSid,
    ) -> Result<Vec<ChannelParticipant>, TwilioError> {
        let path = [&channel_path(interaction, channel)[..], &["Participants"]].concat();
        let call = self.get(Product::Flex, "list_interaction_channel_participant", &path).with("PageSize", PAGE_SIZE);
        Ok(Pages::new(call, "participants").collect(self, MAX_PAGES).await?.0)
    }

    /// Takes one agent out of a channel; the conversation goes on without
    /// (<https://www.twilio.com/docs/flex/developer/conversations/park-an-interaction>).
    ///
    /// # Errors
    /// As [`Twilio::close_channel`]; who is no agent is refused.
    pub async fn close_participant(
        &self,
        interaction: &InteractionSid,
        channel: &InteractionChannelSid,
        participant: &InteractionParticipantSid,
        ending: Ending,
    ) -> Result<(), TwilioError> {
        let path = [&channel_path(interaction, channel)[..], &["Participants", participant.as_str()]].concat();
        let call = self.post(Product::Flex, "update_interaction_channel_participant", &path);
        self.done(call.with("Status", ending.wire())).await
    }

    async fn done(&self, call: Call) -> Result<(), TwilioError> {
        self.send::<Nothing>(call).await.map(|_| ())
    }
}

fn channel_path<'a>(interaction: &'a InteractionSid, channel: &'a InteractionChannelSid) -> [&'a str; 5] {
    ["v1", "Interactions", interaction.as_str(), "Channels", channel.as_str()]
}

#[cfg(test)]
mod tests;
