//! Chats: offered, taken, answered, read and ended.

use std::time::Duration;

use super::{
    conversations::{CUSTOMER, identity},
    twilio::{BREAK, DESK, MOBILE, OFFLINE, sid},
    world::{Fate, World, close, reject},
};
use crate::agent::{
    Notice,
    chat::Line,
    command::{Command, Denial},
    offer::{Kind, Reservation},
    request::{Closing, Found, Offered, Refusal, Request},
    view::Progress,
};
use crate::domain::{
    Closed, ConversationSid, Event, MessageSid, News, ParticipantChange, ReservationSid,
    ReservationStatus::{self, Accepted, Canceled, Completed, Pending, Rejected, Wrapping},
    TaskFacts, Timestamp,
};

fn accepts(request: &Request) -> bool {
    matches!(request, Request::Accept(_))
}

/// The latest reservation of a chat.
fn offer(world: &World, chat: usize) -> ReservationSid {
    world.twilio.reservations.iter().rev().find(|one| one.task == chat).unwrap().sid.clone()
}

fn conversation(chat: usize) -> ConversationSid {
    sid("CH", chat)
}

fn accept(world: &mut World, chat: usize) -> Result<(), Denial> {
    let offer = offer(world, chat);
    world.tap(Command::Accept(offer))
}

fn finish(world: &mut World, chat: usize, how: Closing) -> Result<(), Denial> {
    let task = offer(world, chat);
    world.tap(Command::Finish { task, how })
}

fn progress(world: &World, chat: usize) -> Progress {
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

fn offers_shown(world: &World) -> usize {
    world.pushed.iter().filter(|(_, one)| matches!(one.news, News::TaskOffered { .. })).count()
}

fn messages_told(world: &World) -> usize {
    world.pushed.iter().filter(|(_, one)| matches!(one.news, News::Message { .. })).count()
}

fn withdrawn(world: &World) -> Vec<Closed> {
    let closed = |news: &News| if let News::TaskClosed { why, .. } = news { Some(*why) } else { None };
    world.pushed.iter().filter_map(|(_, one)| closed(&one.news)).collect()
}

#[test]
fn an_offer_is_shown_until_it_is_answered_and_then_withdrawn() {
    let mut world = World::new();
    let chat = world.customer_writes();
    assert_eq!(offers_shown(&world), 1);
    world.secs(25);
    assert_eq!(offers_shown(&world), 3);
    let News::TaskOffered { customer, channel, .. } = &world.pushed[0].1.news else { panic!() };
    assert_eq!((customer.name.as_deref(), channel.as_str()), (Some(CUSTOMER), "chat"));
    accept(&mut world, chat).unwrap();
    assert_eq!((progress(&world, chat), withdrawn(&world)), (Progress::Connecting, vec![Closed::Accepted]));
    world.secs(60);
    assert_eq!((progress(&world, chat), world.status(chat)), (Progress::Accepted, Accepted));
    assert_eq!((offers_shown(&world), withdrawn(&world).len(), world.agent.unread()), (3, 1, 0));
}

#[test]
fn of_two_who_accept_one_comes_too_late() {
    let mut world = World::new();
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    assert_eq!(accept(&mut world, chat), Err(Denial::Taken));
    world.secs(5);
    assert_eq!(accept(&mut world, chat), Err(Denial::Taken));
    assert_eq!(world.count(accepts), 1);
}

#[test]
fn an_offer_that_nobody_answers_is_given_back_three_seconds_before_its_end() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    let chat = world.customer_writes();
    world.pass(Duration::from_millis(56_900));
    assert_eq!((world.status(chat), world.count(reject)), (Pending, 0));
    world.secs(1);
    assert_eq!((world.status(chat), world.told(&Notice::OfferMissed)), (Rejected, 1));
    assert_eq!(withdrawn(&world), [Closed::Missed]);
    assert!(world.is_on_mobile());
    assert_eq!(accept(&mut world, chat), Err(Denial::NotPending));
}

#[test]
fn whoever_misses_a_chat_twice_goes_offline_before_it_comes_a_third_time() {
    let mut world = World::new();
    let chat = world.customer_writes();
    world.secs(130);
    assert_eq!((world.assignments(chat), world.twilio.activity), (2, OFFLINE));
    assert_eq!((world.told(&Notice::OfferMissed), world.told(&Notice::WentOffline)), (2, 1));
    let offline = |news: &News| matches!(news, News::Activity { name, .. } if name == OFFLINE);
    assert_eq!(world.pushed.iter().filter(|(_, one)| offline(&one.news)).count(), 1);
    let timeouts = world.twilio.reservations.iter().filter(|one| one.status == ReservationStatus::Timeout).count();
    assert_eq!(timeouts, 0);
}

#[test]
fn a_declined_chat_goes_to_the_next_and_is_no_miss() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    let chat = world.customer_writes();
    let task = offer(&world, chat);
    world.tap(Command::Decline(task.clone())).unwrap();
    assert_eq!((world.status(chat), withdrawn(&world)), (Rejected, vec![Closed::Declined]));
    assert_eq!(world.tap(Command::Decline(task)), Ok(()));
    assert_eq!(accept(&mut world, chat), Err(Denial::NotPending));
    assert_eq!(world.told(&Notice::OfferMissed), 0);
}

#[test]
fn a_chat_taken_at_the_desk_or_taken_back_is_withdrawn() {
    for (status, why, denial) in [
        (Accepted, Closed::Accepted, Denial::Taken),
        (ReservationStatus::Rescinded, Closed::Gone, Denial::Gone),
        (Canceled, Closed::Gone, Denial::Gone),
    ] {
        let mut world = World::new();
        let chat = world.customer_writes();
        let task = offer(&world, chat);
        world.at_desk(chat, status);
        assert_eq!(withdrawn(&world), [why]);
        assert_eq!(world.tap(Command::Accept(task)), Err(denial), "{status:?}");
    }
}

#[test]
fn a_join_that_fails_is_told_and_the_chat_is_offered_again() {
    let mut world = World::new();
    world.twilio.join_fails = true;
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    world.secs(5);
    assert_eq!(withdrawn(&world), [Closed::Accepted, Closed::Gone]);
    assert_eq!((world.assignments(chat), offers_shown(&world)), (2, 2));
    accept(&mut world, chat).unwrap();
    world.secs(5);
    assert_eq!(world.status(chat), Accepted);
}

#[test]
fn the_lost_news_of_an_acceptance_is_asked_for() {
    let mut world = World::new();
    world.lose(|event| !matches!(event, Event::Reservation(one) if one.version == Some(0)));
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    world.secs(6);
    assert_eq!(progress(&world, chat), Progress::Accepted);
}

#[test]
fn an_acceptance_whose_fate_is_unknown_is_read_before_it_is_repeated() {
    for fate in [Fate::UnknownDone, Fate::UnknownNotDone, Fate::NotDone] {
        let mut world = World::new();
        world.fate(accepts, fate.clone());
        let chat = world.customer_writes();
        accept(&mut world, chat).unwrap();
        world.secs(20);
        assert_eq!((progress(&world, chat), world.status(chat)), (Progress::Accepted, Accepted), "{fate:?}");
    }
}

#[test]
fn an_acceptance_that_never_gets_through_gives_the_chat_back() {
    let mut world = World::new();
    world.twilio.max_assignments = 1;
    let chat = world.customer_writes();
    world.weather.down_until = Some(world.now + Duration::from_secs(57));
    accept(&mut world, chat).unwrap();
    world.secs(120);
    assert!(withdrawn(&world).contains(&Closed::Gone));
    assert_eq!(world.told(&Notice::OfferMissed), 0);
    assert_ne!(world.status(chat), Accepted);
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
    for (activity, told) in [(MOBILE, 1), (BREAK, 1), (OFFLINE, 1), (DESK, 0)] {
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

/// A world in which a reading finds what reservations there are before their webhooks come.
fn found_first() -> (World, usize) {
    let mut world = World::new();
    world.profile.worker_sid = Some(super::twilio::worker());
    world.agent = crate::agent::Agent::new(&world.profile);
    world.withhold(|event| matches!(event, Event::Reservation(_)));
    let chat = world.customer_writes();
    (world, chat)
}

#[test]
fn an_offer_that_a_reading_finds_first_is_offered_as_long_as_any_other() {
    let (mut world, chat) = found_first();
    let (worker, now) = (super::twilio::worker(), world.now);
    world.agent.owe_briefly(Request::ReadReservations(worker), now);
    world.secs(2);
    assert_eq!(offers_shown(&world), 1);
    let created = world.mail();
    world.deliver(created);
    world.secs(30);
    assert_eq!((progress(&world, chat), world.told(&Notice::OfferMissed)), (Progress::Pending, 0));
    accept(&mut world, chat).unwrap();
}

#[test]
fn a_call_that_is_dialled_at_the_desk_is_one_also_when_a_reading_finds_it() {
    let task = TaskFacts {
        sid: sid("WT", 1),
        channel: "voice".into(),
        workflow: None,
        attributes: r#"{"direction":"outbound"}"#.into(),
    };
    let offered = Offered { reservation: sid("WR", 1), task: task.sid.clone() };
    let found = Found { offered, status: Pending, changed_at: None, task };
    assert_eq!(Reservation::found(&found, Timestamp::from_millis(0)).kind, Kind::CallOut);
}

#[test]
fn what_matters_less_does_not_push_out_what_matters_more() {
    let mut agent = World::new().agent;
    let (now, until) = (Timestamp::from_millis(0), Timestamp::from_millis(60_000));
    for number in 0..24 {
        let offered = Offered { reservation: sid("WR", number), task: sid("WT", number) };
        agent.owe(Request::Accept(offered), now, until);
    }
    agent.owe(Request::ReadWorker(super::twilio::worker()), now, until);
    assert_eq!(agent.duties.iter().filter(|duty| accepts(&duty.request)).count(), 24);
    let close = Request::Reject(Offered { reservation: sid("WR", 99), task: sid("WT", 99) });
    agent.owe(close, now, until);
    assert_eq!(agent.duties.iter().filter(|duty| accepts(&duty.request)).count(), 24);
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
    for (activity, told) in [(BREAK, 1), (OFFLINE, 1), (DESK, 0)] {
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
fn a_refused_acceptance_is_looked_into() {
    let mut world = World::new();
    world.fate(accepts, Fate::Refused(Refusal::NotPending));
    let chat = world.customer_writes();
    accept(&mut world, chat).unwrap();
    assert!(world.count(|request| matches!(request, Request::ReadReservation(_))) > 0);
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
