//! What the store promises, held against kills and power losses: no acknowledged batch is lost, no batch is half there, and
//! every disk that a crash may leave opens.
//!
//! A child process (this binary again) writes without pause. Kills are real. Power losses are made: a small library loaded
//! into the child records its writes and syncs, and a disk is built from the recording up to a random moment, in which of
//! the writes without a later fsync of their file an arbitrary part is missing.
//!
//! `OFFDESK_CRASH_ROUNDS=100` runs that many of each; `OFFDESK_CRASH_SEED` repeats a run's choices.

// The helpers of a test are tests, which clippy does not see by itself; and these are about real time: when a process is
// killed, how long one writes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod child;
mod dice;
mod image;
mod kill;
mod power;
mod pushes;
mod recording;
mod verify;
