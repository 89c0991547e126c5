//! Legs against the flows of RFC 3261, 4028, 5359, 5407 and 6337, on a time that tests move.

mod called;
mod calling;
pub(crate) mod node;
pub(crate) mod random;
mod within;

use std::time::Duration;

use self::node::{Bench, header, invite, method, request, response};
use super::{End, Event, LegId, Login, Reach, Reason};
use crate::message::Code;

const CONTACT: &str = "Contact: <sip:anna@10.0.0.9:5070>";

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// A call of ours that was answered: its leg, and the ACK.
fn up(bench: &mut Bench, lines: &[&str]) -> (LegId, String) {
    let (leg, sent) = bench.call(bench.peer, Reach::Flow, None);
    let lines = [&[CONTACT], lines].concat();
    let ack = bench.says(&response(&sent, "200", "a", &lines, "v=answer")).remove(0);
    bench.node.news();
    (leg, ack)
}

fn ended(end: End) -> Vec<Event> {
    vec![Event::Ended(end)]
}
