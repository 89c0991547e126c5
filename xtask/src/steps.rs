//! Progress: one line as a step begins, one as it ends, and a closing line that says what was done and what was left out.

use std::time::{Duration, Instant};

use crate::error::Result;

/// The steps of one command.
#[derive(Debug)]
pub(crate) struct Steps {
    command: &'static str,
    started: Instant,
    passed: usize,
    left_out: Vec<String>,
}

// === impl Steps ===

impl Steps {
    pub(crate) fn new(command: &'static str) -> Self {
        Self { command, started: Instant::now(), passed: 0, left_out: Vec::new() }
    }

    /// Does one step; the first one that fails ends the command.
    pub(crate) fn run<T>(&mut self, name: &str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        eprintln!("==> {}: {name}", self.command);
        let started = Instant::now();
        let result = step();
        let took = seconds(started.elapsed());
        match &result {
            Ok(_) => {
                self.passed += 1;
                eprintln!("==> {}: {name}: passed in {took}", self.command);
            }
            Err(_) => eprintln!("==> {}: {name}: FAILED after {took}", self.command),
        }
        result
    }

    /// Notes what this run does not cover.
    pub(crate) fn leave_out(&mut self, what: impl Into<String>) {
        self.left_out.push(what.into());
    }

    /// The command's last line.
    pub(crate) fn close(self) {
        println!("{}", self.summary(self.started.elapsed()));
    }

    fn summary(&self, took: Duration) -> String {
        let left_out =
            if self.left_out.is_empty() { String::new() } else { format!("; left out: {}", self.left_out.join(", ")) };
        format!("{}: {} steps passed in {}{left_out}", self.command, self.passed, seconds(took))
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn the_last_line_counts_the_steps_that_passed() {
        let mut steps = Steps::new("test");
        steps.run("one", || Ok(())).unwrap();
        steps.run("two", || Ok(())).unwrap();
        assert_eq!(steps.summary(Duration::from_millis(1500)), "test: 2 steps passed in 1.5 s");
    }

    #[test]
    fn the_last_line_says_what_was_left_out() {
        let mut steps = Steps::new("test");
        steps.leave_out("node");
        steps.leave_out("deny");
        assert_eq!(steps.summary(Duration::ZERO), "test: 0 steps passed in 0.0 s; left out: node, deny");
    }

    #[test]
    fn a_step_that_fails_does_not_count() {
        let mut steps = Steps::new("test");
        steps.run::<()>("one", || Err(Error::new("no"))).unwrap_err();
        assert_eq!(steps.passed, 0);
    }
}
