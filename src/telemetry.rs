//! What the daemon says of itself: log lines and metrics.

use std::{
    io::{self, IsTerminal},
    panic,
};

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, ParseError, filter_fn},
    fmt,
    layer::SubscriberExt,
    registry::Registry,
    util::{SubscriberInitExt, TryInitError},
};

/// Bounds of the buckets of histograms whose names end in `_seconds`: from an fsync to a slow REST call.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0];

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error("RUST_LOG is not understood: {0}")]
    Filter(#[from] ParseError),
    #[error("the log was set up already: {0}")]
    Log(#[from] TryInitError),
    #[error("metrics were set up already: {0}")]
    Metrics(#[from] BuildError),
}

/// Sends log lines to standard error: for people on a terminal, else one JSON object a line, as journald and log shippers
/// like it. `levels` are directives as in `RUST_LOG`, such as `info,offdesk::inbox=debug`; of other people's crates nothing finer than
/// `info` is told. Panics become log lines too, in
/// whichever thread they happen.
pub fn log(levels: &str) -> Result<(), TelemetryError> {
    let filter = EnvFilter::builder().parse(levels)?.and(filter_fn(may_tell));
    let terminal = io::stderr().is_terminal();
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if terminal {
        fmt::layer().with_writer(io::stderr).with_filter(filter).boxed()
    } else {
        fmt::layer().json().flatten_event(true).with_writer(io::stderr).with_filter(filter).boxed()
    };
    tracing_subscriber::registry().with(lines).try_init()?;
    panic::set_hook(Box::new(|info| {
        let location = info.location().map(ToString::to_string).unwrap_or_default();
        let message = info.payload_as_str().unwrap_or("no message");
        tracing::error!(location, message, "a thread panicked");
    }));
    Ok(())
}

/// What other people's crates tell at their finer levels may hold what goes through them: URLs, headers, keys.
fn may_tell(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.target().starts_with("offdesk") || *metadata.level() <= tracing::Level::INFO
}

/// The process's metrics.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Makes this the place where the process's counters count. It can be done once.
    pub fn install() -> Result<Self, TelemetryError> {
        let durations = Matcher::Suffix("_seconds".into());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(durations, &SECONDS)?;
        Ok(Self(builder.install_recorder()?))
    }

    /// The metrics in Prometheus' text format, version 0.0.4.
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Folds what histograms have gathered into what they show. To be called every few seconds, read or not, since they
    /// keep every value until then.
    pub fn keep_up(&self) {
        self.0.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recorder is the process's, so this is the one test that has it.
    #[test]
    fn what_is_counted_is_rendered_and_there_is_one_place_for_it() {
        let metrics = Metrics::install().unwrap();
        metrics::counter!("offdesk_tests_total", "kind" => "unit").increment(2);
        metrics.keep_up();
        assert!(metrics.render().contains("offdesk_tests_total{kind=\"unit\"} 2"));
        assert!(Metrics::install().is_err());
    }
}
