use super::*;
use crate::transport::Flow;

#[test]
fn the_ack_goes_to_the_contact_of_the_200_by_its_route_set() {
    let mut bench = Bench::new();
    let (_, sent) = bench.call(bench.peer, Reach::Routes, None);
    let lines = [
        "Record-Route: <sip:54.172.60.2:5061;transport=tls;r2=on;lr>, <sip:54.172.60.2:5060;r2=on;lr>",
        "Record-Route: <sip:203.0.113.7;lr>;x=y",
        CONTACT,
    ];
    let ok = response(&sent, "200", "a", &lines, "v=answer");
    bench.node.receive(ok.clone().into(), bench.peer, bench.now);
    let (flow, ack) = bench.node.sent.remove(0);
    assert_eq!(flow.peer, "203.0.113.7:5060".parse().unwrap());
    let ack = String::from_utf8(ack.to_vec()).unwrap();
    assert!(ack.starts_with("ACK sip:anna@10.0.0.9:5070 SIP/2.0\r\n"), "{ack}");
    let routes: Vec<_> = ack.lines().filter(|line| line.starts_with("Route")).collect();
    assert_eq!(
        routes,
        [
            "Route: <sip:203.0.113.7;lr>;x=y",
            "Route: <sip:54.172.60.2:5060;r2=on;lr>",
            "Route: <sip:54.172.60.2:5061;transport=tls;r2=on;lr>"
        ]
    );
    assert_eq!(header(&ack, "CSeq"), "1 ACK");
    assert_eq!(bench.node.news(), [Event::Answered { sdp: "v=answer".into() }]);
    let again = bench.says(&ok);
    assert_eq!(again.len(), 1, "a repeated 200 is acknowledged again");
    assert_eq!(method(&again[0]), "ACK");
    assert_eq!(bench.node.news(), []);
}

#[test]
fn a_strict_router_becomes_the_request_uri() {
    let mut bench = Bench::new();
    let (_, sent) = bench.call(bench.peer, Reach::Routes, None);
    let lines = ["Record-Route: <sip:203.0.113.8;lr>, <sip:203.0.113.7>", CONTACT];
    let ack = bench.says(&response(&sent, "200", "a", &lines, "v=answer")).remove(0);
    assert!(ack.starts_with("ACK sip:203.0.113.7 SIP/2.0\r\n"), "{ack}");
    assert!(ack.contains("Route: <sip:203.0.113.8;lr>\r\nRoute: <sip:anna@10.0.0.9:5070>\r\n"), "{ack}");
}

#[test]
fn the_first_2xx_wins_and_other_forks_are_ended() {
    let mut bench = Bench::new();
    let (_, sent) = bench.call(bench.peer, Reach::Flow, None);
    for tag in ["a", "b"] {
        assert!(bench.says(&response(&sent, "180", tag, &[CONTACT], "")).is_empty());
    }
    bench.says(&response(&sent, "200", "b", &[CONTACT], "v=b"));
    assert_eq!(bench.node.news().last(), Some(&Event::Answered { sdp: "v=b".into() }));
    let late = response(&sent, "200", "a", &["Contact: <sip:other@10.0.0.8>"], "v=a");
    let ended = bench.says(&late);
    assert_eq!(ended.iter().map(|text| method(text)).collect::<Vec<_>>(), ["ACK", "BYE"]);
    assert!(ended.iter().all(|text| text.contains(" sip:other@10.0.0.8 ") && header(text, "To").ends_with(";tag=a")));
    assert_eq!(bench.says(&late).len(), 1, "acknowledged again, and ended once");
    assert_eq!(bench.node.news(), []);
    assert_eq!(bench.node.legs.len(), 1);
}

#[test]
fn a_call_is_cancelled_once_the_peer_was_heard_and_a_200_that_crosses_is_ended() {
    let mut bench = Bench::new();
    let (leg, sent) = bench.call(bench.peer, Reach::Flow, None);
    bench.node.legs.end(leg, Reason::AnsweredElsewhere, bench.now);
    assert!(bench.sent().is_empty(), "RFC 3261 §9.1: not before a response has come");
    assert_eq!(bench.node.news(), ended(End::ByUs));
    let cancel = bench.says(&response(&sent, "180", "a", &[CONTACT], "")).remove(0);
    assert_eq!(method(&cancel), "CANCEL");
    assert_eq!(header(&cancel, "Via"), header(&sent, "Via"));
    assert!(header(&cancel, "Reason").contains("cause=200"));
    let crossed = bench.says(&response(&sent, "200", "a", &[CONTACT], "v=answer"));
    assert_eq!(crossed.iter().map(|text| method(text)).collect::<Vec<_>>(), ["ACK", "BYE"]);
    bench.says(&response(&crossed[1], "200", "", &[], ""));
    assert_eq!(bench.node.news(), []);
    assert!(bench.node.legs.is_empty());
}

#[test]
fn no_answer_and_nobody_there_are_told_apart() {
    for (heard, end) in [(true, End::NoAnswer), (false, End::Unreachable)] {
        let mut bench = Bench::new();
        let (_, sent) = bench.call(bench.peer, Reach::Flow, None);
        if heard {
            bench.says(&response(&sent, "100", "", &[], ""));
        }
        let after = bench.pass(secs(20));
        assert_eq!(after.iter().filter(|text| method(text) == "CANCEL").count(), usize::from(heard));
        assert_eq!(bench.node.news(), ended(end));
        bench.pass(secs(130));
        assert!(bench.node.legs.is_empty() && bench.node.table.is_empty(), "although no 487 came");
    }
}

#[test]
fn refusals_are_told_by_their_code_and_redirections_not_followed() {
    for code in [302, 404, 408, 480, 486, 487, 600, 603] {
        let mut bench = Bench::new();
        let (_, sent) = bench.call(bench.peer, Reach::Flow, None);
        let ack = bench.says(&response(&sent, &code.to_string(), "a", &["Contact: <sip:x@192.0.2.9>"], "")).remove(0);
        assert_eq!(method(&ack), "ACK");
        assert_eq!(header(&ack, "Via"), header(&sent, "Via"), "the ACK to a failure is of the INVITE's transaction");
        assert_eq!(bench.node.news(), ended(End::Declined(Code::new(code).unwrap())));
        assert!(bench.node.legs.is_empty());
    }
}

#[test]
fn a_challenge_is_answered_once_and_again_if_it_was_stale() {
    let mut bench = Bench::new();
    let login = Login::new("gate", "secret");
    let (_, sent) = bench.call(bench.peer, Reach::Flow, Some(login));
    let challenge = |nonce: &str, more: &str| {
        format!("Proxy-Authenticate: Digest realm=\"t\", nonce=\"{nonce}\", qop=\"auth,auth-int\", algorithm=MD5{more}")
    };
    let again = bench.says(&response(&sent, "407", "a", &[&challenge("one", "")], "")).remove(1);
    assert_eq!((header(&again, "CSeq"), header(&again, "Call-ID")), ("2 INVITE", header(&sent, "Call-ID")));
    assert_ne!(header(&again, "Via"), header(&sent, "Via"));
    let given = header(&again, "Proxy-Authorization");
    assert!(given.contains("nonce=\"one\"") && given.contains("nc=00000001") && given.contains("username=\"gate\""));
    let third = bench.says(&response(&again, "407", "a", &[&challenge("two", ", stale=true")], "")).remove(1);
    assert!(header(&third, "Proxy-Authorization").contains("nonce=\"two\""));
    let ack = bench.says(&response(&third, "200", "a", &[CONTACT], "v=answer")).remove(0);
    assert!(header(&ack, "Proxy-Authorization").contains("nonce=\"two\""), "RFC 3261 §22.1");
    assert_eq!(header(&ack, "CSeq"), "3 ACK");

    let (_, sent) = bench.call(bench.peer, Reach::Flow, None);
    bench.node.news();
    bench.says(&response(&sent, "401", "a", &["WWW-Authenticate: Digest realm=\"t\", nonce=\"n\""], ""));
    assert_eq!(bench.node.news(), ended(End::Declined(Code::UNAUTHORIZED)));
}

#[test]
fn credentials_are_those_of_rfc_7616() {
    // RFC 2617 §3.5, without a quality of protection, calculated by its formula; and the client against our own guard.
    use crate::digest::{Algorithm, Ha1s};
    let ha1 = Ha1s::new("gate", "t", "secret");
    let mut bench = Bench::new();
    let (_, sent) = bench.call(bench.peer, Reach::Flow, Some(Login::new("gate", "secret")));
    let lines = ["WWW-Authenticate: Digest realm=\"t\", nonce=\"n\""];
    let again = bench.says(&response(&sent, "401", "a", &lines, "")).remove(1);
    let ha2 = Algorithm::Md5.hash(&[b"INVITE", b"sip:anna@192.0.2.2"]);
    let expected = Algorithm::Md5.hash(&[ha1.hex(Algorithm::Md5).as_bytes(), b"n", ha2.as_bytes()]);
    let expected = format!("response=\"{}\"", String::from_utf8_lossy(expected.as_bytes()));
    assert!(header(&again, "Authorization").contains(&expected));
}

#[test]
fn a_longer_session_is_asked_for_if_the_peer_takes_no_shorter_one() {
    let mut bench = Bench::new();
    let (_, sent) = bench.call(bench.peer, Reach::Flow, None);
    assert_eq!((header(&sent, "Session-Expires"), header(&sent, "Min-SE")), ("1800", "90"));
    let again = bench.says(&response(&sent, "422", "a", &["Min-SE: 3600"], "")).remove(1);
    assert_eq!((header(&again, "Session-Expires"), header(&again, "Min-SE")), ("3600", "3600"));
    bench.says(&response(&again, "422", "a", &["Min-SE: 3600"], ""));
    assert_eq!(bench.node.news(), ended(End::Declined(Code::SESSION_INTERVAL_TOO_SMALL)));
}

#[test]
fn a_200_without_a_description_is_ended() {
    let mut bench = Bench::new();
    let (_, sent) = bench.call(bench.peer, Reach::Flow, None);
    let sent = bench.says(&response(&sent, "200", "a", &[CONTACT], ""));
    assert_eq!(sent.iter().map(|text| method(text)).collect::<Vec<_>>(), ["ACK", "BYE"]);
    assert_eq!(bench.node.news(), ended(End::NoSession));
}

#[test]
fn a_phone_is_reached_by_its_flow_whatever_its_contact_says() {
    let mut bench = Bench::new();
    let phone = Flow::udp("198.51.100.3:40000".parse().unwrap());
    let (leg, sent) = bench.call(phone, Reach::Flow, None);
    bench.node.receive(response(&sent, "200", "a", &[CONTACT], "v=answer").into(), phone, bench.now);
    bench.node.legs.end(leg, Reason::Plain, bench.now);
    bench.node.settle(None, bench.now);
    assert!(bench.node.sent.iter().all(|(flow, _)| *flow == phone));
    assert_eq!(bench.node.sent.len(), 2);
}
