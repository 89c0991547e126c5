//! The core, its phones and its Twilio on a network that loses, repeats and reorders. The peers are nodes of legs.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::world::{BOTH, DESK, HOME, TWILIO, ULAW, World, address, secs};
use crate::{
    engine::{CallId, Caller, Command, Event, Ring, tests::house::DOMAIN},
    leg::{
        Invite, LegId, Login, Random, Reach, Reason,
        tests::node::{Node, random},
    },
    message::Code,
    transport::Flow,
};

pub(super) const PEERS: [&str; 3] = [DESK, HOME, TWILIO];
const US: &str = "192.0.2.1:5060";

pub(super) struct Net {
    pub(super) world: World,
    /// Two phones, and Twilio.
    pub(super) nodes: [Node; 3],
    /// When what arrives, from which peer or to which; numbered, since several may arrive at once.
    flight: BTreeMap<(Instant, u64), (Way, Bytes)>,
    pub(super) dice: Box<dyn Random>,
    lost: u64,
    repeated: u64,
    /// Legs of the peers that began, by node.
    pub(super) begun: Vec<(usize, LegId)>,
}

#[derive(Clone, Copy)]
enum Way {
    From(usize),
    To(usize),
}

impl Net {
    pub(super) fn new(seed: u64, lost: u64, repeated: u64) -> Self {
        let mut world = World::new();
        world.registers(DESK, 1, "");
        world.registers(HOME, 2, "");
        let nodes = [0, 1, 2].map(|which| Node::new(PEERS[which], seed + which as u64 + 1));
        Self { world, nodes, flight: BTreeMap::new(), dice: random(seed), lost, repeated, begun: Vec::new() }
    }

    pub(super) fn now(&self) -> Instant {
        self.world.house.now.instant
    }

    fn collect(&mut self) {
        let now = self.now();
        let mut out = Vec::new();
        for (flow, text) in std::mem::take(&mut self.world.sent) {
            let to = PEERS.iter().position(|peer| address(peer) == flow.peer).expect("a peer");
            out.push((Way::To(to), Bytes::from(text)));
        }
        for (which, node) in self.nodes.iter_mut().enumerate() {
            node.settle(None, now);
            out.extend(std::mem::take(&mut node.sent).into_iter().map(|(_, bytes)| (Way::From(which), bytes)));
            self.begun.extend(std::mem::take(&mut node.called).into_iter().map(|(leg, _)| (which, leg)));
            node.events.clear();
        }
        for (way, bytes) in out {
            let copies = 1 + u64::from(self.dice.bits() % 100 < self.repeated);
            for _ in 0..copies {
                if self.dice.bits() % 100 >= self.lost {
                    let delay = Duration::from_millis(1 + self.dice.bits() % 400);
                    self.flight.insert((now + delay, self.dice.bits()), (way, bytes.clone()));
                }
            }
        }
    }

    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now() + time;
        loop {
            self.collect();
            let core = self.world.house.core.next_timeout(self.world.house.now);
            let nodes = self.nodes.iter().filter_map(Node::next_timeout);
            let arrival = self.flight.keys().next().map(|(at, _)| *at);
            let Some(at) = nodes.chain(arrival).chain(core).min().filter(|at| *at <= end) else { break };
            let at = at.max(self.now());
            self.world.house.move_to(at);
            if let Some(arrived) = self.flight.first_entry().filter(|first| first.key().0 <= at) {
                let (way, bytes) = arrived.remove();
                match way {
                    Way::To(which) => self.nodes[which].receive(bytes, Flow::udp(address(US)), at),
                    Way::From(which) => self.world.says(PEERS[which], std::str::from_utf8(&bytes).unwrap()),
                }
            } else {
                self.nodes.iter_mut().for_each(|node| node.timeout(at));
                // What is due now is done now; the registrar's ticks are whole seconds.
                self.world.house.move_to(at + Duration::from_micros(1));
                self.world.pass(Duration::ZERO);
            }
        }
        self.world.house.move_to(end.max(self.now()));
    }

    pub(super) fn ring(&mut self, call: CallId) {
        let ring = Ring { call, user: "anna".parse().unwrap(), caller: Caller::default(), ring: secs(20) };
        self.world.command(Command::Ring(Box::new(ring)));
    }

    /// Twilio calls the ticket that was told last.
    pub(super) fn twilio_calls(&mut self, ticket: &str) {
        let invite = Invite {
            target: format!("sip:{ticket}@{DOMAIN}").into(),
            routes: Vec::new(),
            flow: Flow::udp(address(US)),
            reach: Reach::Flow,
            from: "<sip:+15550100@twilio.example>".into(),
            to: format!("<sip:{ticket}@{DOMAIN}>").into(),
            headers: Vec::new(),
            sdp: ULAW.into(),
            until: self.now() + secs(20),
            login: None,
        };
        let leg = self.nodes[2].legs.call(invite, self.now()).unwrap();
        self.begun.push((2, leg));
    }

    /// Berta, who is where Twilio would be, calls Anna.
    pub(super) fn berta_calls(&mut self) {
        let invite = Invite {
            target: format!("sip:anna@{DOMAIN}").into(),
            routes: Vec::new(),
            flow: Flow::udp(address(US)),
            reach: Reach::Flow,
            from: format!("<sip:berta@{DOMAIN}>").into(),
            to: format!("<sip:anna@{DOMAIN}>").into(),
            headers: Vec::new(),
            sdp: BOTH.into(),
            until: self.now() + secs(40),
            login: Some(Arc::new(Login::new("berta", "hidden"))),
        };
        let leg = self.nodes[2].legs.call(invite, self.now()).unwrap();
        self.begun.push((2, leg));
    }

    /// A peer does something with one of its legs.
    pub(super) fn act(&mut self, which: usize, what: u8) {
        let Some((node, leg)) = self.begun.get(which % self.begun.len().max(1)).copied() else { return };
        let (now, sdp) = (self.now(), if node == 2 { ULAW } else { BOTH });
        let legs = &mut self.nodes[node].legs;
        match what {
            0 => legs.progress(leg, Code::RINGING, None, now),
            1 => legs.refuse(leg, Code::BUSY_HERE, now),
            2 => legs.refuse(leg, Code::DECLINE, now),
            3 => legs.offer(leg, sdp.into(), now),
            4 => legs.end(leg, Reason::Plain, now),
            _ => legs.answer(leg, sdp.into(), now),
        }
    }

    /// Live legs of the phones.
    pub(super) fn phones_up(&self) -> usize {
        self.nodes[0].legs.len() + self.nodes[1].legs.len()
    }

    pub(super) fn tickets(&self) -> Vec<String> {
        let ticket = |event: &Event| match event {
            Event::Answered { ticket, .. } => Some(ticket.to_string()),
            _ => None,
        };
        self.world.events.iter().filter_map(ticket).collect()
    }
}
