//! Two nodes that call each other over a network that loses, repeats and reorders.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use proptest::prelude::*;

use super::node::{Node, random};
use crate::{
    leg::{Event, Invite, LegId, Random, Reach, Reason},
    message::Code,
    transport::Flow,
};

pub(crate) struct Net {
    pub(crate) nodes: [Node; 2],
    /// When what arrives at which node.
    flight: Vec<(Instant, usize, Bytes)>,
    pub(crate) now: Instant,
    pub(crate) dice: Box<dyn Random>,
    /// Of 100 messages.
    lost: u64,
    repeated: u64,
    ended: HashMap<(usize, LegId), u32>,
    answered: HashMap<(usize, LegId), u32>,
    pub(crate) begun: Vec<(usize, LegId)>,
    /// What the legs of the first node have told.
    pub(crate) told: Vec<(LegId, Event)>,
}

const ADDRESSES: [&str; 2] = ["192.0.2.1:5060", "192.0.2.2:5060"];

impl Net {
    #[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
    pub(crate) fn new(seed: u64, lost: u64, repeated: u64) -> Self {
        let nodes = [Node::new(ADDRESSES[0], seed + 1), Node::new(ADDRESSES[1], seed + 2)];
        let (ended, answered) = Default::default();
        let dice = random(seed);
        Self {
            nodes,
            flight: Vec::new(),
            now: Instant::now(),
            dice,
            lost,
            repeated,
            ended,
            answered,
            begun: Vec::new(),
            told: Vec::new(),
        }
    }

    fn flow(node: usize) -> Flow {
        Flow::udp(ADDRESSES[node].parse().unwrap())
    }

    /// Puts what the nodes send on its way, and looks at what they say.
    fn collect(&mut self) {
        for from in 0..2 {
            self.nodes[from].settle(None, self.now);
            for (_, bytes) in std::mem::take(&mut self.nodes[from].sent) {
                let copies = 1 + u64::from(self.dice.bits() % 100 < self.repeated);
                for _ in 0..copies {
                    if self.dice.bits() % 100 >= self.lost {
                        let delay = Duration::from_millis(self.dice.bits() % 800);
                        self.flight.push((self.now + delay, 1 - from, bytes.clone()));
                    }
                }
            }
            for (leg, _) in std::mem::take(&mut self.nodes[from].called) {
                self.begun.push((from, leg));
            }
            for (leg, event) in std::mem::take(&mut self.nodes[from].events) {
                let ended = self.ended.entry((from, leg)).or_default();
                assert_eq!(*ended, 0, "nothing after its end: {event:?}");
                if from == 0 {
                    self.told.push((leg, event.clone()));
                }
                match event {
                    Event::Ended(_) => *ended += 1,
                    Event::Answered { .. } => *self.answered.entry((from, leg)).or_default() += 1,
                    _ => {}
                }
            }
        }
    }

    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        loop {
            self.collect();
            let wakes = self.nodes.iter().filter_map(Node::next_timeout);
            let arrivals = self.flight.iter().map(|(at, ..)| *at);
            let Some(at) = wakes.chain(arrivals).min().filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            if let Some(index) = self.flight.iter().position(|(at, ..)| *at <= self.now) {
                let (_, to, bytes) = self.flight.swap_remove(index);
                self.nodes[to].receive(bytes, Self::flow(1 - to), self.now);
            } else {
                self.nodes.iter_mut().for_each(|node| node.timeout(self.now));
            }
        }
        self.now = end;
    }

    pub(crate) fn call(&mut self, from: usize) -> LegId {
        let invite = Invite {
            target: format!("sip:x@{}", ADDRESSES[1 - from]).into(),
            routes: Vec::new(),
            flow: Self::flow(1 - from),
            reach: Reach::Routes,
            from: "<sip:a@example.com>".into(),
            to: "<sip:b@example.com>".into(),
            headers: Vec::new(),
            sdp: "v=0".into(),
            until: self.now + Duration::from_secs(20),
            login: None,
        };
        let leg = self.nodes[from].legs.call(invite, self.now).unwrap();
        self.begun.push((from, leg));
        leg
    }

    fn act(&mut self, act: Act) {
        let now = self.now;
        let any = |begun: &[(usize, LegId)], which: usize| begun.get(which % begun.len().max(1)).copied();
        let Act { what, which, wait } = act;
        if let Some((node, leg)) = any(&self.begun, which) {
            let legs = &mut self.nodes[node].legs;
            match what {
                What::Call => {}
                What::Ring => legs.progress(leg, Code::RINGING, None, now),
                What::Answer => legs.answer(leg, "v=0".into(), now),
                What::Refuse => legs.refuse(leg, Code::BUSY_HERE, now),
                What::Offer => legs.offer(leg, "v=1".into(), now),
                What::End => legs.end(leg, Reason::Plain, now),
            }
        }
        if what == What::Call {
            self.call(which % 2);
        }
        self.pass(Duration::from_millis(wait));
    }

    /// All hang up, and time goes by.
    fn finish(&mut self) {
        for (node, leg) in self.begun.clone() {
            self.nodes[node].legs.end(leg, Reason::Plain, self.now);
        }
        self.pass(Duration::from_secs(400));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Call,
    Ring,
    Answer,
    Refuse,
    Offer,
    End,
}

#[derive(Clone, Copy, Debug)]
struct Act {
    what: What,
    which: usize,
    wait: u64,
}

fn act() -> impl Strategy<Value = Act> {
    let what = prop::sample::select(vec![
        What::Call,
        What::Ring,
        What::Answer,
        What::Answer,
        What::Answer,
        What::Refuse,
        What::Offer,
        What::Offer,
        What::End,
    ]);
    (what, 0usize..6, 0u64..4000).prop_map(|(what, which, wait)| Act { what, which, wait })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_leg_ends_once_and_leaves_nothing(
        seed in 1u64..1_000_000,
        lost in 0u64..60,
        repeated in 0u64..40,
        acts in prop::collection::vec(act(), 1..30),
    ) {
        let mut net = Net::new(seed, lost, repeated);
        net.call(0);
        for act in acts {
            net.act(act);
        }
        net.finish();
        for begun in &net.begun {
            prop_assert_eq!(net.ended.get(begun), Some(&1));
            prop_assert!(net.answered.get(begun).is_none_or(|answered| *answered == 1));
        }
        for node in &net.nodes {
            prop_assert!(node.legs.is_empty());
            prop_assert!(node.table.is_empty());
            prop_assert_eq!(node.legs.waiting(), (0, 0));
        }
    }

    /// Without losses both sides are of one mind: who answered is talked to.
    #[test]
    fn what_one_side_answers_the_other_has_answered(seed in 1u64..1_000_000, repeated in 0u64..40) {
        let mut net = Net::new(seed, 0, repeated);
        net.call(0);
        net.pass(Duration::from_secs(2));
        net.act(Act { what: What::Answer, which: 1, wait: 4000 });
        prop_assert_eq!(net.answered.get(&net.begun[0]), Some(&1));
        net.act(Act { what: What::Offer, which: 0, wait: 1000 });
        net.act(Act { what: What::End, which: 1, wait: 3000 });
        prop_assert_eq!(net.ended.get(&net.begun[0]), Some(&1));
    }
}

#[test]
fn ten_thousand_calls_leave_nothing_behind() {
    let mut net = Net::new(7, 0, 0);
    for _ in 0..200 {
        for _ in 0..50 {
            net.call(0);
        }
        net.pass(Duration::from_secs(1));
        for (node, leg) in std::mem::take(&mut net.begun) {
            net.nodes[node].legs.answer(leg, "v=0".into(), net.now);
            net.nodes[node].legs.end(leg, Reason::Plain, net.now);
        }
        net.pass(Duration::from_secs(3));
        net.ended.clear();
        net.answered.clear();
    }
    net.finish();
    for node in &net.nodes {
        assert!(node.legs.is_empty() && node.table.is_empty());
        assert_eq!(node.legs.waiting(), (0, 0));
    }
}
