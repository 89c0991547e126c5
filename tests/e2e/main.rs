//! End-to-end tests: the real binary and the real library, one behaviour a test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cli;
