//! Conversations in memory: agents with ten chats each, and the books of who is in which. How many bytes is one, and how
//! many on disk?

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

mod support;

use std::process::ExitCode;
use std::time::Duration;

use mimalloc::MiMalloc;
use offdesk::{
    actors::Conversations,
    agent::{
        Agent, Context, Effect, Input, Policy,
        request::{Answer, Request},
    },
    domain::{
        AgentId, Event, MessageEvent, Profile, ReservationEvent, ReservationEventKind, Role, TaskFacts, Timestamp,
    },
};
use support::{figures::Targets, process, sid};

/// The daemon's own, so that bytes are what they are there.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const NOON: Timestamp = Timestamp::from_millis(1_760_000_000_000);
const AGENTS: usize = 2_000;
const CHATS: usize = 10;
/// What the customer has written, and the agent has not read.
const MESSAGES: u64 = 3;
const MAX_BYTES: f64 = 1_000.0;

fn main() -> ExitCode {
    let policy = Policy::default();
    let context =
        Context { now: NOON, policy: &policy, reservation_timeout: Duration::from_secs(120), unavailable: &[] };
    let books = Conversations::default();
    let before = process::own_resident();
    let mut agents: Vec<_> = (0..AGENTS).map(agent).collect();
    let idle = process::own_resident();
    for (number, agent) in agents.iter_mut().enumerate() {
        for chat in number * CHATS..(number + 1) * CHATS {
            for event in events(number, chat) {
                let effects = agent.handle(Input::Event(&event), &context);
                answer(agent, effects, &context);
            }
        }
        // As the shell does at every turn: a copy takes no more room than it needs.
        *agent = agent.clone();
        books.follow(agent.id, std::iter::empty(), agent.conversations());
    }
    let busy = process::own_resident();
    let each = |bytes: u64, count: usize| bytes as f64 / count as f64;
    let record = serde_json::to_vec(&agents[0]).unwrap().len();
    let in_memory = each(busy - idle, AGENTS * CHATS);
    println!(
        "{} conversations of {AGENTS} agents: {in_memory:.0} bytes each in memory, and {:.0} an agent without any; an \
         agent's record with {CHATS} of them has {record} bytes",
        AGENTS * CHATS,
        each(idle - before, AGENTS),
    );
    let mut targets = Targets::default();
    targets.at_most("a conversation in memory, in bytes", in_memory, MAX_BYTES);
    targets.exit_code()
}

/// Twilio answers the readings: there is nothing that the webhooks have not brought.
fn answer(agent: &mut Agent, effects: Vec<Effect>, context: &Context<'_>) {
    for effect in effects {
        if let Effect::Rest { ticket, request: Request::ReadMessages(_) } = effect {
            let result = Ok(Answer::Messages(Vec::new()));
            drop(agent.handle(Input::Answer { ticket, result }, context));
        }
    }
}

fn agent(number: usize) -> Agent {
    Agent::new(&Profile {
        id: AgentId::from_bits(number as u64),
        phone: format!("+1555{number:07}").parse().unwrap(),
        name: "Ada Okafor".into(),
        email: None,
        roles: [Role::Agent].into(),
        department: None,
        worker_sid: Some(sid("WK", number).parse().unwrap()),
        worker_name: format!("user-+1555{number:07}"),
        ring_plan: None,
        sip_username: None,
        sip_secret: None,
        can_manage_agents: false,
        disabled: false,
        created_at: NOON,
    })
}

/// A chat is offered and accepted, and its customer writes.
fn events(agent: usize, chat: usize) -> Vec<Event> {
    let attributes = format!(
        r#"{{"flexInteractionSid":"{}","flexInteractionChannelSid":"{}","conversationSid":"{}","channelType":"whatsapp",
            "customerName":"Maria Lindqvist","customerAddress":"whatsapp:+15550123","from":"whatsapp:+15550123"}}"#,
        sid("KD", chat),
        sid("UO", chat),
        sid("CH", chat),
    );
    let reservation = |version: u64, kind| {
        Event::Reservation(ReservationEvent {
            sid: sid("EV", chat * 10 + usize::try_from(version).unwrap()).parse().unwrap(),
            kind,
            reservation: sid("WR", chat).parse().unwrap(),
            version: Some(version),
            at: NOON,
            worker: sid("WK", agent).parse().unwrap(),
            worker_name: format!("user-+1555{agent:07}"),
            activity: Some("Available on Mobile".into()),
            task: TaskFacts {
                sid: sid("WT", chat).parse().unwrap(),
                channel: "chat".into(),
                workflow: None,
                attributes: attributes.clone(),
            },
        })
    };
    let message = |index: u64| {
        Event::Message(MessageEvent {
            conversation: sid("CH", chat).parse().unwrap(),
            message: sid("IM", chat * 10 + usize::try_from(index).unwrap()).parse().unwrap(),
            index,
            author: "whatsapp:+15550123".into(),
            participant: None,
            body: "Hello, I would like to know where my parcel has got to.".into(),
            media: Vec::new(),
            at: NOON + Duration::from_secs(1),
        })
    };
    let mut events =
        vec![reservation(0, ReservationEventKind::Created), reservation(1, ReservationEventKind::Accepted)];
    events.extend((0..MESSAGES).map(message));
    events
}
