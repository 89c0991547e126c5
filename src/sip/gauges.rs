//! The engine's counters as metrics, and for the operator's eyes.

use std::net::SocketAddr;

use offdesk_sip::{
    abuse::Shed,
    driver::Bound,
    engine::{Count, Counters},
};
use serde::Serialize;

/// How SIP stands.
#[derive(Clone, Debug, Serialize)]
pub struct State {
    udp: Option<SocketAddr>,
    tcp: Option<SocketAddr>,
    tls: Option<SocketAddr>,
    accounts: u64,
    bindings: u64,
    transactions: u64,
    connections: u64,
    /// Addresses that are remembered.
    sources: u64,
    /// Customers' calls that ring at agents' softphones, or are talked at there.
    calls: usize,
}

impl State {
    pub(super) fn new(bound: Bound, counters: &Counters, calls: usize) -> Self {
        let Bound { udp, tcp, tls } = bound;
        Self {
            udp,
            tcp,
            tls,
            accounts: counters.get(Count::Accounts),
            bindings: counters.get(Count::Bindings),
            transactions: counters.get(Count::Transactions),
            connections: counters.get(Count::Connections),
            sources: counters.get(Count::Sources),
            calls,
        }
    }
}

pub(super) fn publish(counters: &Counters) {
    for count in Count::ALL {
        let value = counters.get(count);
        match count {
            Count::Messages => metrics::counter!("offdesk_sip_messages_total").absolute(value),
            Count::Registered => registers("granted", value),
            Count::Challenged => registers("challenged", value),
            Count::Wrong => registers("wrong", value),
            Count::Refused => metrics::counter!("offdesk_sip_refused_total").absolute(value),
            Count::LockedOut => metrics::counter!("offdesk_sip_lockouts_total").absolute(value),
            Count::Bindings => metrics::gauge!("offdesk_sip_bindings").set(float(value)),
            Count::Accounts => metrics::gauge!("offdesk_sip_accounts").set(float(value)),
            Count::Transactions => metrics::gauge!("offdesk_sip_transactions").set(float(value)),
            Count::Sources => metrics::gauge!("offdesk_sip_sources").set(float(value)),
            Count::Rings => metrics::counter!("offdesk_sip_rings_total").absolute(value),
            Count::AgentCalls => metrics::counter!("offdesk_sip_agent_calls_total").absolute(value),
            Count::Calls => metrics::gauge!("offdesk_sip_calls").set(float(value)),
            Count::Legs => metrics::gauge!("offdesk_sip_legs").set(float(value)),
            Count::Connections => metrics::gauge!("offdesk_sip_connections").set(float(value)),
        }
    }
    for why in Shed::ALL {
        metrics::counter!("offdesk_sip_shed_total", "reason" => why.name()).absolute(counters.shed(why));
    }
}

fn registers(outcome: &'static str, value: u64) {
    metrics::counter!("offdesk_sip_registers_total", "outcome" => outcome).absolute(value);
}

#[expect(clippy::cast_precision_loss, reason = "a count far below 2^52")]
fn float(number: u64) -> f64 {
    number as f64
}
