//! Values of Authorization.
#![no_main]

#[path = "../../sip/tests/laws/mod.rs"]
#[allow(dead_code, reason = "each target holds its inputs against some of the laws")]
mod laws;

libfuzzer_sys::fuzz_target!(|value: &str| {
    laws::credentials(value);
    laws::value_of("Authorization", value.as_bytes());
});
