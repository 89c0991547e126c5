//! What those who look on are told; that it is all is the mirror's to check, in every test.

use super::{
    chats::{accept, offer},
    conversations::CUSTOMER,
    mirror::Mirror,
    world::{NOON, World},
};
use crate::agent::{
    Agent,
    changes::{Change, HowClosed},
    chat::Line,
    command::Command,
    request::Closing,
    view::Progress,
};
use crate::domain::{Place, ReservationStatus, Timestamp};

/// The changes since the last time, in short.
fn told(world: &mut World) -> Vec<String> {
    let changes = world.mirror.as_ref().map_or(&[][..], Mirror::changes);
    let told = changes.iter().map(|change| match change {
        Change::TaskOffered(_) => "offered".to_owned(),
        Change::TaskUpdated(task) => format!("{:?}", task.progress),
        Change::TaskClosed(_, how) => format!("closed {how:?}"),
        Change::Message(said) => format!("message {}", if said.mine { "of mine" } else { "of the customer" }),
        Change::Unread { unread, total, .. } => format!("unread {unread} of {total}"),
        Change::Call(call) => format!("call {:?}", call.as_ref().map(|call| call.stage)),
        Change::Activity { name, .. } => format!("activity {name:?}"),
    });
    let told = told.collect();
    world.mirror = Some(Mirror::of(&world.agent));
    told
}

fn line(world: &World, chat: usize, index: u64) -> Command {
    let conversation = super::twilio::sid("CH", chat);
    let message = format!("IM{index:032x}").parse().unwrap();
    let (author, text) = (super::conversations::identity().to_string(), "hello".to_owned());
    Command::Wrote { conversation, line: Line { message, index, at: world.now, author, text, files: 0 } }
}

#[test]
fn a_chat_from_its_offer_to_its_end() {
    let mut world = World::new();
    world.mirror = Some(Mirror::of(&world.agent));
    let chat = world.customer_writes();
    assert_eq!(told(&mut world), ["offered", "activity Some(\"Available on Mobile\")"]);
    accept(&mut world, chat).unwrap();
    world.secs(2);
    assert_eq!(told(&mut world).last().unwrap(), &format!("{:?}", Progress::Accepted));
    world.writes(chat, CUSTOMER);
    assert_eq!(told(&mut world), ["message of the customer", "unread 1 of 1"]);
    let index = world.agent.tasks()[0].last.as_ref().unwrap().index + 1;
    world.tap(line(&world, chat, index)).unwrap();
    assert_eq!(told(&mut world), ["message of mine", "unread 0 of 0"]);
    world.tap(Command::Finish { task: offer(&world, chat), how: Closing::Complete }).unwrap();
    world.secs(5);
    assert_eq!(told(&mut world).last().unwrap(), "closed Completed");
}

#[test]
fn an_offer_says_how_it_ended() {
    let mut world = World::new();
    world.mirror = Some(Mirror::of(&world.agent));
    let chat = world.customer_writes();
    world.tap(Command::Decline(offer(&world, chat))).unwrap();
    assert!(told(&mut world).contains(&format!("closed {:?}", HowClosed::Declined)));
    let mut world = World::new();
    world.mirror = Some(Mirror::of(&world.agent));
    world.customer_writes();
    world.secs(200);
    assert!(told(&mut world).contains(&format!("closed {:?}", HowClosed::Missed)));
}

#[test]
fn what_is_open_in_an_app_is_told_of_and_not_unread() {
    let mut world = World::new();
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    world.secs(2);
    told(&mut world);
    let conversation = Some(super::twilio::sid("CH", chat));
    world.tap(Command::Show { viewer: 7, conversation }).unwrap();
    world.writes(chat, CUSTOMER);
    assert_eq!((told(&mut world), world.agent.unread()), (vec!["message of the customer".to_owned()], 0));
    world.agent.keep_viewers(|viewer| viewer != 7);
    world.writes(chat, CUSTOMER);
    assert_eq!(told(&mut world), ["message of the customer", "unread 1 of 1"]);
}

#[test]
fn each_life_of_the_stream_begins_beyond_all_before() {
    let mut agent = Agent::new(&super::world::profile());
    let mut last = agent.begin_stream(NOON);
    for now in [NOON, NOON, Timestamp::from_millis(1_000), Timestamp::from_millis(NOON.as_millis() + 900_000)] {
        let next = agent.begin_stream(now);
        assert!(next >= last + (1 << 21), "{next} follows {last}");
        last = next;
    }
    // As a number of JSON: RFC 8259 §6.
    assert!(agent.begin_stream(Timestamp::from_millis(4_102_444_800_000)) < 1 << 53, "in the year 2100");
}

#[test]
fn how_long_a_task_was_worked_on_is_told_once_and_where_it_was_taken() {
    let mut world = World::new();
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    world.secs(60);
    world.tap(Command::Finish { task: offer(&world, chat), how: Closing::Wrapup }).unwrap();
    world.secs(5);
    world.restart();
    world.secs(1);
    world.tap(Command::Finish { task: offer(&world, chat), how: Closing::Complete }).unwrap();
    world.secs(30);
    let [task] = &world.handled[..] else { panic!("{:?}", world.handled) };
    assert_eq!((task.place, &*task.channel), (Place::Mobile, "chat"));
    let (talk, wrap) = (task.wrapped.since(task.accepted).as_secs(), task.completed.since(task.wrapped).as_secs());
    assert!((59..=60).contains(&talk) && (5..=7).contains(&wrap), "{talk} and {wrap} seconds");
    let at_desk = world.customer_writes();
    world.at_desk(at_desk, ReservationStatus::Accepted);
    world.secs(10);
    world.at_desk(at_desk, ReservationStatus::Completed);
    assert_eq!(world.handled.last().map(|task| task.place), Some(Place::Desktop));
    assert_eq!(world.handled.len(), 2);
}
