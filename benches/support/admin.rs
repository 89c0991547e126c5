//! The admin API, call by call: how long each takes.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::BOOTSTRAP;
use super::figures::{Runs, millis};
use super::load::Connection;

/// Somebody who manages agents over one connection.
#[derive(Debug)]
pub(crate) struct Manager {
    connection: Connection,
    host: SocketAddr,
}

// === impl Manager ===

impl Manager {
    pub(crate) async fn at(host: SocketAddr) -> Self {
        Self { connection: Connection::open(host).await, host }
    }

    /// How long pages take of the agents that these searches find.
    pub(crate) async fn pages(&mut self, searches: impl Iterator<Item = String>) -> Runs {
        let mut took = Vec::new();
        for search in searches {
            let path = format!("/agents?limit=200{search}");
            took.push(millis(self.call("GET", &path, "", 200).await));
        }
        Runs::new(took, "ms")
    }

    /// How long it takes to add an agent, to change one and to remove one.
    pub(crate) async fn changes(&mut self, count: usize) -> [Runs; 3] {
        let [mut added, mut changed, mut removed] = [const { Vec::new() }; 3];
        for number in 0..count {
            let new = json!({ "phone": format!("+4917{number:09}"), "name": "New" }).to_string();
            added.push(millis(self.call("POST", "/agents", &new, 201).await));
            let agent: Value = serde_json::from_slice(self.connection.body()).unwrap();
            let path = format!("/agents/{}", agent["id"].as_str().unwrap());
            let change = json!({ "phone": format!("+4918{number:09}") }).to_string();
            changed.push(millis(self.call("PATCH", &path, &change, 200).await));
            removed.push(millis(self.call("DELETE", &path, "", 200).await));
        }
        [added, changed, removed].map(|took| Runs::new(took, "ms"))
    }

    #[allow(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]
    async fn call(&mut self, method: &str, path: &str, body: &str, status: u16) -> Duration {
        let request = format!(
            "{method} /api/v1/admin{path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {BOOTSTRAP}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.host,
            body.len(),
        );
        let begun = Instant::now();
        assert_eq!(self.connection.exchange(request.as_bytes()).await, status, "{method} {path}");
        begun.elapsed()
    }
}
