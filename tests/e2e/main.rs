//! End to end: the real daemon on free ports, before the stand-in for Twilio. One behaviour a test.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "modules of one binary")]

mod admin;
mod architecture;
mod chats;
mod cli;
mod confirm;
#[path = "../counterparts/mod.rs"]
mod counterparts;
mod devices;
mod door;
mod events;
mod faults;
mod house;
mod kill;
mod login;
mod openapi;
mod outcomes;
mod press_one;
mod record;
mod reports;
mod schemathesis;
mod secrets;
mod sends;
mod sessions;
mod sip;
mod spine;
