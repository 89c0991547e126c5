//! Whole messages: in a datagram, and one after the other on a stream.
#![no_main]

#[path = "../../sip/tests/laws/mod.rs"]
#[allow(dead_code, reason = "each target holds its inputs against some of the laws")]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laws::message(bytes));
