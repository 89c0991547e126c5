use super::*;

fn called(bench: &mut Bench, lines: &[&str], sdp: &str) -> Option<LegId> {
    bench.node.receive(invite(lines, sdp).into(), bench.peer, bench.now);
    bench.node.called.pop().map(|(leg, _)| leg)
}

#[test]
fn a_call_rings_and_is_answered_and_the_200_is_repeated_until_its_ack() {
    let mut bench = Bench::new();
    let route = "Record-Route: <sip:54.172.60.2:5061;transport=tls;lr>, <sip:54.172.60.2;lr>";
    let leg = called(&mut bench, &[route], "v=offer").unwrap();
    bench.node.legs.progress(leg, Code::RINGING, None, bench.now);
    let ringing = bench.sent().remove(0);
    assert!(ringing.starts_with("SIP/2.0 180 ") && ringing.contains(route));
    bench.node.legs.answer(leg, "v=answer".into(), bench.now);
    let ok = bench.sent().remove(0);
    assert!(ok.contains(route) && ok.ends_with("v=answer"));
    assert_eq!(header(&ok, "To"), header(&ringing, "To"));
    let repeated = bench.pass(Duration::from_millis(3600));
    assert_eq!(repeated, vec![ok.clone(); 3], "after 0.5, 1.5 and 3.5 s");
    bench.says(&request(&ok, "ACK", 1, &[], ""));
    assert_eq!(bench.node.news(), [Event::Confirmed { sdp: None }]);
    assert!(bench.pass(secs(60)).is_empty());
    bench.node.legs.end(leg, Reason::Plain, bench.now);
    bench.node.settle(None, bench.now);
    let (flow, bye) = bench.node.sent.remove(0);
    let bye = String::from_utf8(bye.to_vec()).unwrap();
    assert!(bye.starts_with("BYE sip:172.16.0.9:5060 SIP/2.0\r\n"), "the private Contact is not rewritten: {bye}");
    assert_eq!(header(&bye, "Route"), "<sip:54.172.60.2:5061;transport=tls;lr>");
    assert_eq!((flow.transport.name(), flow.peer), ("tls", "54.172.60.2:5061".parse().unwrap()));
}

#[test]
fn without_an_ack_the_call_is_over_and_the_peer_is_told() {
    let mut bench = Bench::new();
    let leg = called(&mut bench, &[], "v=offer").unwrap();
    bench.node.legs.answer(leg, "v=answer".into(), bench.now);
    let sent = bench.pass(secs(33));
    assert_eq!(bench.node.news(), ended(End::Lost));
    assert!(sent.iter().any(|text| method(text) == "BYE"));
    assert_eq!(sent.iter().filter(|text| text.starts_with("SIP/2.0 200")).count(), 11);
    bench.pass(secs(40));
    assert!(bench.node.legs.is_empty() && bench.node.table.is_empty());
}

#[test]
fn no_bye_goes_out_before_the_ack() {
    let mut bench = Bench::new();
    let leg = called(&mut bench, &[], "v=offer").unwrap();
    bench.node.legs.answer(leg, "v=answer".into(), bench.now);
    let ok = bench.sent().remove(0);
    bench.node.legs.end(leg, Reason::Plain, bench.now);
    assert_eq!(bench.node.news(), []);
    assert!(bench.sent().is_empty());
    assert_eq!(bench.node.news(), ended(End::ByUs));
    assert_eq!(method(&bench.says(&request(&ok, "ACK", 1, &[], ""))[0]), "BYE");
}

#[test]
fn a_cancel_gets_200_and_the_invite_487() {
    let mut bench = Bench::new();
    called(&mut bench, &[], "v=offer").unwrap();
    let cancel = invite(&[], "").replace("INVITE", "CANCEL");
    let sent = bench.says(&cancel);
    assert_eq!(sent.iter().map(|text| &text[8..11]).collect::<Vec<_>>(), ["200", "487"]);
    assert_eq!(bench.node.news(), ended(End::Cancelled));
    assert!(bench.node.legs.is_empty());
    assert_eq!(bench.node.legs.waiting().0, 0);
}

#[test]
fn a_cancel_that_comes_too_late_changes_nothing() {
    let mut bench = Bench::new();
    let leg = called(&mut bench, &[], "v=offer").unwrap();
    bench.node.legs.answer(leg, "v=answer".into(), bench.now);
    bench.sent();
    let sent = bench.says(&invite(&[], "").replace("INVITE", "CANCEL"));
    assert_eq!(sent.len(), 1);
    assert_eq!(bench.node.news(), []);
}

#[test]
fn what_is_not_served_is_refused_at_once() {
    let cases: [(&[&str], &str, &str); 6] = [
        (&["Require: 100rel"], "420", "Unsupported: 100rel"),
        (&["Require: replaces"], "420", "Unsupported: replaces"),
        (&["Replaces: x;from-tag=1;to-tag=2"], "481", ""),
        (&["Supported: timer", "Session-Expires: 60"], "422", "Min-SE: 90"),
        (&["Content-Encoding: gzip"], "415", "Accept-Encoding: identity"),
        (&["Accept: text/plain"], "406", ""),
    ];
    for (lines, code, said) in cases {
        let mut bench = Bench::new();
        assert_eq!(called(&mut bench, lines, "v=offer"), None);
        let sent = bench.sent().remove(0);
        assert!(sent.starts_with(&format!("SIP/2.0 {code} ")) && sent.contains(said), "{sent}");
        assert!(bench.node.legs.is_empty());
    }
}

#[test]
fn sessions_are_granted_as_rfc_4028_says() {
    let cases: [(&[&str], &str); 5] = [
        (&["Min-SE: 120", "Supported: timer"], ""),
        (&["Session-Expires: 7200", "Supported: timer"], "1800;refresher=uac"),
        (&["Session-Expires: 7200", "Min-SE: 3600", "Supported: timer"], "3600;refresher=uac"),
        (&["Session-Expires: 600;refresher=uas", "Supported: timer"], "600;refresher=uas"),
        (&["Session-Expires: 600;refresher=uac"], "600;refresher=uas"),
    ];
    for (lines, said) in cases {
        let mut bench = Bench::new();
        let leg = called(&mut bench, lines, "v=offer").unwrap();
        bench.node.legs.answer(leg, "v=answer".into(), bench.now);
        let ok = bench.sent().remove(0);
        let found = ok.lines().find_map(|line| line.strip_prefix("Session-Expires: ")).unwrap_or_default();
        assert_eq!(found, said);
        assert_eq!(ok.contains("Require: timer"), said.ends_with("uac"));
    }
}

#[test]
fn an_invite_without_an_offer_gets_one_and_the_ack_brings_the_answer() {
    let mut bench = Bench::new();
    let leg = called(&mut bench, &[], "").unwrap();
    bench.node.legs.answer(leg, "v=offer".into(), bench.now);
    let ok = bench.sent().remove(0);
    let pending = bench.says(&request(&ok, "INVITE", 2, &[], "v=other"));
    assert!(pending[0].starts_with("SIP/2.0 491"), "the answer to our offer is on its way");
    bench.says(&request(&ok, "ACK", 1, &[], "v=answer"));
    assert_eq!(bench.node.news(), [Event::Confirmed { sdp: Some("v=answer".into()) }]);
}

#[test]
fn a_caller_may_hang_up_before_it_is_answered() {
    let mut bench = Bench::new();
    let leg = called(&mut bench, &[], "v=offer").unwrap();
    bench.node.legs.progress(leg, Code::RINGING, None, bench.now);
    let ringing = bench.sent().remove(0);
    let sent = bench.says(&request(&ringing, "BYE", 2, &[], ""));
    assert_eq!(sent.iter().map(|text| &text[8..11]).collect::<Vec<_>>(), ["200", "487"]);
    assert_eq!(bench.node.news(), ended(End::Cancelled));
}

#[test]
fn a_call_that_nobody_answers_ends_by_itself() {
    let mut bench = Bench::new();
    called(&mut bench, &[], "v=offer").unwrap();
    let sent = bench.pass(secs(181));
    assert!(sent.iter().any(|text| text.starts_with("SIP/2.0 480")));
    assert_eq!(bench.node.news(), ended(End::NoAnswer));
}
