//! How calls sounded, as metrics and for the log.

use metrics::{counter, histogram};

use crate::domain::{MediaQuality, SoftphoneLeg, SoftphoneNews};

/// Counts what is told at a call's end.
pub(super) fn note(leg: SoftphoneLeg, news: &SoftphoneNews) {
    let SoftphoneNews::Ended { by, quality } = news else { return };
    let by = by.name();
    counter!("offdesk_sip_calls_ended_total", "by" => by).increment(1);
    let Some(quality) = quality else { return };
    for (side, MediaQuality { received, lost, jitter }) in [("phone", quality.phone), ("twilio", quality.twilio)] {
        counter!("offdesk_call_packets_received_total", "side" => side).increment(received);
        counter!("offdesk_call_packets_lost_total", "side" => side).increment(lost);
        histogram!("offdesk_call_jitter_seconds", "side" => side).record(jitter);
        tracing::info!(call = %leg.call, leg = %leg.leg, side, received, lost, ?jitter, by, "a call has ended");
    }
}
