//! The process dies, and the agent goes on from its record.

use std::time::Duration;

use super::{
    twilio::sid,
    world::{Fate, World, close, instruct, of_leg, set_activity},
};
use crate::agent::{Context, Input, Notice, request::Request};
use crate::call::Stage;
use crate::domain::{
    Event,
    ReservationStatus::{Completed, Pending, Wrapping},
};

#[test]
fn a_restart_in_any_phase_of_an_answered_call_changes_nothing() {
    for phase in 0..5 {
        let mut world = World::new();
        let reached = |world: &mut World, at: usize| {
            if at == phase {
                world.restart();
            }
        };
        reached(&mut world, 0);
        let task = world.customer_calls();
        reached(&mut world, 1);
        world.secs(5);
        reached(&mut world, 2);
        world.agent_answers().secs(5);
        reached(&mut world, 3);
        world.agent_hangs_up();
        reached(&mut world, 4);
        world.secs(60);
        assert_eq!((world.status(task), world.stage(), world.agent.is_idle()), (Completed, None, true), "{phase}");
        assert_eq!((world.count(instruct), world.count(close)), (1, 1), "{phase}");
    }
}

#[test]
fn an_instruction_that_was_on_its_way_is_asked_about_before_it_is_repeated() {
    for (fate, legs) in [(Fate::UnknownDone, 1), (Fate::UnknownNotDone, 1)] {
        let mut world = World::new();
        world.lose(of_leg).fate(instruct, fate);
        world.customer_calls();
        world.restart();
        world.secs(5);
        assert_eq!(world.count(|request| matches!(request, Request::ReadInstruction(_))), 1);
        assert_eq!((world.twilio.legs.len(), world.stage()), (legs, Some(Stage::Ringing)));
    }
}

#[test]
fn what_happened_meanwhile_is_found_out() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.agent_answers().lose(|_| true).agent_hangs_up();
    world.restart();
    assert_eq!((world.status(task), world.stage()), (Wrapping, None));
}

#[test]
fn a_held_offer_rings_after_a_restart() {
    let mut world = World::new();
    let task = world.customer_calls();
    world.secs(20).restart();
    assert_eq!((world.status(task), world.rings()), (Pending, false));
    world.secs(15);
    assert!(world.rings());
}

#[test]
fn what_is_owed_survives() {
    let mut world = World::new();
    world.policy.missed_keep_activity = 0;
    world.twilio.max_assignments = 1;
    world.customer_calls();
    world.weather.down_until = Some(world.now + Duration::from_secs(30));
    world.secs(25).restart().secs(30);
    assert!(!world.is_on_mobile());
    assert!(world.count(set_activity) > 1);
    assert_eq!(world.told(&Notice::WentOffline), 1);
}

#[test]
fn ten_thousand_offers_that_nobody_hears_the_end_of_leave_a_small_record() {
    let mut world = World::new();
    world.withhold(|_| true).customer_calls();
    let Some(Event::Reservation(created)) = world.mail().pop() else { panic!("no offer") };
    let mut now = super::world::NOON;
    for number in 0..10_000 {
        let mut event = created.clone();
        (event.reservation, event.task.sid, event.at) = (sid("WR", number), sid("WT", number / 2), now);
        let timeout = Duration::from_secs(30);
        let context = Context { now, policy: &world.policy, reservation_timeout: timeout, unavailable: &[] };
        world.agent.handle(Input::Event(&Event::Reservation(event)), &context);
        assert!(world.agent.due().is_none_or(|due| due > now));
        if number % 100 == 99 {
            let record = serde_json::to_vec(&world.agent).unwrap();
            assert!(record.len() < 16 * 1024, "{} bytes", record.len());
        }
        now = now + Duration::from_millis(u64::try_from(number).unwrap() % 1_000);
    }
    assert!(world.agent.snapshot().duties <= 24);
    assert!(world.agent.snapshot().reservations.len() <= 32);
}
