//! Twilio's rules, one a test, against the pure world.

mod accepting;
mod bench;
mod chatting;
mod ending;
mod instructing;
mod leaving;
mod offering;
mod reading;
mod refusing;
mod reporting;
mod scripted;
mod streaming;
mod verifying;
