//! Pushes, from the outbox to the providers: the real pusher before a stand-in for push services and FCM, on a clock that
//! only the test moves.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(unreachable_pub, reason = "modules of one binary")]

#[path = "../counterparts/mod.rs"]
mod counterparts;
mod delivery;
mod fcm;
mod outbox;
mod post;
mod provider;
mod webpush;
