//! The machines against the figures of RFC 3261 and RFC 6026, on a time that tests move.

mod clients;
mod properties;
mod servers;

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;
use crate::transport::{ConnectionId, Flow, Transport};

const SOURCE: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

/// A table, its time, and what it has put out.
struct Bench {
    table: Transactions,
    start: Instant,
    now: Instant,
    reliable: bool,
}

impl Bench {
    #[allow(clippy::disallowed_methods, reason = "an instant can be had in no other way; the tests move it")]
    fn new(reliable: bool) -> Self {
        let start = Instant::now();
        let table = Transactions::new(Timing::default(), Limits { all: 8, answered: 3 });
        Self { table, start, now: start, reliable }
    }

    fn flow(&self) -> Flow {
        let peer = "192.0.2.1:5060".parse().unwrap();
        match self.reliable {
            true => Flow { transport: Transport::Tcp, peer, connection: Some(ConnectionId(1)) },
            false => Flow::udp(peer),
        }
    }

    /// What was put out since the last call: texts sent, and what was told.
    fn outputs(&mut self) -> Vec<String> {
        let mut outputs = Vec::new();
        while let Some(output) = self.table.take_output() {
            outputs.push(match output {
                Output::Send { bytes, .. } => String::from_utf8(bytes.to_vec()).unwrap(),
                Output::Tell { tell, .. } => format!("{tell:?}"),
            });
        }
        outputs
    }

    /// Lets time pass, waking the table exactly when it wants; each output with its time in milliseconds.
    fn pass(&mut self, duration: Duration) -> Vec<(u128, String)> {
        let end = self.now + duration;
        let mut outputs = Vec::new();
        while let Some(at) = self.table.next_timeout().filter(|at| *at <= end) {
            self.now = at;
            self.table.timeout(at);
            let millis = (at - self.start).as_millis();
            outputs.extend(self.outputs().into_iter().map(|output| (millis, output)));
        }
        self.now = end;
        outputs
    }

    fn respond(&mut self, id: TransactionId, code: u16) -> Vec<String> {
        self.table.respond(id, Class::of(code), Bytes::from(code.to_string()), self.now);
        self.outputs()
    }

    /// A response comes in.
    fn response(&mut self, key: &ClientKey, code: u16) -> Vec<String> {
        self.table.response(key, Class::of(code), || Bytes::from(format!("ACK {code}")), self.now);
        self.outputs()
    }

    fn request(&mut self, key: &ServerKey) -> Vec<String> {
        let flow = self.flow();
        assert!(matches!(self.table.request(key, flow, self.now), Request::Known(_)));
        self.outputs()
    }

    fn invite(&mut self) -> (ServerKey, TransactionId) {
        let key = ServerKey::new("z9hG4bK1", ("192.0.2.1", None), SOURCE, "INVITE").unwrap();
        let flow = self.flow();
        assert_eq!(self.table.request(&key, flow, self.now), Request::New);
        (key.clone(), self.table.serve_invite(key, flow, Bytes::from("100"), self.now).unwrap())
    }

    fn register(&mut self, branch: u32) -> (ServerKey, TransactionId) {
        let key = ServerKey::new(&format!("z9hG4bK{branch}"), ("192.0.2.1", None), SOURCE, "REGISTER").unwrap();
        let flow = self.flow();
        (key.clone(), self.table.serve(key, flow).unwrap())
    }
}

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn times(outputs: &[(u128, String)], text: &str) -> Vec<u128> {
    outputs.iter().filter(|(_, output)| output == text).map(|(at, _)| *at).collect()
}
