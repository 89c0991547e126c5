//! URIs: alone, and the two halves of a line against each other.
#![no_main]

#[path = "../../sip/tests/laws/mod.rs"]
#[allow(dead_code, reason = "each target holds its inputs against some of the laws")]
mod laws;

libfuzzer_sys::fuzz_target!(|text: &str| {
    laws::uri(text);
    if let Some((one, other)) = text.split_once(' ') {
        laws::uris(one, other);
    }
});
