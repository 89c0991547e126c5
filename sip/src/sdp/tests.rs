use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

const OURS: Place = Place { address: std::net::IpAddr::V4(Ipv4Addr::new(203, 0, 113, 10)), port: 20_000 };

/// As Twilio's edge offers.
const TWILIO: &str = "v=0\r\no=root 1868 1868 IN IP4 168.86.149.12\r\ns=Twilio Media Gateway\r\nc=IN IP4 168.86.149.12\r\n\
    t=0 0\r\nm=audio 14312 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n\
    a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:20\r\na=sendrecv\r\n";

/// As a phone offers that would rather have video, ICE and encryption.
const PHONE: &str = "v=0\r\no=anna 3 7 IN IP4 192.168.1.20\r\ns=Talk\r\nc=IN IP4 192.168.1.20\r\nb=AS:380\r\nt=0 0\r\n\
    a=ice-pwd:d14fc5e6a0\r\na=ice-ufrag:e11b2aa4\r\na=rtcp-xr:rcvr-rtt=all:10000\r\n\
    m=audio 7078 RTP/AVP 96 97 8 0 98 99\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:97 speex/16000\r\n\
    a=rtpmap:98 telephone-event/48000\r\na=rtpmap:99 telephone-event/8000\r\na=ptime:30\r\n\
    a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n\
    a=candidate:1 1 UDP 2130706303 192.168.1.20 7078 typ host\r\na=rtcp:7079 IN IP4 192.168.1.20\r\n\
    a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=rtcp-mux\r\na=sendonly\r\n\
    m=video 9078 RTP/AVP 100\r\na=rtpmap:100 VP8/90000\r\na=recvonly\r\nm=application 0 UDP/BFCP *\r\n";

fn parse(text: &str) -> Description {
    Description::parse(text.as_bytes()).unwrap()
}

fn error(text: &str) -> SdpError {
    Description::parse(text.as_bytes()).unwrap_err()
}

/// An offer with these lines behind the session's.
fn with(lines: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{lines}")
}

#[test]
fn twilios_offer_is_read() {
    let audio = parse(TWILIO).audio;
    assert_eq!(audio.rtp(), Some("168.86.149.12:14312".parse().unwrap()));
    assert_eq!(audio.rtcp(), Some("168.86.149.12:14313".parse().unwrap()));
    assert_eq!(audio.voice(), Some(Format { payload_type: 0, codec: Codec::Pcmu }));
    assert_eq!(audio.payload_type(Codec::TelephoneEvent), Some(101));
    assert_eq!((audio.payload_type(Codec::Pcma), audio.ptime, audio.rtcp_mux), (None, Some(20), false));
}

#[test]
fn an_offer_goes_on_with_our_place_and_what_the_relay_carries() {
    assert_eq!(
        parse(PHONE).relayed(OURS).write(Origin::new(40).next()),
        "v=0\r\no=- 10 2 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 8 0 99\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n\
         a=rtpmap:99 telephone-event/8000\r\na=fmtp:99 0-15\r\na=ptime:30\r\na=rtcp-mux\r\na=sendonly\r\n\
         m=video 0 RTP/AVP 100\r\nm=application 0 UDP/BFCP *\r\n"
    );
}

#[test]
fn an_answer_has_the_offers_lines_and_payload_types_and_what_both_sides_can() {
    let offer = parse(PHONE);
    let other = parse(TWILIO).audio;
    assert_eq!(
        offer.answered(&other, OURS).unwrap().write(Origin::new(40)),
        "v=0\r\no=- 10 1 IN IP4 203.0.113.10\r\ns=-\r\nc=IN IP4 203.0.113.10\r\nt=0 0\r\n\
         m=audio 20000 RTP/AVP 0 99\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:99 telephone-event/8000\r\n\
         a=fmtp:99 0-15\r\na=ptime:20\r\na=rtcp-mux\r\na=recvonly\r\n\
         m=video 0 RTP/AVP 100\r\nm=application 0 UDP/BFCP *\r\n"
    );
}

#[test]
fn an_offer_of_ours_is_answered_and_the_answer_answers_a_later_offer() {
    let ours = Description::offer(OURS, &[Voice::Pcmu, Voice::Pcma]);
    assert_eq!(parse(&ours.write(Origin::new(1))), ours);
    let phone = parse(&with("m=audio 4000 RTP/AVP 0\r\n")).audio;
    let answer = parse(TWILIO).answered(&phone, OURS).unwrap();
    assert_eq!(answer.audio.formats, [Format { payload_type: 0, codec: Codec::Pcmu }]);
    assert_eq!(answer.audio.direction, Direction::SendRecv);
}

#[test]
fn legs_without_a_common_voice_are_told_apart() {
    let phone = parse(&with("m=audio 4000 RTP/AVP 8\r\n")).audio;
    assert_eq!(parse(TWILIO).answered(&phone, OURS), Err(SdpError::NoCodec));
}

#[test]
fn holds_of_both_kinds_go_on() {
    for (lines, expected, rtp) in [
        ("m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n", Direction::SendOnly, true),
        ("m=audio 4000 RTP/AVP 0\r\na=inactive\r\n", Direction::Inactive, true),
        ("a=recvonly\r\nm=audio 4000 RTP/AVP 0\r\n", Direction::RecvOnly, true),
        ("a=recvonly\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n", Direction::SendRecv, true),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n", Direction::SendOnly, false),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\na=recvonly\r\n", Direction::Inactive, false),
    ] {
        let offer = parse(&with(lines));
        assert_eq!((offer.audio.direction, offer.audio.rtp().is_some()), (expected, rtp), "{lines}");
        let relayed = offer.relayed(OURS);
        assert_eq!((relayed.audio.direction, relayed.audio.rtp().is_some()), (expected, true), "{lines}");
    }
}

#[test]
fn an_answers_direction_fits_the_offers() {
    use Direction::{Inactive, RecvOnly, SendOnly, SendRecv};
    for (offer, wish, answer) in [
        (SendRecv, SendRecv, SendRecv),
        (SendRecv, SendOnly, SendOnly),
        (SendOnly, SendRecv, RecvOnly),
        (SendOnly, SendOnly, Inactive),
        (RecvOnly, SendRecv, SendOnly),
        (Inactive, SendRecv, Inactive),
    ] {
        assert_eq!(offer.answered(wish), answer, "{offer:?} {wish:?}");
    }
}

#[test]
fn rtcp_is_found_where_it_is_said_to_be() {
    for (lines, expected) in [
        ("", Some("192.0.2.1:4001")),
        ("a=rtcp:5000\r\n", Some("192.0.2.1:5000")),
        ("a=rtcp:5000 IN IP4 192.0.2.7\r\n", Some("192.0.2.7:5000")),
        ("a=rtcp:5000 IN IP6 2001:db8::7\r\n", Some("[2001:db8::7]:5000")),
        ("a=rtcp:9 IN IP4 0.0.0.0\r\n", None),
        ("a=rtcp:seven\r\n", Some("192.0.2.1:4001")),
    ] {
        let audio = parse(&with(&format!("m=audio 4000 RTP/AVP 0\r\n{lines}"))).audio;
        assert_eq!(audio.rtcp(), expected.map(|place| place.parse().unwrap()), "{lines}");
        assert_eq!(audio.rtp(), Some("192.0.2.1:4000".parse().unwrap()), "{lines}");
    }
}

#[test]
fn an_answer_multiplexes_rtcp_only_if_the_offer_does() {
    let mux = parse(&with("m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n"));
    let plain = parse(&with("m=audio 4000 RTP/AVP 0\r\n"));
    assert!(mux.answered(&plain.audio, OURS).unwrap().audio.rtcp_mux);
    assert!(!plain.answered(&mux.audio, OURS).unwrap().audio.rtcp_mux);
}

#[test]
fn the_first_audio_that_fits_is_taken() {
    let offer = parse(&with(
        "m=audio 4000 RTP/SAVP 0\r\nm=audio 4002 RTP/AVP 9\r\nm=audio 4004 RTP/AVPF 96\r\na=rtpmap:96 pcma/8000\r\n\
         m=audio 4006 RTP/AVP 0\r\n",
    ));
    assert_eq!((offer.audio.port, offer.audio.profile), (4004, Profile::Avpf));
    assert_eq!(offer.audio.formats, [Format { payload_type: 96, codec: Codec::Pcma }]);
    let answer = offer.answered(&offer.audio, OURS).unwrap().write(Origin::new(0));
    let lines: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(
        lines,
        ["m=audio 0 RTP/SAVP 0", "m=audio 0 RTP/AVP 9", "m=audio 20000 RTP/AVPF 96", "m=audio 0 RTP/AVP 0"]
    );
}

#[test]
fn addresses_of_both_families_are_read_and_written() {
    let text = "v=0\no=- 1 1 IN IP6 2001:db8::1\ns=-\nt=0 0\nm=audio 4000 RTP/AVP 0\nc=IN IP6 2001:db8::1\n";
    let offer = parse(text);
    assert_eq!(offer.audio.rtp(), Some("[2001:db8::1]:4000".parse().unwrap()));
    let place = Place { address: "2001:db8::10".parse().unwrap(), port: 20_000 };
    let relayed = offer.relayed(place).write(Origin::new(4));
    assert!(relayed.contains("o=- 1 1 IN IP6 2001:db8::10\r\n"), "{relayed}");
    assert!(relayed.contains("c=IN IP6 2001:db8::10\r\n"), "{relayed}");
}

#[test]
fn what_cannot_be_served_is_told_from_what_is_broken() {
    let many = "m=video 1 RTP/AVP 31\r\n".repeat(MAX_MEDIA + 1);
    let secure = "m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2\r\na=fingerprint:sha-256 AB\r\n";
    for (lines, expected) in [
        ("", SdpError::NoAudio),
        ("m=video 4000 RTP/AVP 31\r\n", SdpError::NoAudio),
        ("m=audio 0 RTP/AVP 0\r\n", SdpError::NoAudio),
        ("m=audio 4000 RTP/SAVP 0\r\n", SdpError::OnlySecure),
        (secure, SdpError::OnlySecure),
        ("m=video 4000 RTP/AVP 31\r\nm=audio 4000 RTP/SAVP 0\r\n", SdpError::OnlySecure),
        ("m=audio 4000 RTP/AVP 9 96\r\na=rtpmap:96 opus/48000/2\r\n", SdpError::NoCodec),
        ("m=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n", SdpError::NoCodec),
        ("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n", SdpError::NoCodec),
        ("m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000/2\r\n", SdpError::NoCodec),
        ("m=audio 65536 RTP/AVP 0\r\n", SdpError::Media),
        ("m=audio 4000 RTP/AVP\r\n", SdpError::Media),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 host.example.com\r\n", SdpError::Connection),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127\r\n", SdpError::Connection),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 239.0.0.1\r\n", SdpError::Connection),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP4 255.255.255.255\r\n", SdpError::Connection),
        ("m=audio 4000 RTP/AVP 0\r\nc=IN IP6 192.0.2.1\r\n", SdpError::Connection),
        ("nonsense\r\n", SdpError::Line),
        (&many, SdpError::TooManyMedia),
    ] {
        assert_eq!(error(&with(lines)), expected, "{lines}");
    }
    assert_eq!(error(""), SdpError::Version);
    assert_eq!(error("v=1\r\n"), SdpError::Version);
    assert_eq!(error("v=0\r\nm=audio 4000 RTP/AVP 0\r\n"), SdpError::Connection);
    assert_eq!(error(&with(&"a=x\r\n".repeat(MAX_BYTES / 5))), SdpError::TooLong);
    assert!(SdpError::OnlySecure.is_unacceptable() && !SdpError::Media.is_unacceptable());
}

#[test]
fn the_most_media_are_read() {
    let most = format!("{}m=audio 4000 RTP/AVP 0\r\n", "m=video 1 RTP/AVP 31\r\n".repeat(MAX_MEDIA - 1));
    assert_eq!(parse(&with(&most)).audio.port, 4000);
}

/// Lines that may stand before an audio stream that is taken, in any order.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "m=(audio|video) [0-9]{1,4}(/2)? (RTP/S?AVPF?|UDP/TLS/RTP/SAVP)( [0-9]{1,3}){1,5}",
        "m=audio 5000 RTP/AVPF?( 0| 8| 96| 97){1,5}",
        "a=rtpmap:(0|8|96|97|[0-9]{1,3}) (PCMU|pcma|telephone-event|opus)/(8000|48000)(/[12])?",
        "c=IN IP4 (0.0.0.0|192.0.2.[1-9])",
        "c=IN IP6 ([0-9a-f]{1,4}:){7}[0-9a-e]",
        "a=(sendrecv|sendonly|recvonly|inactive|rtcp-mux|ptime:[0-9]{1,3}|rtcp:[0-9]{1,5}( IN IP4 10.0.0.1)?)",
        "a=(crypto:1|candidate:1|\\PC{0,20})",
    ];
    proptest::collection::vec(line, 0..20).prop_map(|lines| lines.join("\r\n"))
}

/// An offer with such lines and an audio stream at its end; a random multicast address alone may spoil it.
fn offers() -> impl Strategy<Value = Description> {
    lines().prop_filter_map("an address for many", |lines| {
        Description::parse(with(&format!("{lines}\r\nm=audio 4000 RTP/AVP 0 8\r\n")).as_bytes()).ok()
    })
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), head in any::<bool>()) {
        let text = if head { [b"v=0\r\n".as_slice(), &bytes].concat() } else { bytes };
        let _ = Description::parse(&text);
    }

    #[test]
    fn what_is_written_reads_back_the_same(offer in offers(), id: u64, port in 1024..=u16::MAX) {
        let place = Place { port, ..OURS };
        let relayed = offer.relayed(place);
        let written = relayed.write(Origin::new(id));
        prop_assert_eq!(&parse(&written), &relayed);
        prop_assert!(!written.contains("crypto") && !written.contains("candidate"));
        let answer = offer.answered(&relayed.audio, place).unwrap().write(Origin::new(id));
        prop_assert_eq!(answer.matches("\r\nm=").count(), written.matches("\r\nm=").count());
    }

    #[test]
    fn an_answer_never_says_more_than_the_offer(offer in offers(), other in offers()) {
        match offer.answered(&other.audio, OURS) {
            Ok(answer) => {
                prop_assert!(answer.audio.formats.iter().all(|format| offer.audio.formats.contains(format)));
                prop_assert!(!answer.audio.direction.sends() || offer.audio.direction.receives());
                prop_assert!(!answer.audio.direction.receives() || offer.audio.direction.sends());
                prop_assert_eq!(answer.audio.profile, offer.audio.profile);
            }
            Err(error) => {
                prop_assert_eq!(error, SdpError::NoCodec);
                let has = |codec| offer.audio.payload_type(codec).is_some() && other.audio.payload_type(codec).is_some();
                prop_assert!(!has(Codec::Pcmu) && !has(Codec::Pcma));
            }
        }
    }

    #[test]
    fn any_cut_of_a_real_offer_is_read_or_refused(cut in 0..PHONE.len(), byte: u8, at in 0..PHONE.len()) {
        let mut text = PHONE.as_bytes().to_vec();
        text[at] = byte;
        text.truncate(cut);
        let _ = Description::parse(&text);
    }
}
