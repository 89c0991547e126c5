//! STUN datagrams: keep-alives.
#![no_main]

use offdesk_sip::transport::stun::Binding;

libfuzzer_sys::fuzz_target!(|datagram: &[u8]| {
    if let Some(binding) = Binding::parse(datagram) {
        for peer in ["192.0.2.7:5062", "[2001:db8::1]:5062"] {
            let answer = binding.answer(peer.parse().unwrap());
            assert!(answer.len() <= datagram.len() + 24 && answer.len() % 4 == 0);
            assert_eq!(answer[8..20], datagram[8..20], "the same transaction");
            assert_eq!(Binding::parse(&answer), None, "an answer is no request");
        }
    }
});
