//! The softphones first, the cell phone when they are not taken up, before the customer's reservation runs out.

use std::time::Duration;

use super::{
    softphones::Softphone,
    twilio::{Phone, sid},
    world::{Fate, World, close, instruct, of_leg, reject},
};
use crate::agent::{
    Input, Notice,
    request::{Refusal, Request, RingTo},
};
use crate::call::Stage;
use crate::domain::{
    CallQuality, EndedBy, Event, LegNo, MediaQuality,
    ReservationStatus::{Accepted, Canceled, Completed, Pending, Rejected, Rescinded, Timeout, Wrapping},
    RingTarget, SoftphoneLeg, SoftphoneNews,
};

const TAKES: Softphone = Softphone::AnsweredAfter(Duration::from_secs(4));

fn world(does: Softphone) -> World {
    let mut world = World::new().with_softphones(does);
    world.twilio.max_assignments = 1;
    world
}

fn cell_phone(request: &Request) -> bool {
    matches!(request, Request::Instruct(instruct) if matches!(instruct.to, RingTo::CellPhone(_)))
}

fn is_quiet(world: &World) -> bool {
    world.softphones.live().is_empty() && !world.rings() && world.softphones.violations.is_empty()
}

#[test]
fn softphones_ring_while_twilio_knows_nothing_and_the_instruction_names_the_ticket_of_the_one_that_is_taken_up() {
    let mut world = world(TAKES);
    let task = world.customer_calls();
    assert_eq!((world.stage(), world.requests.len(), world.status(task)), (Some(Stage::Ringing), 0, Pending));
    assert_eq!(world.agent.call().map(|call| call.target), Some(RingTarget::Sip));
    world.secs(4);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Connecting), Pending));
    let [(_, Request::Instruct(instruct))] = &world.requests[..] else { panic!("{:?}", world.requests) };
    let RingTo::Softphone(admission) = &instruct.to else { panic!("{instruct:?}") };
    let ticket = admission.ticket.clone();
    assert!(!format!("{instruct:?}").contains(ticket.expose()), "a ticket is not shown");
    world.secs(1);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
    assert!(world.softphones.is_bridged(&ticket));
    assert!(!serde_json::to_string(&world.agent).unwrap().contains(ticket.expose()), "its duty is done");
    world.secs(300).agent_hangs_up();
    assert_eq!((world.stage(), world.status(task), world.told(&Notice::CallAnswered)), (None, Wrapping, 1));
    world.secs(60);
    assert_eq!(world.status(task), Completed);
    assert!(world.agent.is_idle() && is_quiet(&world));
}

#[test]
fn a_customer_who_hangs_up_ends_the_softphones_call_too() {
    let mut world = world(TAKES);
    let task = world.customer_calls();
    world.secs(30).customer_hangs_up(task).secs(1);
    assert_eq!((world.stage(), world.status(task)), (None, Wrapping));
    assert!(is_quiet(&world));
}

#[test]
fn the_cell_phone_rings_when_no_softphone_is_taken_up() {
    let all = [
        (Softphone::None, 0),
        (Softphone::Declined, 0),
        (Softphone::Busy, 0),
        (Softphone::NotPossible, 0),
        (Softphone::Gone, 4),
        (Softphone::Ignored, 20),
        (Softphone::Asleep, 20),
    ];
    for (does, after) in all {
        let mut world = world(does);
        let task = world.customer_calls();
        world.pass(Duration::from_millis(after * 1000).saturating_sub(Duration::from_millis(1)));
        assert_eq!(world.count(instruct), usize::from(after == 0), "{does:?}");
        world.pass(Duration::from_millis(1));
        assert_eq!((world.count(cell_phone), world.stage(), is_quiet(&world)), (1, Some(Stage::Ringing), false));
        assert_eq!(world.agent.call().map(|call| call.target), Some(RingTarget::Pstn));
        world.agent_answers().secs(9).agent_hangs_up();
        let told = (world.told(&Notice::CallMissed), world.told(&Notice::CallAnswered));
        assert_eq!((world.status(task), told), (Wrapping, (0, 1)), "{does:?}");
    }
}

#[test]
fn who_takes_up_nothing_has_missed_the_call_once() {
    let mut world = world(Softphone::Ignored);
    let task = world.customer_calls();
    world.secs(60);
    assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.stage()), (Canceled, 1, None));
    assert!(is_quiet(&world) && world.agent.is_idle());
}

#[test]
fn the_plan_ends_five_seconds_before_twilios_own_timeout() {
    for (timeout, softphones, cell_phone) in [(120, 20, 18), (43, 20, 18), (38, 15, 18), (30, 10, 15), (20, 10, 10)] {
        let mut world = world(Softphone::Ignored);
        world.twilio.reservation_timeout = Duration::from_secs(timeout);
        let task = world.customer_calls();
        world.pass(Duration::from_millis(softphones * 1000 - 1));
        assert_eq!(world.count(instruct), 0, "{timeout}");
        world.pass(Duration::from_millis(1));
        let Some((_, Request::Instruct(instruct))) = world.requests.last() else { panic!("{timeout}") };
        assert_eq!(instruct.ring, Duration::from_secs(cell_phone), "{timeout}");
        world.secs(60);
        assert_eq!((world.status(task), world.told(&Notice::CallMissed)), (Canceled, 1), "{timeout}");
    }
}

#[test]
fn softphones_alone_ring_until_the_end_and_pass_the_customer_on() {
    let mut world = world(Softphone::Ignored);
    world.profile.ring_plan = Some(vec![RingTarget::Sip]);
    world.agent = crate::agent::Agent::new(&world.profile);
    world.twilio.reservation_timeout = Duration::from_secs(24);
    let task = world.customer_calls();
    world.secs(18);
    assert_eq!(world.status(task), Pending);
    world.secs(1);
    assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.count(instruct)), (Rejected, 1, 0));
}

#[test]
fn a_customer_who_is_gone_when_a_softphone_is_taken_up_ends_it_and_no_cell_phone_rings() {
    for refusal in [Refusal::CallerGone, Refusal::NotPending, Refusal::NotFound] {
        let mut world = world(TAKES);
        world.fate(instruct, Fate::Refused(refusal)).customer_calls();
        world.secs(4);
        assert!(is_quiet(&world), "{refusal:?}");
        world.secs(40);
        assert_eq!((world.count(instruct), world.count(cell_phone)), (1, 0), "{refusal:?}");
        assert_eq!((world.told(&Notice::CallMissed), world.softphones.rings), (0, 1));
    }
}

#[test]
fn an_instruction_towards_a_softphone_that_twilio_cannot_carry_out_goes_to_the_cell_phone() {
    let mut world = world(TAKES);
    world.fate(instruct, Fate::Refused(Refusal::Unroutable)).customer_calls();
    world.secs(4);
    assert!(world.softphones.live().is_empty() && world.rings());
    assert_eq!((world.count(instruct), world.count(cell_phone)), (2, 1));
}

#[test]
fn an_instruction_that_does_not_get_through_in_time_ends_the_softphones_call_and_passes_the_customer_on() {
    let mut world = world(TAKES);
    world.twilio.reservation_timeout = Duration::from_secs(30);
    world.weather.down_until = Some(world.now + Duration::from_secs(26));
    let task = world.customer_calls();
    world.secs(20);
    assert!(world.softphones.is_answered());
    world.secs(9);
    assert!(is_quiet(&world));
    assert_eq!((world.status(task), world.twilio.legs.len()), (Rejected, 0));
}

#[test]
fn a_reservation_that_is_taken_away_while_softphones_ring_silences_them() {
    for taken in [Rescinded, Rejected, Canceled, Timeout, Accepted] {
        let mut world = world(Softphone::Ignored);
        let task = world.customer_calls();
        world.secs(3).at_desk(task, taken);
        assert!(is_quiet(&world), "{taken:?}");
        world.secs(60);
        let missed = usize::from(taken == Timeout);
        assert_eq!((world.count(instruct), world.told(&Notice::CallMissed)), (0, missed), "{taken:?}");
        assert_eq!((world.count(close), world.count(reject)), (0, 0), "{taken:?}");
    }
}

#[test]
fn a_task_that_the_desk_accepted_between_the_answer_and_the_instruction_stays_there() {
    let mut world = world(TAKES);
    world.withhold(|event| matches!(event, Event::Reservation(one) if one.version > Some(0)));
    let task = world.customer_calls();
    world.secs(3).at_desk(task, Accepted).secs(1);
    assert!(is_quiet(&world));
    let mail = world.mail();
    world.deliver(mail).secs(200);
    assert_eq!((world.stage(), world.status(task), world.count(close)), (None, Accepted, 0));
}

#[test]
fn an_agent_who_hangs_up_before_twilio_calls_has_missed_the_call() {
    let mut world = world(TAKES);
    let task = world.customer_calls();
    world.pass(Duration::from_millis(4_500));
    assert_eq!(world.status(task), Pending, "Twilio is about to call");
    world.agent_hangs_up();
    assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.stage()), (Canceled, 1, None));
    assert_eq!((world.count(cell_phone), world.count(instruct)), (0, 1));
}

#[test]
fn an_agent_who_hangs_up_before_the_instruction_went_out_passes_the_customer_on() {
    let mut world = world(TAKES);
    world.weather.down_until = Some(world.now + Duration::from_secs(8));
    let task = world.customer_calls();
    world.secs(5);
    assert!(world.softphones.is_answered());
    world.agent_hangs_up().secs(10);
    assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.stage()), (Rejected, 1, None));
    assert_eq!((world.twilio.legs.len(), world.count(cell_phone)), (0, 0));
}

#[test]
fn an_agent_who_hangs_up_while_nobody_knows_of_the_instruction_leaves_nothing_behind() {
    for (fate, ends) in [(Fate::UnknownDone, Canceled), (Fate::UnknownNotDone, Rejected)] {
        let mut world = world(TAKES);
        world.fate(instruct, fate).fate(|request| matches!(request, Request::ReadInstruction(_)), Fate::NotDone);
        let task = world.customer_calls();
        world.secs(4).agent_hangs_up().secs(60);
        assert_eq!((world.status(task), world.told(&Notice::CallMissed), world.stage()), (ends, 1, None));
        assert!(world.agent.is_idle() && is_quiet(&world));
        assert_eq!(world.count(instruct), 1);
    }
}

#[test]
fn a_ticket_that_twilio_never_uses_is_not_the_agents_fault_and_the_task_rings_at_the_cell_phone_next() {
    let mut world = World::new().with_softphones(TAKES);
    world.twilio.invite = Duration::from_secs(60);
    let task = world.customer_calls();
    world.secs(14).secs(1);
    assert_eq!((world.assignments(task), world.count(cell_phone), world.told(&Notice::CallMissed)), (2, 1, 0));
    assert!(world.softphones.live().is_empty() && world.rings());
}

/// An agent with softphones alone.
fn softphones_alone(does: Softphone) -> World {
    let mut world = World::new().with_softphones(does);
    world.profile.ring_plan = Some(vec![RingTarget::Sip]);
    world.agent = crate::agent::Agent::new(&world.profile);
    world
}

#[test]
fn what_the_gateway_cannot_ring_is_nobodys_miss_and_is_tried_again_after_a_while() {
    let mut world = softphones_alone(Softphone::NotPossible);
    world.twilio.max_assignments = 100;
    let task = world.customer_calls();
    world.secs(1);
    assert_eq!((world.assignments(task), world.status(task), world.softphones.rings), (2, Pending, 1));
    world.secs(60);
    assert_eq!((world.assignments(task), world.softphones.rings), (6, 5), "no faster than every 15 s");
    assert_eq!((world.told(&Notice::CallMissed), world.is_on_mobile()), (0, true));
    world.softphones.does = TAKES;
    world.secs(20);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
}

#[test]
fn tickets_that_twilio_never_uses_take_nobody_offline_who_has_softphones_alone() {
    let mut world = softphones_alone(TAKES);
    world.twilio.invite = Duration::from_secs(60);
    let task = world.customer_calls();
    world.secs(15);
    assert_eq!((world.assignments(task), world.softphones.rings), (3, 1));
    world.secs(15);
    assert_eq!(world.softphones.rings, 2);
    world.twilio.invite = Duration::from_secs(1);
    world.secs(60);
    assert_eq!((world.told(&Notice::CallMissed), world.is_on_mobile(), world.status(task)), (0, true, Accepted));
}

#[test]
fn an_agent_whose_softphones_cannot_be_reached_goes_offline_as_ever() {
    let mut world = softphones_alone(Softphone::None);
    world.customer_calls();
    world.secs(40);
    assert_eq!((world.told(&Notice::CallMissed), world.is_on_mobile()), (2, false));
}

#[test]
fn a_re_offer_rings_what_was_not_taken_up_and_never_what_cannot_be_reached() {
    for (does, rings) in
        [(Softphone::Ignored, 2), (Softphone::Declined, 2), (Softphone::None, 1), (Softphone::Asleep, 1)]
    {
        let mut world = World::new().with_softphones(does);
        world.twilio.max_assignments = 2;
        let task = world.customer_calls();
        world.secs(110);
        assert_eq!((world.softphones.rings, world.assignments(task)), (rings, 2), "{does:?}");
        assert_eq!(world.count(cell_phone), 2, "{does:?}");
    }
}

#[test]
fn a_held_re_offer_leaves_softphones_their_time() {
    let mut world = World::new().with_softphones(Softphone::Ignored);
    (world.twilio.max_assignments, world.twilio.reservation_timeout) = (2, Duration::from_secs(30));
    world.policy.reoffer_hold = Duration::from_secs(60);
    world.customer_calls();
    world.secs(26);
    let before = (world.softphones.rings, world.count(cell_phone));
    world.secs(12);
    assert_eq!((before, world.softphones.rings, world.count(cell_phone)), ((1, 1), 2, 1));
    world.secs(10);
    assert_eq!(world.count(cell_phone), 2);
}

#[test]
fn news_that_come_late_twice_or_in_another_order_change_nothing() {
    let mut world = world(Softphone::Ignored);
    let task = world.customer_calls();
    let leg = world.softphones.live()[0];
    world.agent_takes_softphone();
    let ended = SoftphoneNews::Ended { by: EndedBy::Phone, quality: None };
    world.secs(1).input(&Input::Softphones { leg, news: &SoftphoneNews::Bridged });
    assert_eq!(world.stage(), Some(Stage::Talking));
    world.agent_hangs_up().input(&Input::Softphones { leg, news: &ended });
    assert_eq!((world.status(task), world.count(close), world.stage()), (Wrapping, 1, None));
    for news in [ended, SoftphoneNews::Rings, SoftphoneNews::Bridged] {
        world.input(&Input::Softphones { leg, news: &news });
    }
    assert_eq!((world.count(close), world.count(instruct), world.stage()), (1, 1, None));
}

#[test]
fn a_softphone_that_is_taken_up_when_nobody_waits_for_it_is_hung_up() {
    let mut world = world(Softphone::Ignored);
    world.customer_calls();
    let first = world.softphones.live()[0];
    world.agent_takes_softphone();
    let again =
        SoftphoneNews::Answered(crate::domain::Admission { ticket: crate::domain::SipTicket::new("x"), login: None });
    for leg in [
        SoftphoneLeg { leg: LegNo(9), ..first },
        SoftphoneLeg { call: crate::domain::CallId { number: 77, ..first.call }, leg: LegNo(1) },
    ] {
        world.input(&Input::Softphones { leg, news: &again });
    }
    assert_eq!((world.count(instruct), world.softphones.live()), (1, vec![first]));
}

#[test]
fn a_conversation_whose_end_twilio_does_not_tell_is_asked_about_and_closed() {
    let mut world = world(TAKES);
    let task = world.customer_calls();
    world.secs(10).lose(|_| true).agent_hangs_up().secs(5);
    assert_eq!((world.stage(), world.status(task)), (None, Wrapping));
}

#[test]
fn a_restart_while_softphones_ring_goes_on_with_the_cell_phone_or_rings_them_again() {
    for (plan, softphones, cell_phones) in
        [(vec![RingTarget::Sip, RingTarget::Pstn], 1, 1), (vec![RingTarget::Sip], 2, 0)]
    {
        let mut world = world(Softphone::Ignored);
        world.profile.ring_plan = Some(plan);
        world.agent = crate::agent::Agent::new(&world.profile);
        world.customer_calls();
        world.secs(5).restart();
        assert_eq!((world.softphones.rings, world.count(cell_phone)), (softphones, cell_phones));
        assert_eq!((world.stage(), world.told(&Notice::CallMissed)), (Some(Stage::Ringing), 0));
        world.secs(60);
        assert!(is_quiet(&world) && world.agent.is_idle());
        assert_eq!(world.told(&Notice::CallMissed), 1);
    }
}

#[test]
fn a_restart_between_the_answer_and_twilios_call_lets_twilio_find_nobody_and_nobody_is_blamed() {
    for lost in [false, true] {
        let mut world = world(TAKES);
        let task = world.customer_calls();
        if lost {
            world.lose(of_leg);
        }
        world.pass(Duration::from_millis(4_500)).restart().secs(30);
        assert_eq!((world.status(task), world.stage(), world.told(&Notice::CallMissed)), (Canceled, None, 0));
        assert!(is_quiet(&world) && world.agent.is_idle());
    }
}

#[test]
fn a_restart_with_an_instruction_that_was_not_taken_goes_on_with_the_cell_phone() {
    let mut world = world(TAKES);
    world.fate(instruct, Fate::UnknownNotDone).customer_calls();
    world.weather.down_until = Some(world.now + Duration::from_secs(6));
    world.secs(5).restart().secs(10);
    assert_eq!((world.twilio.legs.len(), world.stage()), (1, Some(Stage::Ringing)));
    assert_eq!(world.twilio.legs[0].ticket, None);
}

#[test]
fn a_conversation_that_a_crash_has_cut_is_ended_at_twilio_and_closed() {
    for heard in [false, true] {
        let mut world = world(TAKES);
        if !heard {
            world.lose(of_leg);
        }
        let task = world.customer_calls();
        world.secs(60).restart().secs(2);
        assert_eq!((world.stage(), world.status(task)), (None, Wrapping), "{heard}");
        assert!(world.twilio.legs.iter().all(|leg| leg.status.is_final()));
        assert_eq!(world.count(|request| matches!(request, Request::EndLeg(_))), usize::from(heard));
        assert_eq!(world.count(|request| matches!(request, Request::EndConference(_))), usize::from(!heard));
    }
}

#[test]
fn a_conversation_that_a_decent_stop_has_ended_is_closed() {
    let mut world = world(TAKES);
    let task = world.customer_calls();
    world.secs(60).lose(|_| true).stop_and_start().secs(5);
    assert_eq!((world.stage(), world.status(task)), (None, Wrapping));
}

#[test]
fn a_desks_conference_is_never_ended() {
    let mut world = world(TAKES);
    world.fate(instruct, Fate::UnknownNotDone).customer_calls();
    world.secs(3).withhold(|_| true).at_desk(0, Accepted).secs(1).restart().secs(100);
    assert_eq!((world.status(0), world.count(close)), (Accepted, 0));
    assert!(world.twilio.violations.is_empty());
}

#[test]
fn an_actor_that_dies_hangs_up_what_rang_and_lets_people_talk() {
    let mut world = world(Softphone::Ignored);
    let task = world.customer_calls();
    world.secs(5).actor_dies();
    assert_eq!((world.softphones.live().len(), world.count(cell_phone)), (0, 1));
    world.agent_answers().agent_hangs_up().secs(20);
    assert_eq!(world.status(task), Completed);

    world.softphones.does = TAKES;
    let task = world.customer_calls();
    world.secs(30).actor_dies().secs(300);
    assert_eq!((world.stage(), world.status(task)), (Some(Stage::Talking), Accepted));
    world.agent_hangs_up();
    assert_eq!(world.status(task), Wrapping);
}

#[test]
fn how_the_last_call_sounded_is_kept() {
    let mut world = world(Softphone::Ignored);
    world.customer_calls();
    let leg = world.softphones.live()[0];
    world.agent_takes_softphone().secs(5);
    let twilio = MediaQuality { received: 900, lost: 7, jitter: Duration::from_millis(12) };
    let quality = CallQuality { twilio, ..CallQuality::default() };
    let news = SoftphoneNews::Ended { by: EndedBy::Phone, quality: Some(quality) };
    world.input(&Input::Softphones { leg, news: &news }).restart();
    let last = world.agent.snapshot().last_call.unwrap();
    assert_eq!((last.call, last.quality), (leg.call, quality));
}

#[test]
fn softphones_that_say_nothing_keep_nobody_waiting() {
    let mut world = world(Softphone::Ignored);
    world.customer_calls();
    world.softphones.die(false);
    world.secs(21);
    assert_eq!(world.count(cell_phone), 0);
    world.secs(1);
    assert_eq!((world.count(cell_phone), world.stage()), (1, Some(Stage::Ringing)));
}

#[test]
fn plans_are_followed_without_softphones_where_there_is_no_sip() {
    let mut world = world(TAKES);
    world.policy.sip_ring = None;
    world.phone(Phone::Ignored).customer_calls();
    assert_eq!((world.softphones.rings, world.count(cell_phone)), (0, 1));
    assert_eq!(world.twilio.legs[0].sid, sid("CA", 0));
}
