//! What the benchmarks share: processes that are measured, a stand-in for Twilio, webhooks as Twilio signs them, and load.

#![allow(dead_code, reason = "each benchmark uses another part of it")]
#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]
#![allow(clippy::disallowed_methods, reason = "the machine's clock is what is measured by")]

pub(crate) mod admin;
pub(crate) mod daemon;
pub(crate) mod figures;
pub(crate) mod load;
pub(crate) mod phones;
pub(crate) mod process;
pub(crate) mod twilio;
pub(crate) mod webhook;

/// The address that webhooks are signed for.
pub(crate) const PUBLIC_URL: &str = "https://gw.example.com";
pub(crate) const AUTH_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The token for the admin API.
pub(crate) const BOOTSTRAP: &str = "bootstrap-0123456789abcdef";

/// A sid made of its prefix and a number.
pub(crate) fn sid(prefix: &str, number: usize) -> String {
    format!("{prefix}{number:032x}")
}

/// An argument of the benchmark itself; cargo adds `--bench`.
pub(crate) fn argument(name: &str) -> bool {
    std::env::args().any(|argument| argument == name)
}
