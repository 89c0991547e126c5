//! Twilio's rules, one a test, against the pure world.

mod bench;
mod instructing;
mod leaving;
mod offering;
mod refusing;
mod reporting;
mod verifying;
