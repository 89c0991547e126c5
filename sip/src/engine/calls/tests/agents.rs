//! Agents who call each other.

use super::world::*;
use crate::{
    engine::{
        Settings,
        tests::house::{DOMAIN, account, credentials},
    },
    leg::tests::node::{body, header, response},
    media::Leg,
};

pub(super) const BERTA: &str = "192.0.2.99:5062";

pub(super) fn two() -> World {
    two_with(|_| {})
}

pub(super) fn two_with(change: impl FnOnce(&mut Settings)) -> World {
    let mut world = World::with(change);
    world.command(account("berta", "hidden"));
    world.registers(DESK, 1, "");
    world
}

/// Berta's INVITE, challenged first; what is answered then.
pub(super) struct Berta {
    pub(super) user: &'static str,
    pub(super) from: &'static str,
    pub(super) password: &'static str,
    pub(super) peer: &'static str,
    pub(super) more: &'static str,
    pub(super) sdp: String,
    pub(super) cseq: u32,
}

impl Default for Berta {
    fn default() -> Self {
        Self { user: "anna", from: "berta", password: "hidden", peer: BERTA, more: "", sdp: BOTH.into(), cseq: 1 }
    }
}

impl Berta {
    pub(super) fn text(&self, more: &str) -> String {
        let Self { user, from, peer, sdp, cseq, .. } = self;
        format!(
            "INVITE sip:{user}@{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {peer};branch=z9hG4bKb{cseq};rport\r\n\
             {}From: \"Berta\" <sip:{from}@{DOMAIN}>;tag=be\r\nTo: <sip:{user}@{DOMAIN}>\r\nCall-ID: from-berta\r\n\
             CSeq: {cseq} INVITE\r\nContact: <sip:berta@{peer}>\r\n{more}{}",
            if self.more.contains("Max-Forwards") { "" } else { "Max-Forwards: 70\r\n" },
            body(sdp)
        )
    }

    pub(super) fn calls(&self, world: &mut World) {
        world.says(self.peer, &self.text(self.more));
        let challenge = world.one(self.peer);
        assert!(challenge.starts_with("SIP/2.0 401"), "{challenge}");
        let nonce = header(&challenge, "WWW-Authenticate").split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let uri = format!("sip:{}@{DOMAIN}", self.user);
        let credentials = credentials("berta", self.password, "INVITE", &uri, nonce, self.cseq);
        let again = Self { cseq: self.cseq + 1, sdp: self.sdp.clone(), ..*self };
        world.says(self.peer, &again.text(&format!("{}{credentials}", self.more)));
    }
}

#[test]
fn an_agent_calls_another_and_they_speak() {
    let mut world = two();
    Berta::default().calls(&mut world);
    assert!(world.to(BERTA).is_empty());
    let to_anna = world.one(DESK);
    assert!(to_anna.starts_with("INVITE sip:anna@192.0.2.7:5062 "));
    assert!(header(&to_anna, "From").starts_with("\"Berta\" <sip:berta@gw.example.com>;tag="));
    assert!(!to_anna.contains("Authorization") && !to_anna.contains("from-berta"));
    assert!(to_anna.contains("m=audio 20006 RTP/AVP 0 8 101\r\n"));
    world.says(DESK, &response(&to_anna, "180", "ph", &[CONTACT], ""));
    assert_eq!(world.methods(BERTA), ["180"]);
    world.says(DESK, &response(&to_anna, "200", "ph", &[CONTACT], ALAW));
    let ok = world.one(BERTA);
    assert!(ok.starts_with("SIP/2.0 200") && ok.contains("m=audio 20004 RTP/AVP 8\r\n"), "{ok}");
    assert_eq!(world.media(), (vec![Leg::B, Leg::A], vec![]));
    world.says(BERTA, &within(&ok, "ACK", 2, ""));
    assert_eq!(world.methods(DESK), ["ACK"]);
    world.says(BERTA, &within(&ok, "BYE", 3, ""));
    assert_eq!((world.methods(BERTA), world.methods(DESK)), (vec!["200".into()], vec!["BYE".into()]));
    world.is_clean();
    assert_eq!(world.news(), [], "its owner has nothing to do with it");
}

#[test]
fn whoever_calls_can_think_better_of_it() {
    let mut world = two();
    let berta = Berta::default();
    berta.calls(&mut world);
    let to_anna = world.one(DESK);
    world.says(DESK, &response(&to_anna, "180", "ph", &[CONTACT], ""));
    world.to(BERTA);
    let again = Berta { cseq: 2, sdp: String::new(), ..Berta::default() };
    world.says(BERTA, &again.text("").replace("INVITE sip", "CANCEL sip").replace("2 INVITE", "2 CANCEL"));
    assert_eq!(world.methods(BERTA), ["200", "487"]);
    assert_eq!(world.methods(DESK), ["CANCEL"]);
    world.says(DESK, &response(&to_anna, "487", "ph", &[], ""));
    world.is_clean();
}

#[test]
fn whoever_cannot_be_put_through_is_told_why() {
    let secure = BOTH.replace("RTP/AVP 0 8 101", "UDP/TLS/RTP/SAVPF 0");
    let berta = Berta::default;
    for (call, code) in [
        (Berta { user: "nobody", ..berta() }, "404"),
        (Berta { user: "berta", ..berta() }, "480"),
        (Berta { user: "+15550100", ..berta() }, "403"),
        (Berta { from: "anna", ..berta() }, "403"),
        (Berta { password: "guess", ..berta() }, "401"),
        (Berta { sdp: secure, ..berta() }, "488"),
        (Berta { sdp: String::new(), ..berta() }, "488"),
        (Berta { sdp: "nonsense".into(), ..berta() }, "400"),
        (Berta { more: "Max-Forwards: 0\r\n", ..berta() }, "483"),
        (Berta { more: "Require: 100rel\r\n", ..berta() }, "420"),
        (Berta { more: "Replaces: x;to-tag=a;from-tag=b\r\n", ..berta() }, "481"),
    ] {
        let mut world = two();
        call.calls(&mut world);
        assert_eq!(world.methods(BERTA), [code], "{} {}", call.user, call.more);
        assert!(world.to(DESK).is_empty());
        world.is_clean();
    }
}

#[test]
fn what_the_phones_say_is_passed_on() {
    for (said, passed) in [("486", "486"), ("603", "603"), ("404", "480")] {
        let mut world = two();
        Berta::default().calls(&mut world);
        let to_anna = world.one(DESK);
        world.says(DESK, &response(&to_anna, said, "ph", &[], ""));
        assert_eq!(world.methods(BERTA), [passed]);
        world.is_clean();
    }
}

#[test]
fn whoever_calls_themselves_rings_their_other_phones() {
    let mut world = two();
    world.registers_as("berta", "hidden", BERTA, 1, "");
    let own = Berta { user: "berta", ..Berta::default() };
    own.calls(&mut world);
    assert_eq!(world.methods(BERTA), ["480"]);
    world.registers_as("berta", "hidden", HOME, 2, "");
    Berta { cseq: 3, ..own }.calls(&mut world);
    assert_eq!((world.methods(HOME), world.methods(BERTA)), (vec!["INVITE".into()], vec![]));
    world.is_clean();
}

#[test]
fn a_user_whose_name_looks_like_a_ticket_can_be_called() {
    const HEX: &str = "0123456789abcdef0123456789abcdef";
    let mut world = two();
    world.command(account(HEX, "third"));
    world.registers_as(HEX, "third", HOME, 1, "");
    Berta { user: HEX, ..Berta::default() }.calls(&mut world);
    assert_eq!((world.methods(HOME), world.methods(BERTA)), (vec!["INVITE".into()], vec![]));
    world.says(TWILIO, &invite(HEX, "t", ULAW));
    assert_eq!(world.methods(TWILIO), ["404"], "Twilio calls tickets only");
    world.is_clean();
}

#[test]
fn privacy_goes_across_and_an_account_that_is_gone_is_in_no_call() {
    let mut world = two();
    Berta { more: "Privacy: id\r\nX-Secret: 1\r\n", ..Berta::default() }.calls(&mut world);
    let to_anna = world.one(DESK);
    assert!(to_anna.contains("Privacy: id\r\n") && !to_anna.contains("X-Secret"));
    world.says(DESK, &response(&to_anna, "200", "ph", &[CONTACT], BOTH));
    world.says(BERTA, &within(&world.sent.last().unwrap().1.clone(), "ACK", 2, ""));
    world.sent.clear();
    world.command(crate::engine::Command::RemoveAccount { user: "berta".parse().unwrap() });
    assert_eq!((world.methods(BERTA), world.methods(DESK)), (vec!["BYE".into()], vec!["BYE".into()]));
    world.is_clean();
}

#[test]
fn our_own_invite_does_not_come_in_again() {
    let mut world = two();
    Berta::default().calls(&mut world);
    let ours = world.one(DESK);
    let tag = header(&ours, "From").split(";tag=").nth(1).unwrap().to_owned();
    let berta = Berta { cseq: 11, ..Berta::default() };
    let (before, after) = ("tag=be", format!("tag={tag}"));
    world.says(BERTA, &berta.text("").replace(before, &after));
    let challenge = world.one(BERTA);
    let nonce = header(&challenge, "WWW-Authenticate").split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    let credentials = credentials("berta", "hidden", "INVITE", "sip:anna@gw.example.com", nonce, 1);
    world.says(BERTA, &Berta { cseq: 12, ..berta }.text(&credentials).replace(before, &after));
    assert_eq!(world.methods(BERTA), ["482"]);
    world.is_clean();
}
