use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::domain::{Closed, Customer, News, Notification, NotificationId};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const LIFE: Duration = Duration::from_secs(120);

fn reservation(number: u8) -> crate::domain::ReservationSid {
    format!("WR{number:032x}").parse().unwrap()
}

fn offer(task: u8) -> News {
    let customer = Customer::default();
    News::TaskOffered { task: reservation(task), channel: "chat".into(), customer, conversation: None }
}

fn closed(task: u8) -> News {
    News::TaskClosed { task: reservation(task), why: Closed::Gone }
}

fn item(device: u64, news: News) -> OutboxItem {
    OutboxItem {
        id: NotificationId(1),
        agent: AgentId::from_bits(1),
        device: DeviceId::from_bits(device),
        target: PushTarget::Fcm { token: "token".into(), is_fid: false },
        notification: Notification { news, expires: NOW + LIFE, unread: 0 },
        created: NOW,
    }
}

fn queue(limit: usize) -> Queue {
    Queue::new([limit; 2])
}

fn add(queue: &mut Queue, sequence: u64, item: OutboxItem) {
    assert!(queue.add(Sequence::new(sequence), item));
}

/// Everything that may go out now, by its place in the order.
fn all(queue: &mut Queue, now: Timestamp) -> Vec<Job> {
    std::iter::from_fn(|| queue.next(now)).collect()
}

fn places(jobs: &[Job]) -> Vec<u64> {
    jobs.iter().map(|job| job.sequence.get()).collect()
}

fn ended(queue: &mut Queue) -> Vec<(u64, End)> {
    queue.take_ended().into_iter().map(|(sequence, end)| (sequence.get(), end)).collect()
}

const LATER: Failure = Failure::later("busy");

#[test]
fn a_device_gets_one_at_a_time_and_in_order() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    add(&mut queue, 2, item(1, offer(2)));
    add(&mut queue, 3, item(2, offer(1)));
    let mut jobs = all(&mut queue, NOW);
    assert_eq!(places(&jobs), [1, 3]);
    queue.settle(jobs.remove(0), Ok(()), NOW);
    assert_eq!(places(&all(&mut queue, NOW)), [2]);
    assert_eq!(ended(&mut queue), [(1, End::Sent)]);
}

#[test]
fn what_closes_an_offer_takes_the_place_of_the_offer() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    add(&mut queue, 2, item(1, offer(2)));
    add(&mut queue, 3, item(1, closed(1)));
    add(&mut queue, 4, item(2, offer(1)));
    assert_eq!(ended(&mut queue), [(1, End::Replaced)]);
    assert_eq!(places(&all(&mut queue, NOW)), [2, 4]);
}

#[test]
fn an_offer_whose_try_fails_is_not_tried_again_once_it_is_closed() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    let job = queue.next(NOW).unwrap();
    add(&mut queue, 2, item(1, closed(1)));
    assert!(queue.next(NOW).is_none(), "one at a time");
    queue.settle(job, Err(LATER), NOW);
    assert_eq!(ended(&mut queue), [(1, End::Replaced)]);
    assert!(queue.next(NOW).is_none(), "the provider is given its time");
    let at = queue.wake_at().unwrap();
    assert_eq!(places(&all(&mut queue, at)), [2]);
}

#[test]
fn an_item_that_comes_late_finds_its_place_in_the_order() {
    let mut queue = queue(9);
    add(&mut queue, 5, item(1, offer(2)));
    add(&mut queue, 7, item(1, closed(1)));
    add(&mut queue, 2, item(1, offer(1)));
    add(&mut queue, 3, item(1, offer(3)));
    assert_eq!(ended(&mut queue), [(2, End::Replaced)]);
    let mut sent = Vec::new();
    while let Some(job) = queue.next(NOW) {
        sent.push(job.sequence.get());
        queue.settle(job, Ok(()), NOW);
    }
    assert_eq!(sent, [3, 5, 7]);
}

#[test]
fn the_same_item_is_taken_once_until_it_is_forgotten() {
    let mut queue = queue(9);
    let sequence = Sequence::new(1);
    add(&mut queue, 1, item(1, offer(1)));
    assert!(!queue.add(sequence, item(1, offer(1))));
    let job = queue.next(NOW).unwrap();
    queue.settle(job, Ok(()), NOW);
    assert!(!queue.add(sequence, item(1, offer(1))), "it is not deleted yet");
    queue.forget(sequence);
    assert_eq!(queue.len(), 0);
}

#[test]
fn a_failed_try_is_made_again_when_its_time_has_come() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    let job = queue.next(NOW).unwrap();
    queue.settle(job, Err(Failure::Later { reason: "busy", retry_after: Some(Duration::from_secs(30)) }), NOW);
    let at = queue.wake_at().unwrap();
    assert!(at >= NOW + Duration::from_secs(30) && at < NOW + Duration::from_secs(40));
    assert!(queue.next(NOW + Duration::from_secs(29)).is_none());
    assert_eq!(queue.next(at).unwrap().tries, 1);
    assert_eq!(ended(&mut queue), []);
}

#[test]
fn what_would_come_too_late_is_dropped_at_once() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    let job = queue.next(NOW).unwrap();
    queue.settle(job, Err(Failure::Later { reason: "busy", retry_after: Some(LIFE) }), NOW);
    assert_eq!(ended(&mut queue), [(1, End::Expired)]);
    assert!(queue.lanes.is_empty());
}

#[test]
fn what_has_expired_while_it_waited_is_dropped() {
    let mut queue = queue(1);
    add(&mut queue, 1, item(1, offer(1)));
    add(&mut queue, 2, item(2, offer(1)));
    let job = queue.next(NOW).unwrap();
    queue.settle(job, Ok(()), NOW);
    assert!(queue.next(NOW + LIFE).is_none());
    assert_eq!(ended(&mut queue), [(1, End::Sent), (2, End::Expired)]);
    assert!(queue.lanes.is_empty());
}

#[test]
fn nothing_more_is_sent_to_a_device_that_is_gone() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    let job = queue.next(NOW).unwrap();
    add(&mut queue, 2, item(1, offer(2)));
    queue.settle(job, Err(Failure::Gone { reason: "unregistered" }), NOW);
    assert_eq!(ended(&mut queue), [(2, End::Gone), (1, End::Gone)]);
    assert!(queue.next(NOW).is_none() && queue.lanes.is_empty());
}

#[test]
fn a_provider_has_no_more_on_its_way_than_it_may() {
    let mut queue = queue(2);
    for device in 1..=5 {
        add(&mut queue, device, item(device, offer(1)));
    }
    let subscription =
        PushTarget::WebPush { endpoint: "https://example.com".into(), p256dh: String::new(), auth: String::new() };
    add(&mut queue, 6, OutboxItem { target: subscription, ..item(6, offer(1)) });
    let mut jobs = all(&mut queue, NOW);
    assert_eq!(places(&jobs), [6, 1, 2]);
    let job = jobs.pop().unwrap();
    queue.settle(job, Err(Failure::Refused { reason: "bad" }), NOW);
    assert_eq!(places(&all(&mut queue, NOW)), [3]);
}

/// One step of the outside world.
#[derive(Clone, Copy, Debug)]
enum Step {
    Offer { device: u64, task: u8 },
    Close { device: u64, task: u8 },
    Send,
    Settle { well: bool },
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let (device, task) = (1_u64..=2, 1_u8..=2);
    prop_oneof![
        3 => (device.clone(), task.clone()).prop_map(|(device, task)| Step::Offer { device, task }),
        3 => (device, task).prop_map(|(device, task)| Step::Close { device, task }),
        3 => Just(Step::Send),
        3 => any::<bool>().prop_map(|well| Step::Settle { well }),
        1 => Just(Step::Wait),
    ]
}

proptest! {
    /// Whatever fails in between: no device has two on their way, what is sent to it is in order, nothing is sent after
    /// something newer with its tag was there, and everything comes to an end.
    #[test]
    fn a_device_never_sees_an_offer_after_its_end(steps in proptest::collection::vec(step(), 1..60)) {
        let mut queue = queue(2);
        let (mut now, mut sequence) = (NOW, 0_u64);
        let mut flying: Vec<Job> = Vec::new();
        let mut newest: BTreeMap<(u64, u8), u64> = BTreeMap::new();
        let mut sent: BTreeMap<u64, u64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Offer { device, task } | Step::Close { device, task } => {
                    sequence += 1;
                    let news = if matches!(step, Step::Offer { .. }) { offer(task) } else { closed(task) };
                    add(&mut queue, sequence, item(device, news));
                    newest.insert((device, task), sequence);
                }
                Step::Send => if let Some(job) = queue.next(now) {
                    let device = job.item.device.to_bits();
                    prop_assert!(flying.iter().all(|other| other.item.device != job.item.device));
                    let task = u8::from(job.item.notification.news.tag().ends_with('2')) + 1;
                    prop_assert_eq!(newest[&(device, task)], job.sequence.get());
                    prop_assert!(sent.get(&device).is_none_or(|last| *last <= job.sequence.get()));
                    sent.insert(device, job.sequence.get());
                    flying.push(job);
                },
                Step::Settle { well } => if let Some(job) = flying.pop() {
                    queue.settle(job, if well { Ok(()) } else { Err(LATER) }, now);
                },
                Step::Wait => now = queue.wake_at().unwrap_or(now),
            }
        }
        let late = now + LIFE;
        flying.into_iter().for_each(|job| queue.settle(job, Ok(()), late));
        prop_assert!(queue.next(late).is_none());
        prop_assert_eq!(queue.take_ended().len() as u64, sequence);
        prop_assert!(queue.lanes.is_empty() && queue.flying == [0, 0]);
    }
}
