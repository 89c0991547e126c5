//! What operators learn of an agent: metrics and log lines.

use crate::{agent::Notice, domain::AgentId};

pub(super) fn tell(agent: AgentId, notice: &Notice) {
    let what = match notice {
        Notice::CallAnswered => "call_answered",
        Notice::CallMissed => "call_missed",
        Notice::OfferMissed => "offer_missed",
        Notice::RejectedBusy => "rejected_busy",
        Notice::WentOffline => "went_offline",
        Notice::ActivityChanged { .. } => "activity_changed",
    };
    metrics::counter!("offdesk_agent_notices_total", "notice" => what).increment(1);
    match notice {
        Notice::ActivityChanged { to } => tracing::info!(%agent, notice = what, activity = %to),
        _ => tracing::info!(%agent, notice = what),
    }
}
