//! Chats: what is written in them, read, and how they end.

use std::time::Duration;

use super::{
    conversations::{CUSTOMER, identity},
    twilio::{BREAK, DESK, LUNCH, MOBILE, OFFLINE, sid},
    world::{World, close},
};
use crate::agent::{
    chat::Line,
    command::{Command, Denial},
    request::{Closing, Request},
    view::Progress,
};
use crate::domain::{
    ConversationSid, Event, MessageSid, News, ParticipantChange, ReservationSid,
    ReservationStatus::{Accepted, Completed, Wrapping},
    Timestamp,
};

pub(super) fn accepts(request: &Request) -> bool {
    matches!(request, Request::Accept(_))
}

/// The latest reservation of a chat.
pub(super) fn offer(world: &World, chat: usize) -> ReservationSid {
    world.twilio.reservations.iter().rev().find(|one| one.task == chat).unwrap().sid.clone()
}

fn conversation(chat: usize) -> ConversationSid {
    sid("CH", chat)
}

pub(super) fn accept(world: &mut World, chat: usize) -> Result<(), Denial> {
    let offer = offer(world, chat);
    world.tap(Command::Accept(offer))
}

fn finish(world: &mut World, chat: usize, how: Closing) -> Result<(), Denial> {
    let task = offer(world, chat);
    world.tap(Command::Finish { task, how })
}

pub(super) fn progress(world: &World, chat: usize) -> Progress {
    world.agent.progress(&offer(world, chat)).unwrap()
}

/// An agent in a chat with a customer.
fn chatting() -> (World, usize) {
    let mut world = World::new();
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    world.secs(2);
    assert_eq!(progress(&world, chat), Progress::Accepted);
    (world, chat)
}

pub(super) fn offers_shown(world: &World) -> usize {
    world.pushed.iter().filter(|(_, one)| matches!(one.news, News::TaskOffered { .. })).count()
}

fn messages_told(world: &World) -> usize {
    world.pushed.iter().filter(|(_, one)| matches!(one.news, News::Message { .. })).count()
}

#[test]
fn messages_count_once_whatever_the_mail_does() {
    for twice in [false, true] {
        let (mut world, chat) = chatting();
        world.weather.twice = twice;
        for _ in 0..3 {
            world.writes(chat, CUSTOMER);
        }
        assert_eq!((world.agent.unread(), messages_told(&world)), (3, 3));
        assert_eq!(world.pushed.last().map(|(_, one)| one.unread), Some(3));
        world.restart();
        assert_eq!(world.agent.unread(), 3);
    }
}

#[test]
fn reading_here_moves_the_horizon_there_and_the_other_way_round() {
    let (mut world, chat) = chatting();
    world.writes(chat, CUSTOMER);
    let index = world.writes(chat, CUSTOMER);
    world.tap(Command::Read { conversation: conversation(chat), index }).unwrap();
    assert_eq!((world.agent.unread(), world.twilio.conversations[&chat].read), (0, Some(index)));
    let index = world.writes(chat, CUSTOMER);
    assert_eq!(world.agent.unread(), 1);
    world.twilio.reads(chat, index);
    world.secs(1);
    assert_eq!(world.agent.unread(), 0);
    let nobodys = world.tap(Command::Read { conversation: conversation(999), index });
    assert_eq!(nobodys, Err(Denial::NotFound));
}

#[test]
fn a_conversation_that_is_looked_at_has_nothing_unread() {
    let (mut world, chat) = chatting();
    world.writes(chat, CUSTOMER);
    world.tap(Command::Show { viewer: 1, conversation: Some(conversation(chat)) }).unwrap();
    assert_eq!(world.agent.unread(), 0);
    let told = messages_told(&world);
    let index = world.writes(chat, CUSTOMER);
    assert_eq!((world.agent.unread(), messages_told(&world)), (0, told));
    assert_eq!(world.twilio.conversations[&chat].read, Some(index));
    world.tap(Command::Show { viewer: 1, conversation: None }).unwrap();
    world.writes(chat, CUSTOMER);
    assert_eq!((world.agent.unread(), messages_told(&world)), (1, told + 1));
}

#[test]
fn what_the_agent_writes_is_no_news_and_reads_what_is_above() {
    let (mut world, chat) = chatting();
    world.writes(chat, CUSTOMER);
    world.writes(chat, identity().as_str());
    assert_eq!(world.agent.unread(), 0);
    // Written by us: the webhook is an echo.
    world.writes(chat, CUSTOMER);
    world.withhold(|event| matches!(event, Event::Message(_)));
    let index = world.writes(chat, identity().as_str());
    let message: MessageSid = world.twilio.conversations[&chat].messages.last().unwrap().message.clone();
    let author = identity().to_string();
    let line = Line { message, index, at: world.now, author, text: "yes".into(), files: 0 };
    world.tap(Command::Wrote { conversation: conversation(chat), line }).unwrap();
    assert_eq!((world.agent.unread(), world.twilio.conversations[&chat].read), (0, Some(index)));
    let told = messages_told(&world);
    let echo = world.mail();
    world.deliver(echo);
    assert_eq!((world.agent.unread(), messages_told(&world)), (0, told));
}

#[test]
fn a_message_that_comes_while_the_agent_writes_is_not_taken_for_read() {
    let (mut world, chat) = chatting();
    world.writes(chat, CUSTOMER);
    world.withhold(|event| matches!(event, Event::Message(_)));
    world.writes(chat, CUSTOMER);
    let index = world.writes(chat, identity().as_str());
    let message: MessageSid = world.twilio.conversations[&chat].messages.last().unwrap().message.clone();
    let author = identity().to_string();
    let line = Line { message, index, at: world.now, author, text: "yes".into(), files: 0 };
    world.tap(Command::Wrote { conversation: conversation(chat), line }).unwrap();
    assert_eq!(world.agent.unread(), 0);
    let late = world.mail();
    world.deliver(late);
    assert_eq!(world.agent.unread(), 1);
}

#[test]
fn a_lost_message_is_found_within_a_minute() {
    let (mut world, chat) = chatting();
    let first = world.writes(chat, CUSTOMER);
    world.tap(Command::Read { conversation: conversation(chat), index: first }).unwrap();
    world.lose(|event| matches!(event, Event::Message(_)));
    world.writes(chat, CUSTOMER);
    world.writes(chat, CUSTOMER);
    assert_eq!(world.agent.unread(), 0);
    world.secs(60);
    assert_eq!((world.agent.unread(), world.twilio.unread(chat)), (2, 2));
    assert_eq!(messages_told(&world), 2, "one for the first, one for both that were found");
}

#[test]
fn messages_are_told_on_a_break_and_not_at_the_desk_and_offers_only_on_mobile() {
    for (activity, told) in [(MOBILE, 1), (BREAK, 1), (OFFLINE, 1), (LUNCH, 1), (DESK, 0)] {
        let (mut world, chat) = chatting();
        world.twilio.capacity = 3;
        world.desk_picks(activity);
        world.writes(chat, CUSTOMER);
        assert_eq!((world.agent.unread(), messages_told(&world)), (1, told), "{activity}");
        world.pushed.clear();
        world.customer_writes();
        world.secs(30);
        assert_eq!(offers_shown(&world) > 0, activity == MOBILE, "{activity}");
    }
}

#[test]
fn a_chat_of_flex_is_ended_by_its_channel_and_a_plain_one_by_its_reservation() {
    for plain in [false, true] {
        let mut world = World::new();
        let chat = world.twilio.new_chat(plain);
        world.secs(1);
        assert_eq!(finish(&mut world, chat, Closing::Complete), Err(Denial::NotAccepted));
        accept(&mut world, chat).unwrap();
        world.secs(2);
        finish(&mut world, chat, Closing::Wrapup).unwrap();
        assert_eq!(world.status(chat), Wrapping);
        finish(&mut world, chat, Closing::Complete).unwrap();
        assert_eq!((world.status(chat), world.twilio.violations.len()), (Completed, 0), "plain: {plain}");
        assert_eq!(finish(&mut world, chat, Closing::Complete), Ok(()));
        assert_eq!(world.count(close), 2);
        assert!(world.agent.conversations().next().is_none());
    }
}

#[test]
fn the_end_of_a_chat_is_insisted_on_however_long_twilio_is_away() {
    let (mut world, chat) = chatting();
    world.weather.down_until = Some(world.now + Duration::from_secs(3600));
    finish(&mut world, chat, Closing::Complete).unwrap();
    world.secs(1800).restart().secs(1900);
    assert_eq!(world.status(chat), Completed);
}

#[test]
fn a_chat_that_began_without_us_is_found_by_its_first_message() {
    let mut world = World::new();
    world.profile.worker_sid = Some(super::twilio::worker());
    world.agent = crate::agent::Agent::new(&world.profile);
    world.lose(|event| matches!(event, Event::Reservation(_) | Event::Participant(_)));
    let chat = world.customer_writes();
    world.at_desk(chat, Accepted);
    world.secs(30);
    assert_eq!(world.agent.unread(), 0);
    world.writes(chat, CUSTOMER);
    assert_eq!((world.agent.unread(), messages_told(&world)), (1, 1));
}

#[test]
fn a_supervisor_who_listens_is_left_alone() {
    let mut world = World::new();
    world.profile.worker_sid = Some(super::twilio::worker());
    world.agent = crate::agent::Agent::new(&world.profile);
    world.twilio.capacity = 0;
    let chat = world.customer_writes();
    world.twilio.enter(chat);
    for _ in 0..3 {
        world.writes(chat, CUSTOMER);
    }
    assert_eq!((world.agent.unread(), messages_told(&world)), (0, 0));
    assert!(world.agent.is_idle());
}

#[test]
fn whoever_leaves_a_conversation_hears_no_more_of_it() {
    let (mut world, chat) = chatting();
    world.writes(chat, CUSTOMER);
    world.twilio.tell_participant(chat, ParticipantChange::Removed);
    world.secs(1);
    assert_eq!(world.agent.unread(), 0);
    assert!(!world.agent.is_in(&conversation(chat)));
}

#[test]
fn an_activity_that_the_agent_did_not_ask_for_is_told() {
    for (activity, told) in [(BREAK, 1), (OFFLINE, 1), (LUNCH, 1), (DESK, 0)] {
        let mut world = World::new();
        world.customer_calls();
        world.desk_picks(activity);
        let tells = |(_, one): &&(Timestamp, crate::domain::Notification)| matches!(one.news, News::Activity { .. });
        assert_eq!(world.pushed.iter().filter(tells).count(), told, "{activity}");
    }
    let (mut world, _) = chatting();
    world.tap(Command::SetActivity(BREAK.into())).unwrap();
    world.secs(1);
    assert_eq!(world.twilio.activity, BREAK);
    assert!(!world.pushed.iter().any(|(_, one)| matches!(one.news, News::Activity { .. })));
    assert_eq!(world.tap(Command::SetActivity(DESK.into())), Err(Denial::NotAChoice));
}

#[test]
fn an_activity_that_somebody_else_overrules_is_not_waited_for() {
    let (mut world, _) = chatting();
    world.weather.down_until = Some(world.now + Duration::from_secs(30));
    world.tap(Command::SetActivity(BREAK.into())).unwrap();
    assert!(world.agent.is_changing_activity());
    world.desk_picks(OFFLINE);
    assert!(!world.agent.is_changing_activity());
    world.secs(60);
    assert_eq!(world.twilio.activity, OFFLINE);
}
