use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::super::bridge::{Bridge, Leg, Onward};
use super::super::gate::Reach;
use super::super::leg::Channel;
use super::super::remote::Remote;
use super::{address, audio, clock, rtcp, rtp};
use crate::sdp::{Audio, Codec, Direction, Format};

const PHONE: &str = "192.0.2.1:4000";
const PHONE_RTCP: &str = "192.0.2.1:4001";
const TWILIO: &str = "192.0.2.2:6000";
const TWILIO_RTCP: &str = "192.0.2.2:6001";

/// Two connected legs: the phone's is A.
struct Bench {
    bridge: Bridge,
    now: Instant,
}

impl Bench {
    /// What `change` does to the peers' descriptions, that of A first.
    fn new(change: impl FnOnce(&mut Audio, &mut Audio)) -> Self {
        let (mut phone, mut twilio) = (audio(address(PHONE)), audio(address(TWILIO)));
        change(&mut phone, &mut twilio);
        let now = clock();
        let mut bench = Self { bridge: Bridge::new(now), now };
        bench.connect(Leg::A, &phone);
        bench.connect(Leg::B, &twilio);
        bench
    }

    /// Ours says what theirs does, but for the place.
    fn connect(&mut self, leg: Leg, theirs: &Audio) {
        let mut ours = theirs.clone();
        ours.address = [203, 0, 113, 10].into();
        let remote = Remote::new(theirs, &ours, Reach::AsDescribed);
        self.bridge.connect(leg, remote, self.now, Duration::from_secs(3));
    }

    fn hear(&mut self, leg: Leg, channel: Channel, from: &str, packet: &mut [u8]) -> Option<(Channel, SocketAddr)> {
        let Onward { to, .. } = self.bridge.packet(leg, channel, address(from), packet, self.now);
        self.now += Duration::from_millis(20);
        to
    }
}

fn to(channel: Channel, place: &str) -> Option<(Channel, SocketAddr)> {
    Some((channel, address(place)))
}

#[test]
fn a_packet_goes_on_as_it_is() {
    let mut bench = Bench::new(|_, _| {});
    for payload_type in [0, 8, 101] {
        let mut packet = rtp(payload_type, 1, 1);
        assert_eq!(bench.hear(Leg::A, Channel::Rtp, PHONE, &mut packet), to(Channel::Rtp, TWILIO));
        assert_eq!(packet, rtp(payload_type, 1, 1));
    }
}

#[test]
fn what_was_not_agreed_on_is_dropped_and_counted() {
    let mut bench = Bench::new(|phone, _| phone.formats.retain(|format| format.codec != Codec::Pcma));
    for mut packet in [rtp(8, 1, 1), rtp(18, 1, 1), rtp(0, 1, 1)[..11].to_vec(), vec![], vec![0; 172]] {
        assert_eq!(bench.hear(Leg::A, Channel::Rtp, PHONE, &mut packet), None);
    }
    assert_eq!(bench.bridge.report().a.unfit, 5);
    // What the other side cannot take.
    assert_eq!(bench.hear(Leg::B, Channel::Rtp, TWILIO, &mut rtp(8, 1, 1)), None);
    assert_eq!(bench.bridge.report().b.received, 1);
}

#[test]
fn keys_are_counted_once_each_and_numbered_as_the_other_leg_does() {
    let renumber = |format: &mut Format| {
        if format.codec == Codec::TelephoneEvent {
            format.payload_type = 96;
        }
    };
    let mut bench = Bench::new(|_, twilio| twilio.formats.iter_mut().for_each(renumber));
    bench.hear(Leg::A, Channel::Rtp, PHONE, &mut rtp(0, 1, 1));
    let event = |sequence: u16, timestamp: u32| {
        let packet = rtp_rs::RtpPacketBuilder::new().payload_type(101).ssrc(1).sequence(sequence.into());
        packet.timestamp(timestamp).marked(true).payload(&[5, 10, 0, 160]).build().unwrap()
    };
    for (sequence, timestamp) in [(2, 160), (3, 160), (4, 160), (5, 4000), (6, 4000)] {
        let mut packet = event(sequence, timestamp);
        assert_eq!(bench.hear(Leg::A, Channel::Rtp, PHONE, &mut packet), to(Channel::Rtp, TWILIO));
        let mut expected = event(sequence, timestamp);
        expected[1] = 0x80 | 96;
        assert_eq!(packet, expected);
    }
    assert_eq!(bench.bridge.report().a.keys, 2);
}

#[test]
fn a_leg_that_holds_is_sent_nothing_but_rtcp_and_is_not_found_silent() {
    let mut bench = Bench::new(|phone, _| phone.direction = Direction::SendOnly);
    assert_eq!(bench.hear(Leg::B, Channel::Rtp, TWILIO, &mut rtp(0, 1, 1)), None);
    assert_eq!(bench.hear(Leg::B, Channel::Rtcp, TWILIO_RTCP, &mut rtcp(1)), to(Channel::Rtcp, PHONE_RTCP));
    let later = bench.now + Duration::from_secs(100);
    assert_eq!(bench.bridge.leg(Leg::A).silent_for(later), Duration::ZERO);
    bench.connect(Leg::A, &audio(address(PHONE)));
    assert_eq!(bench.hear(Leg::B, Channel::Rtp, TWILIO, &mut rtp(0, 1, 2)), to(Channel::Rtp, PHONE));
    assert!(bench.bridge.leg(Leg::A).silent_for(later) > Duration::from_secs(90));
}

#[test]
fn rtcp_finds_its_way_between_legs_that_multiplex_it_and_legs_that_do_not() {
    for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut bench = Bench::new(|phone, twilio| (phone.rtcp_mux, twilio.rtcp_mux) = (a, b));
        bench.hear(Leg::A, Channel::Rtp, PHONE, &mut rtp(0, 1, 1));
        bench.hear(Leg::B, Channel::Rtp, TWILIO, &mut rtp(0, 2, 1));
        let expected = if b { to(Channel::Rtp, TWILIO) } else { to(Channel::Rtcp, TWILIO_RTCP) };
        let (channel, from) = if a { (Channel::Rtp, PHONE) } else { (Channel::Rtcp, PHONE_RTCP) };
        assert_eq!(bench.hear(Leg::A, channel, from, &mut rtcp(1)), expected, "{a} {b}");
        assert_eq!(bench.hear(Leg::A, channel, "192.0.2.66:9", &mut rtcp(1)), None);
        let report = bench.bridge.report().a;
        assert_eq!((report.rtcp, report.foreign, report.received), (1, 1, 1));
    }
}

#[test]
fn rtcp_of_a_phone_behind_a_nat_is_answered_where_it_comes_from() {
    let mut bench = Bench::new(|_, _| {});
    let private = audio(address("192.168.1.20:7078"));
    let nat = Reach::MaybeNat { signalled: Some([192, 0, 2, 1].into()) };
    bench.bridge.connect(Leg::A, Remote::new(&private, &private, nat), bench.now, Duration::from_secs(3));
    for number in 1..4 {
        bench.hear(Leg::A, Channel::Rtp, PHONE, &mut rtp(0, 1, number));
    }
    assert_eq!(bench.hear(Leg::B, Channel::Rtcp, TWILIO_RTCP, &mut rtcp(2)), to(Channel::Rtcp, PHONE_RTCP));
    bench.hear(Leg::A, Channel::Rtcp, "192.0.2.1:55555", &mut rtcp(1));
    assert_eq!(bench.hear(Leg::B, Channel::Rtcp, TWILIO_RTCP, &mut rtcp(2)), to(Channel::Rtcp, "192.0.2.1:55555"));
    assert_eq!(bench.hear(Leg::A, Channel::Rtcp, "192.0.2.1:55556", &mut rtcp(1)), None);
}

#[test]
fn a_phone_that_is_muted_shows_otherwise_that_it_is_there() {
    const MUTED: Duration = Duration::from_secs(20);
    let mut bench = Bench::new(|_, _| {});
    bench.hear(Leg::A, Channel::Rtp, PHONE, &mut rtp(0, 1, 1));
    let signs = [
        (Channel::Rtcp, PHONE_RTCP, rtcp(1), true),
        (Channel::Rtp, PHONE, rtp(13, 1, 2), true),
        (Channel::Rtp, PHONE, rtp(19, 1, 3), false),
        (Channel::Rtp, PHONE, rtp(13, 9, 3), false),
        (Channel::Rtp, "192.0.2.66:4000", rtp(13, 1, 3), false),
        (Channel::Rtcp, "192.0.2.66:4001", rtcp(1), false),
    ];
    for (channel, from, mut packet, is_one) in signs {
        bench.now += MUTED;
        let onward = bench.hear(Leg::A, channel, from, &mut packet);
        assert_eq!(onward.is_some(), channel == Channel::Rtcp && is_one, "nobody agreed to comfort noise");
        let silent = bench.bridge.leg(Leg::A).silent_for(bench.now);
        assert_eq!(silent < MUTED, is_one, "{channel:?} {from}");
    }
    let report = bench.bridge.report().a;
    assert_eq!((report.received, report.unfit, report.lost), (2, 3, 0));
}

#[test]
fn the_same_description_again_changes_nothing() {
    let mut bench = Bench::new(|_, _| {});
    bench.hear(Leg::A, Channel::Rtp, PHONE, &mut rtp(0, 1, 1));
    bench.connect(Leg::A, &audio(address(PHONE)));
    let onward = bench.bridge.packet(Leg::A, Channel::Rtp, address(PHONE), &mut rtp(0, 1, 2), bench.now);
    assert_eq!(onward, Onward { to: to(Channel::Rtp, TWILIO), locked: false });
}

#[test]
fn a_call_whose_other_leg_is_not_there_yet_sends_nothing() {
    let now = clock();
    let mut bench = Bench { bridge: Bridge::new(now), now };
    bench.connect(Leg::A, &audio(address(PHONE)));
    assert_eq!(bench.hear(Leg::A, Channel::Rtp, PHONE, &mut rtp(0, 1, 1)), None);
    assert_eq!(bench.hear(Leg::B, Channel::Rtp, TWILIO, &mut rtp(0, 1, 1)), None);
    assert_eq!((bench.bridge.report().a.received, bench.bridge.report().b.received), (1, 0));
}
