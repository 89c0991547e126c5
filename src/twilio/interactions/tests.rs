//! What is sent, how what comes back is read, and who of a channel is the agent.

use super::*;
use crate::twilio::testing::{Fake, RESERVATION, Reply, TASK, WORKER, page, parts, sid};

const INTERACTION: &str = "KD0123456789abcdef0123456789abcdef";
const CHANNEL: &str = "UO0123456789abcdef0123456789abcdef";
const PARTICIPANT: &str = "UT0123456789abcdef0123456789abcdef";
const OTHER_RESERVATION: &str = "WRffffffffffffffffffffffffffffffff";
const OTHER_WORKER: &str = "WKffffffffffffffffffffffffffffffff";

fn pairs<const N: usize>(fields: [(&str, &str); N]) -> [(String, String); N] {
    fields.map(|(name, value)| (name.to_owned(), value.to_owned()))
}

#[tokio::test]
async fn a_channel_is_closed_to_wrap_up_or_for_good() {
    let fake = Fake::replying([Reply::ok("{}")]).await;
    let (twilio, interaction, channel) = (fake.client(), sid(INTERACTION), sid(CHANNEL));
    twilio.close_channel(&interaction, &channel, Ending::Wrapup).await.unwrap();
    twilio.close_channel(&interaction, &channel, Ending::Closed).await.unwrap();
    for (request, routing) in fake.requests().iter().zip([r#"{"status":"wrapup"}"#, r#"{"status":"closed"}"#]) {
        let (line, form) = parts(request);
        assert_eq!(line, format!("POST /v1/Interactions/{INTERACTION}/Channels/{CHANNEL}"));
        assert_eq!(form, pairs([("Status", "closed"), ("Routing", routing)]));
    }
}

#[tokio::test]
async fn an_agent_is_taken_out_of_a_channel() {
    let fake = Fake::replying([Reply::ok("{}")]).await;
    let (twilio, interaction, channel, participant) = (fake.client(), sid(INTERACTION), sid(CHANNEL), sid(PARTICIPANT));
    twilio.close_participant(&interaction, &channel, &participant, Ending::Wrapup).await.unwrap();
    twilio.close_participant(&interaction, &channel, &participant, Ending::Closed).await.unwrap();
    for (request, status) in fake.requests().iter().zip(["wrapup", "closed"]) {
        let (line, form) = parts(request);
        assert_eq!(line, format!("POST /v1/Interactions/{INTERACTION}/Channels/{CHANNEL}/Participants/{PARTICIPANT}"));
        assert_eq!(form, pairs([("Status", status)]));
    }
}

#[tokio::test]
async fn a_channels_participants_are_told_with_how_they_came_in() {
    let routing = json!({ "task_sid": TASK, "worker_sid": WORKER, "reservation_sid": RESERVATION });
    let participant = |kind: Value, routing: Value| json!({ "sid": PARTICIPANT, "type": kind, "routing_properties": routing, "interaction_sid": INTERACTION });
    let told = vec![
        participant(json!("customer"), Value::Null),
        participant(json!("agent"), routing),
        participant(json!("supervisor"), json!({ "worker_sid": "nonsense", "task_sid": 7 })),
        participant(json!("invented"), json!("text")),
        json!({ "sid": PARTICIPANT, "type": null }),
    ];
    let fake = Fake::replying([page("participants", told, None)]).await;
    let found = fake.client().channel_participants(&sid(INTERACTION), &sid(CHANNEL)).await.unwrap();
    let kinds: Vec<_> = found.iter().map(|participant| participant.kind).collect();
    assert_eq!(
        kinds,
        [
            ParticipantKind::Customer,
            ParticipantKind::Agent,
            ParticipantKind::Supervisor,
            ParticipantKind::Unknown,
            ParticipantKind::Unknown
        ]
    );
    let agents = Routing { task: Some(sid(TASK)), worker: Some(sid(WORKER)), reservation: Some(sid(RESERVATION)) };
    let nothing = Routing::default();
    assert!(found.iter().map(|participant| &participant.routing).eq([&nothing, &agents, &nothing, &nothing, &nothing]));
    let line = parts(&fake.requests()[0]).0;
    assert_eq!(line, format!("GET /v1/Interactions/{INTERACTION}/Channels/{CHANNEL}/Participants?PageSize=100"));
}

/// Somebody in a channel, numbered, with the worker and the reservation that Twilio tells.
fn somebody(number: u8, kind: ParticipantKind, worker: Option<&str>, reservation: Option<&str>) -> ChannelParticipant {
    let routing = Routing { task: None, worker: worker.map(sid), reservation: reservation.map(sid) };
    ChannelParticipant { sid: sid(&format!("UT{number:032}")), kind, routing }
}

#[test]
fn an_agent_is_known_by_the_reservation_then_by_the_worker_and_last_by_being_alone() {
    use ParticipantKind::{Agent, Customer, Supervisor};
    let customer = || somebody(9, Customer, None, None);
    for (channel, expected) in [
        (vec![], None),
        (vec![customer()], None),
        (vec![customer(), somebody(1, Agent, None, None)], Some(1)),
        (vec![somebody(1, Agent, None, None), somebody(2, Agent, None, None)], None),
        (vec![somebody(1, Agent, None, None), somebody(2, Agent, Some(WORKER), Some(RESERVATION))], Some(2)),
        (vec![somebody(1, Agent, Some(WORKER), None), somebody(2, Agent, None, Some(RESERVATION))], Some(2)),
        (vec![somebody(1, Agent, Some(OTHER_WORKER), None), somebody(2, Agent, Some(WORKER), None)], Some(2)),
        (vec![somebody(1, Agent, Some(WORKER), None), somebody(2, Agent, Some(WORKER), None)], None),
        // The same worker by an earlier reservation, another's, and who only listens.
        (vec![somebody(1, Agent, Some(WORKER), Some(OTHER_RESERVATION))], None),
        (vec![somebody(1, Agent, Some(OTHER_WORKER), Some(OTHER_RESERVATION))], None),
        (vec![somebody(1, Agent, Some(OTHER_WORKER), None)], None),
        (vec![somebody(1, Supervisor, Some(WORKER), Some(RESERVATION))], None),
    ] {
        let found = ChannelParticipant::of_reservation(&channel, &sid(RESERVATION), &sid(WORKER));
        let expected = expected.map(|number: u8| format!("UT{number:032}"));
        assert_eq!(found.map(|agent| agent.sid.to_string()), expected, "{channel:#?}");
    }
}
