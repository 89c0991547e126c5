//! Figures of several runs: the median, and how far the runs lie apart.

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

/// One figure of every run.
#[derive(Debug, Clone)]
pub(crate) struct Runs {
    sorted: Vec<f64>,
    unit: &'static str,
}

// === impl Runs ===

impl Runs {
    pub(crate) fn new(values: impl IntoIterator<Item = f64>, unit: &'static str) -> Self {
        let mut sorted: Vec<_> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted, unit }
    }

    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The smallest value that at least this part of all values does not exceed.
    pub(crate) fn quantile(&self, part: f64) -> f64 {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the list")]
        let rank = (part * self.sorted.len() as f64).ceil() as usize;
        self.sorted[rank.clamp(1, self.sorted.len()) - 1]
    }
}

impl fmt::Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, last) = (self.quantile(0.0), self.quantile(1.0));
        write!(f, "{:.2} {unit} ({first:.2} to {last:.2})", self.median(), unit = self.unit)
    }
}

/// What was aimed at, and whether it was reached.
#[derive(Debug, Default)]
pub(crate) struct Targets {
    missed: usize,
}

// === impl Targets ===

impl Targets {
    pub(crate) fn at_least(&mut self, what: &str, value: f64, least: f64) {
        self.judge(what, value >= least, &format!("{value:.2}, at least {least:.2}"));
    }

    pub(crate) fn at_most(&mut self, what: &str, value: f64, most: f64) {
        self.judge(what, value <= most, &format!("{value:.2}, at most {most:.2}"));
    }

    fn judge(&mut self, what: &str, reached: bool, figures: &str) {
        println!("{} {what}: {figures}", if reached { "reached" } else { "MISSED " });
        self.missed += usize::from(!reached);
    }

    /// Success only if every target was reached.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn micros_each(duration: Duration, count: usize) -> f64 {
    duration.as_secs_f64() * 1e6 / count as f64
}
