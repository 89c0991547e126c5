//! Values of Via.
#![no_main]

#[path = "../../sip/tests/laws/mod.rs"]
#[allow(dead_code, reason = "each target holds its inputs against some of the laws")]
mod laws;

libfuzzer_sys::fuzz_target!(|value: &[u8]| laws::value_of("Via", value));
