//! What chats ask of Twilio: their end, and readings of messages, counts and reservations.

use super::{super::Kit, Closing, close as close_reservation};
use crate::{
    agent::{
        about::InteractionChannel,
        chat::{Count, Line},
        request::{Answer, Found, Offered},
    },
    domain::{ChatIdentity, ConversationSid, ReservationStatus, TaskFacts, Timestamp, WorkerSid},
    twilio::{
        Refusal, TwilioError,
        conversations::Message,
        interactions::{ChannelParticipant, Ending, ParticipantKind},
    },
};

/// Messages that a reading looks at: many more than anybody writes within a minute.
const LATEST: usize = 50;

/// Ends the agent's part in a conversation that Flex routes: the whole channel, or the agent's part alone where another
/// agent is in it, or where the conversation is to stay open.
pub(super) async fn close(
    kit: &Kit,
    offered: &Offered,
    how: Closing,
    at: &InteractionChannel,
    worker: Option<&WorkerSid>,
    leave: bool,
) -> Result<(), TwilioError> {
    let closed = match close_in_channel(kit, offered, how, at, worker, leave).await {
        Err(error) if error.refusal().is_some() => error,
        other => return other,
    };
    // The channel is gone, or closed already: its conversation cannot be orphaned any more, and the reservation may be set.
    let is_gone = closed.refusal() == Some(Refusal::NotFound);
    let is_closed = || async {
        let reservation = kit.twilio.reservation(&offered.task, &offered.reservation).await;
        reservation.is_ok_and(|one| one.status == ReservationStatus::Wrapping)
    };
    if is_gone || (how == Closing::Complete && is_closed().await) {
        return close_reservation(kit, offered, how).await;
    }
    Err(closed)
}

async fn close_in_channel(
    kit: &Kit,
    offered: &Offered,
    how: Closing,
    at @ InteractionChannel { interaction, channel }: &InteractionChannel,
    worker: Option<&WorkerSid>,
    leave: bool,
) -> Result<(), TwilioError> {
    let ending = Ending::from(how);
    let participants = kit.twilio.channel_participants(interaction, channel).await?;
    let agents = agents_in(&participants);
    let own = worker.and_then(|worker| ChannelParticipant::of_reservation(&participants, &offered.reservation, worker));
    match own {
        Some(own) if leave || agents > 1 => {
            kit.twilio.close_participant(interaction, channel, &own.sid, ending).await?;
            if leave {
                return Ok(());
            }
            // Two who leave at the same time have each seen the other: whoever finds nobody left ends it.
            let mut left = kit.twilio.channel_participants(interaction, channel).await?;
            left.retain(|one| one.sid != own.sid);
            if agents_in(&left) > 0 {
                return Ok(());
            }
            match kit.twilio.close_channel(interaction, channel, ending).await {
                Err(error) if error.refusal().is_some() => Ok(()),
                closed => closed,
            }
        }
        None if leave || agents > 0 => without_part(kit, offered, how, at, leave, agents).await,
        _ => kit.twilio.close_channel(interaction, channel, ending).await,
    }
}

fn agents_in(participants: &[ChannelParticipant]) -> usize {
    participants.iter().filter(|one| one.kind == ParticipantKind::Agent).count()
}

/// The channel has no participant that is known to be this agent: whoever wraps up or has transferred has left it already,
/// and must not end what others are in.
async fn without_part(
    kit: &Kit,
    offered: &Offered,
    how: Closing,
    at: &InteractionChannel,
    leave: bool,
    agents: usize,
) -> Result<(), TwilioError> {
    let reservation = kit.twilio.reservation(&offered.task, &offered.reservation).await?;
    match reservation.status {
        ReservationStatus::Accepted if agents == 1 && !leave => {
            kit.twilio.close_channel(&at.interaction, &at.channel, how.into()).await
        }
        ReservationStatus::Accepted if agents > 0 => {
            tracing::error!(reservation = %offered.reservation, "the agent's part in a channel cannot be told from others'");
            Err(TwilioError::Busy)
        }
        _ => close_reservation(kit, offered, how).await,
    }
}

impl From<Closing> for Ending {
    fn from(how: Closing) -> Self {
        match how {
            Closing::Wrapup => Self::Wrapup,
            Closing::Complete => Self::Closed,
        }
    }
}

pub(super) async fn counts(kit: &Kit, identity: &ChatIdentity) -> Result<Answer, TwilioError> {
    let _turn = kit.chat_readings.acquire().await;
    let conversations = kit.twilio.user_conversations(identity).await?;
    let count = |one: crate::twilio::conversations::UserConversation| {
        (one.conversation, Count { unread: one.unread, read: one.last_read })
    };
    Ok(Answer::Counts(conversations.into_iter().map(count).collect()))
}

pub(super) async fn messages(kit: &Kit, conversation: &ConversationSid) -> Result<Answer, TwilioError> {
    let _turn = kit.chat_readings.acquire().await;
    let messages = kit.twilio.latest_messages(conversation, LATEST).await?;
    Ok(Answer::Messages(messages.into_iter().map(line).collect()))
}

fn line(message: Message) -> Line {
    Line {
        message: message.sid,
        index: message.index,
        at: message.date_created.unwrap_or(Timestamp::EPOCH),
        author: message.author,
        text: message.body,
        files: u32::try_from(message.media.len()).unwrap_or(u32::MAX),
    }
}

/// What a worker has on offer or works on, each with what its task is about.
pub(super) async fn reservations(kit: &Kit, worker: &WorkerSid) -> Result<Answer, TwilioError> {
    let _turn = kit.chat_readings.acquire().await;
    let mut found = Vec::new();
    for status in [ReservationStatus::Pending, ReservationStatus::Accepted] {
        for one in kit.twilio.reservations(worker, Some(status)).await? {
            let task = kit.twilio.task(&one.task_sid).await?;
            let facts = TaskFacts {
                sid: one.task_sid.clone(),
                channel: task.channel,
                workflow: None,
                attributes: task.attributes,
            };
            found.push(Found {
                offered: Offered { reservation: one.sid, task: one.task_sid },
                status: one.status,
                changed_at: one.date_updated,
                task: facts,
            });
        }
    }
    Ok(Answer::Reservations(found))
}
