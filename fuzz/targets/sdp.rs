//! Session descriptions.
#![no_main]

#[path = "../../sip/tests/laws/mod.rs"]
#[allow(dead_code, reason = "each target holds its inputs against some of the laws")]
mod laws;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    laws::description(bytes);
    laws::description(&[b"v=0\r\nc=IN IP4 192.0.2.1\r\n", bytes].concat());
});
