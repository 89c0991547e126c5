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
    queue.take_ended().into_iter().map(|(job, end)| (job.sequence.get(), end)).collect()
}

const LATER: Failure = Failure::later("busy");

const fn asked(retry_after: Duration) -> Failure {
    Failure::Later { reason: "busy", retry_after: Some(retry_after), scope: Scope::Service }
}

#[test]
fn a_device_gets_one_at_a_time_and_in_order() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    add(&mut queue, 2, item(1, offer(2)));
    add(&mut queue, 3, item(2, offer(1)));
    let mut jobs = all(&mut queue, NOW);
    assert_eq!(places(&jobs), [1, 3]);
    queue.settle(jobs.remove(0), Ok(End::Sent), NOW);
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
    let at = queue.wake_at(NOW).unwrap();
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
        queue.settle(job, Ok(End::Sent), NOW);
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
    queue.settle(job, Ok(End::Sent), NOW);
    assert!(!queue.add(sequence, item(1, offer(1))), "it is not deleted yet");
    assert_eq!(queue.held(Share::Fcm), 1);
    queue.forget(sequence);
    assert_eq!(queue.held(Share::Fcm), 0);
    assert!(queue.known.is_empty());
}

#[test]
fn a_failed_try_is_made_again_when_its_time_has_come() {
    let mut queue = queue(9);
    add(&mut queue, 1, item(1, offer(1)));
    let job = queue.next(NOW).unwrap();
    queue.settle(job, Err(asked(Duration::from_secs(30))), NOW);
    let at = queue.wake_at(NOW).unwrap();
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
    queue.settle(job, Err(asked(LIFE)), NOW);
    assert_eq!(ended(&mut queue), [(1, End::Expired)]);
    assert!(queue.lanes.is_empty());
}

#[test]
fn what_has_expired_while_it_waited_is_dropped() {
    let mut queue = queue(1);
    add(&mut queue, 1, item(1, offer(1)));
    add(&mut queue, 2, item(2, offer(1)));
    let job = queue.next(NOW).unwrap();
    queue.settle(job, Ok(End::Sent), NOW);
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
                    queue.settle(job, if well { Ok(End::Sent) } else { Err(LATER) }, now);
                },
                Step::Wait => now = queue.wake_at(now).unwrap_or(now),
            }
        }
        let late = now + LIFE;
        flying.into_iter().for_each(|job| queue.settle(job, Ok(End::Sent), late));
        prop_assert!(queue.next(late).is_none());
        prop_assert_eq!(queue.take_ended().len() as u64, sequence);
        prop_assert!(queue.lanes.is_empty() && queue.flying == [0, 0]);
    }
}

/// A provider on a clock of its own: how long it takes, and what it answers when.
struct World {
    queue: Queue,
    now: Timestamp,
    /// Pushes on their way, by when their answer comes.
    flying: BTreeMap<(Timestamp, u64), Job>,
    sequence: u64,
    /// When each request was made.
    requests: Vec<Timestamp>,
    /// What became of each push.
    ends: BTreeMap<u64, (End, Timestamp)>,
    expires: BTreeMap<u64, Timestamp>,
}

const LATENCY: Duration = Duration::from_millis(80);

impl World {
    fn new(limit: usize) -> Self {
        Self {
            queue: queue(limit),
            now: NOW,
            flying: BTreeMap::new(),
            sequence: 0,
            requests: Vec::new(),
            ends: BTreeMap::new(),
            expires: BTreeMap::new(),
        }
    }

    fn push(&mut self, device: u64, news: News, life: Duration) {
        self.sequence += 1;
        let notification = Notification { news, expires: self.now + life, unread: 0 };
        self.expires.insert(self.sequence, notification.expires);
        add(&mut self.queue, self.sequence, OutboxItem { notification, created: self.now, ..item(device, offer(0)) });
    }

    /// Sends what may go out now.
    fn send(&mut self) {
        while let Some(job) = self.queue.next(self.now) {
            self.requests.push(self.now);
            self.flying.insert((self.now + LATENCY, job.sequence.get()), job);
        }
        for (job, end) in self.queue.take_ended() {
            let before = self.ends.insert(job.sequence.get(), (end, self.now));
            assert_eq!(before, None, "a push ends once");
            self.queue.forget(job.sequence);
        }
    }

    /// Lets the time pass until then; `answer` says what a request that was made at a moment is answered.
    fn pass(&mut self, until: Timestamp, answer: impl Fn(Timestamp) -> Result<End, Failure>) {
        loop {
            self.send();
            let answers = self.flying.first_key_value().map(|((at, _), _)| *at);
            let wake = self.queue.wake_at(self.now).filter(|at| *at > self.now);
            let Some(next) = [answers, wake].into_iter().flatten().min().filter(|at| *at <= until) else { break };
            self.now = next;
            while let Some(entry) = self.flying.first_entry().filter(|entry| entry.key().0 <= self.now) {
                let job = entry.remove();
                self.queue.settle(job, answer(self.now - LATENCY), self.now);
            }
        }
        self.now = until;
        self.send();
    }

    fn sent(&self) -> impl Iterator<Item = (u64, Timestamp)> {
        self.ends.iter().filter(|(_, (end, _))| *end == End::Sent).map(|(place, (_, at))| (*place, *at))
    }

    /// Requests within a second of a moment.
    /// How many requests go out from then on before the first of them is answered.
    fn requests_at_first(&self, from: Timestamp) -> usize {
        let later = || self.requests.iter().copied().filter(|at| *at >= from);
        later().min().map_or(0, |first| later().filter(|at| *at < first + LATENCY).count())
    }
}

const SECOND: Duration = Duration::from_secs(1);

/// Ten minutes without a provider under a thousand pushes a minute: messages that are good for an hour, and offers that are
/// good for two minutes.
#[test]
fn a_provider_that_was_down_for_ten_minutes_gets_all_that_is_still_good_within_a_minute() {
    let mut world = World::new(64);
    let down_until = NOW + 600 * SECOND;
    let answer = |at: Timestamp| if at < down_until { Err(LATER) } else { Ok(End::Sent) };
    let pushes = 10_000_u64;
    for number in 0..pushes {
        let at = NOW + Duration::from_millis(number * 60);
        world.pass(at, answer);
        let task = u8::try_from(number % 200).unwrap();
        let life = if number % 4 == 0 { 120 * SECOND } else { 3600 * SECOND };
        // Each device has one of each tag, so that nothing takes the place of anything.
        world.push(number, offer(task), life);
    }
    world.pass(down_until + 60 * SECOND, answer);
    assert_eq!(world.ends.len() as u64, pushes, "none is lost, and all is drained");
    let late = world.sent().filter(|(place, at)| *at > world.expires[place] + LATENCY).count();
    assert_eq!(late, 0, "none is late");
    let (mut sent, mut expired) = (0, 0);
    for (place, (end, _)) in &world.ends {
        match end {
            End::Sent => sent += 1,
            End::Expired => {
                expired += 1;
                assert!(world.expires[place] < down_until + 20 * SECOND, "it was good when the provider was back");
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(sent >= 7_500 && expired >= 1_900, "{sent} sent, {expired} expired");
    // While it was down it was asked now and then, and not run over when it was back.
    let asked = world.requests.iter().filter(|at| **at < down_until).count();
    assert!(asked < 120, "asked {asked} times in ten minutes");
    assert_eq!(world.requests_at_first(down_until), 1, "one goes ahead");
    let drained = world.sent().map(|(_, at)| at).max().unwrap().since(down_until);
    println!("asked {asked} times while down; drained {drained:?} after; {sent} sent, {expired} expired");
    assert!(drained <= 60 * SECOND);
}

#[test]
fn a_storm_of_429_is_sat_out_without_one_early_retry() {
    let mut world = World::new(64);
    let (storm, asked_for) = (NOW + 30 * SECOND, 20 * SECOND);
    let until = storm + 90 * SECOND;
    let answer = move |at: Timestamp| if at >= storm && at < until { Err(asked(asked_for)) } else { Ok(End::Sent) };
    for number in 0..3_000_u64 {
        world.pass(NOW + Duration::from_millis(number * 60), answer);
        world.push(number, offer(1), 3600 * SECOND);
    }
    world.pass(until + 61 * SECOND, answer);
    assert_eq!(world.sent().count(), 3_000);
    // From the first 429's answer on, nobody asks before its time is over.
    let mut refused: Vec<_> = world.requests.iter().copied().filter(|at| *at >= storm && *at < until).collect();
    refused.sort();
    let first = refused[0] + LATENCY;
    let on_their_way = refused.iter().filter(|at| **at < first).count();
    let mut last_answer = first;
    for at in refused.iter().skip(on_their_way) {
        assert!(at.since(last_answer) >= asked_for, "asked again after {:?}", at.since(last_answer));
        last_answer = *at + LATENCY;
    }
    assert!(refused.len() < 20, "{} requests were refused", refused.len());
    assert_eq!(world.requests_at_first(until), 1, "one goes ahead");
}

/// What waits for its service goes in the order of its urgency, also where it came to a device that waits already.
#[test]
fn an_offer_does_not_wait_for_the_messages_of_others() {
    let mut queue = queue(1);
    let mut put = |sequence: u8, device, life| {
        let item = item(device, offer(sequence));
        let notification = Notification { expires: NOW + life, ..item.notification };
        add(&mut queue, sequence.into(), OutboxItem { notification, ..item });
    };
    put(1, 1, 3600 * SECOND);
    put(2, 2, 3600 * SECOND);
    put(3, 3, 3600 * SECOND);
    put(4, 3, 120 * SECOND);
    let mut order = Vec::new();
    while let Some(job) = queue.next(NOW) {
        order.push(job.item.device.to_bits());
        queue.settle(job, Ok(End::Sent), NOW);
    }
    assert_eq!(order, [3, 3, 1, 2]);
}

/// A message has failed five times in a row, and its device rests; then something is offered.
#[test]
fn an_offer_does_not_wait_for_an_older_messages_next_try() {
    let rested = |failure| {
        let (mut queue, mut now) = (queue(9), NOW);
        let message = News::MessagesRead { conversation: format!("CH{:032}", 1).parse().unwrap() };
        let notification = Notification { news: message, expires: NOW + 3600 * SECOND, unread: 0 };
        add(&mut queue, 1, OutboxItem { notification, ..item(1, offer(1)) });
        for _ in 0..5 {
            let job = queue.next(now).unwrap();
            queue.settle(job, Err(failure), now);
            now = queue.wake_at(now).unwrap_or(now);
        }
        let job = queue.next(now).unwrap();
        queue.settle(job, Err(failure), now);
        let again = now + 5 * SECOND;
        add(&mut queue, 2, item(1, closed(2)));
        assert!(queue.next(again).is_none(), "what closes an offer can wait");
        add(&mut queue, 3, item(1, offer(1)));
        let mut sent = Vec::new();
        while let Some(job) = queue.next(again) {
            sent.push(job.sequence.get());
            queue.settle(job, Ok(End::Sent), again);
        }
        // What was to happen at the end of the rest does not happen a second time.
        assert!(queue.next(again + 60 * SECOND).is_none() || sent.is_empty());
        sent
    };
    assert_eq!(rested(Failure::busy("busy")), [1, 2, 3]);
    let told = Failure::Later { reason: "busy", retry_after: Some(20 * SECOND), scope: Scope::Device };
    assert_eq!(rested(told), Vec::<u64>::new(), "the device's service has said when");
}

/// What goes to a device that was removed meanwhile never gets to its service.
#[test]
fn a_device_that_was_removed_says_nothing_of_its_service() {
    let mut queue = queue(9);
    for device in 1..=7 {
        add(&mut queue, device, item(device, offer(1)));
    }
    let mut jobs = all(&mut queue, NOW);
    for end in [Err(LATER), Err(LATER), Err(LATER), Err(LATER), Ok(End::Gone), Err(LATER)] {
        queue.settle(jobs.remove(0), end, NOW);
    }
    add(&mut queue, 8, item(8, offer(1)));
    assert!(queue.next(NOW).is_none(), "five failures in a row: it is down");
}

/// One browser's push service is down: the others' devices notice nothing.
#[test]
fn a_service_that_is_down_keeps_no_other_waiting() {
    let mut queue = queue(4);
    let at = |host: &str| PushTarget::WebPush {
        endpoint: format!("https://{host}/x"),
        p256dh: String::new(),
        auth: String::new(),
    };
    let mut now = NOW;
    for number in 0..400_u64 {
        let host = if number % 2 == 0 { "down.example.com" } else { "up.example.com" };
        add(&mut queue, number + 1, OutboxItem { target: at(host), ..item(number, offer(1)) });
        for job in all(&mut queue, now) {
            let is_down = matches!(&job.item.target, PushTarget::WebPush { endpoint, .. } if endpoint.contains("down"));
            queue.settle(job, if is_down { Err(LATER) } else { Ok(End::Sent) }, now);
        }
        now = now + Duration::from_millis(1);
    }
    let sent = queue.take_ended().into_iter().filter(|(_, end)| *end == End::Sent).count();
    assert_eq!(sent, 200);
}

proptest! {
    /// However a provider fails: nothing is lost, nothing is sent after its time or twice at once, and all comes to an end.
    #[test]
    fn whatever_a_provider_does_every_push_ends_in_time(
        moods in proptest::collection::vec(0_u8..4, 1..12),
        pushes in proptest::collection::vec((0_u64..6, 0_u8..3, 1_u64..120), 1..80),
    ) {
        let mut world = World::new(3);
        let mood = |at: Timestamp| moods[usize::try_from(at.since(NOW).as_secs() / 10).unwrap() % moods.len()];
        let answer = |at: Timestamp| match mood(at) {
            0 => Err(LATER),
            1 => Err(asked(7 * SECOND)),
            2 => Err(Failure::Refused { reason: "bad" }),
            _ => Ok(End::Sent),
        };
        for (device, task, life) in pushes {
            let next = world.now + Duration::from_millis(700);
            world.pass(next, answer);
            world.push(device, offer(task), Duration::from_secs(life));
        }
        let end = world.now + 200 * SECOND;
        world.pass(end, answer);
        prop_assert_eq!(world.ends.len() as u64, world.sequence);
        prop_assert!(world.queue.lanes.is_empty() && world.queue.flying == [0, 0] && world.flying.is_empty());
        for (place, at) in world.sent() {
            prop_assert!(at <= world.expires[&place] + LATENCY);
        }
    }
}
