use super::*;

fn codes(sent: &[String]) -> Vec<&str> {
    sent.iter().filter_map(|text| text.strip_prefix("SIP/2.0 ")).map(|rest| &rest[..3]).collect()
}

#[test]
fn requests_within_a_call_are_answered_by_what_they_are() {
    let cases: [(&str, &[&str], &str); 9] = [
        ("OPTIONS", &[], "200"),
        ("INFO", &["Content-Type: application/dtmf-relay"], "200"),
        ("UPDATE", &[CONTACT], "200"),
        ("REFER", &["Refer-To: <sip:x@y>"], "405"),
        ("PRACK", &["RAck: 1 1 INVITE"], "405"),
        ("SUBSCRIBE", &["Event: dialog"], "405"),
        ("MESSAGE", &[], "405"),
        ("FOO", &[], "501"),
        ("OPTIONS", &["Require: 100rel"], "420"),
    ];
    for (method, lines, code) in cases {
        let mut bench = Bench::new();
        let (_, ack) = up(&mut bench, &[]);
        let sent = bench.says(&request(&ack, method, 1, lines, ""));
        assert_eq!(codes(&sent), [code], "{method}");
        assert_eq!(bench.node.news(), []);
    }
}

#[test]
fn what_is_out_of_order_or_of_no_call_is_refused() {
    let mut bench = Bench::new();
    let (_, ack) = up(&mut bench, &[]);
    assert_eq!(codes(&bench.says(&request(&ack, "OPTIONS", 7, &[], ""))), ["200"]);
    assert_eq!(codes(&bench.says(&request(&ack, "BYE", 6, &[], ""))), ["500"]);
    let other = request(&ack, "BYE", 8, &[], "").replace(";tag=a", ";tag=b");
    assert_eq!(codes(&bench.says(&other)), ["481"]);
    assert_eq!(bench.node.legs.len(), 1);
    assert_eq!(codes(&bench.says(&request(&ack, "BYE", 9, &[], ""))), ["200"]);
    assert_eq!(bench.node.news(), ended(End::ByPeer));
    assert_eq!(codes(&bench.says(&request(&ack, "BYE", 10, &[], ""))), ["481"], "a late BYE");
    assert!(bench.node.legs.is_empty());
}

#[test]
fn the_peer_holds_and_resumes() {
    let mut bench = Bench::new();
    let (leg, ack) = up(&mut bench, &[]);
    assert!(bench.says(&request(&ack, "INVITE", 1, &["Contact: <sip:new@10.0.0.9>"], "v=hold")).is_empty());
    assert_eq!(bench.node.news(), [Event::Offer { sdp: "v=hold".into() }]);
    assert_eq!(codes(&bench.says(&request(&ack, "INVITE", 2, &[], "v=x"))), ["500"], "one at a time");
    bench.node.legs.answer(leg, "v=held".into(), bench.now);
    let ok = bench.sent().remove(0);
    assert!(ok.ends_with("v=held"));
    bench.says(&request(&ack, "ACK", 1, &[], ""));
    assert_eq!(bench.node.news(), [Event::Confirmed { sdp: None }]);
    bench.says(&request(&ack, "INVITE", 3, &[], "v=no"));
    bench.node.legs.refuse(leg, Code::NOT_ACCEPTABLE_HERE, bench.now);
    assert_eq!(codes(&bench.sent()), ["488"]);
    bench.node.legs.end(leg, Reason::Plain, bench.now);
    assert!(bench.sent()[0].starts_with("BYE sip:new@10.0.0.9 "), "the target was refreshed");
}

#[test]
fn an_invite_without_an_offer_is_offered_what_was_agreed() {
    let mut bench = Bench::new();
    let (_, ack) = up(&mut bench, &[]);
    let ok = bench.says(&request(&ack, "INVITE", 1, &[CONTACT], "")).remove(0);
    assert!(ok.starts_with("SIP/2.0 200") && ok.ends_with("v=offer"), "{ok}");
    bench.says(&request(&ack, "ACK", 1, &[], "v=there"));
    assert_eq!(bench.node.news(), [Event::Confirmed { sdp: Some("v=there".into()) }]);
}

#[test]
fn an_offer_of_ours_is_taken_or_refused() {
    let mut bench = Bench::new();
    let (leg, _) = up(&mut bench, &[]);
    for (code, event) in
        [("200", Event::Accepted { sdp: "v=new".into() }), ("488", Event::Refused { code: Code::NOT_ACCEPTABLE_HERE })]
    {
        bench.node.legs.offer(leg, "v=hold".into(), bench.now);
        let sent = bench.sent().remove(0);
        assert!(sent.starts_with("INVITE sip:anna@10.0.0.9:5070 ") && sent.ends_with("v=hold"), "{sent}");
        let ack = bench.says(&response(&sent, code, "", &[CONTACT], if code == "200" { "v=new" } else { "" }));
        assert_eq!(method(&ack[0]), "ACK");
        assert_eq!(bench.node.news(), [event.clone(), event][..1]);
    }
}

#[test]
fn two_offers_that_meet_are_told_apart_by_waiting() {
    let mut bench = Bench::new();
    let (leg, ack) = up(&mut bench, &[]);
    bench.node.legs.offer(leg, "v=ours".into(), bench.now);
    let sent = bench.sent().remove(0);
    assert_eq!(codes(&bench.says(&request(&ack, "INVITE", 1, &[], "v=theirs"))), ["491"]);
    bench.says(&response(&sent, "491", "", &[], ""));
    let early = bench.pass(Duration::from_millis(2099));
    assert!(early.iter().all(|text| method(text) != "INVITE"), "the Call-ID is ours: 2.1 to 4 s");
    let again = bench.pass(Duration::from_millis(1901));
    let again = again.iter().find(|text| method(text) == "INVITE").unwrap();
    bench.says(&response(again, "200", "", &[CONTACT], "v=ok"));
    assert_eq!(bench.node.news(), [Event::Accepted { sdp: "v=ok".into() }]);
}

#[test]
fn a_peer_that_knows_nothing_of_the_call_ends_it() {
    for code in ["481", "408"] {
        let mut bench = Bench::new();
        let (leg, _) = up(&mut bench, &[]);
        bench.node.legs.offer(leg, "v=ours".into(), bench.now);
        let sent = bench.sent().remove(0);
        let sent = bench.says(&response(&sent, code, "", &[], ""));
        assert_eq!(sent.iter().map(|text| method(text)).collect::<Vec<_>>(), ["ACK", "BYE"]);
        assert_eq!(bench.node.news(), ended(End::Lost));
    }
}

#[test]
fn an_offer_that_hangs_is_cancelled_and_its_late_200_acknowledged() {
    let mut bench = Bench::new();
    let (leg, _) = up(&mut bench, &[]);
    bench.node.legs.offer(leg, "v=ours".into(), bench.now);
    let sent = bench.sent().remove(0);
    bench.says(&response(&sent, "100", "", &[], ""));
    assert_eq!(bench.pass(secs(19)), Vec::<String>::new());
    assert_eq!(method(&bench.pass(secs(2))[0]), "CANCEL");
    assert_eq!(bench.node.news(), [Event::Refused { code: Code::SERVER_TIMEOUT }]);
    let sent = bench.says(&response(&sent, "200", "", &[CONTACT], "v=ok"));
    assert_eq!(sent.iter().map(|text| method(text)).collect::<Vec<_>>(), ["ACK", "INVITE"]);
    assert!(sent[1].ends_with("v=offer"), "back to what was agreed before");
    bench.says(&response(&sent[1], "200", "", &[CONTACT], "v=back"));
    assert_eq!(bench.node.news(), [Event::Refreshed { sdp: "v=back".into() }], "which answers nobody's offer");
}

#[test]
fn an_offer_that_waits_for_too_long_is_not_made() {
    let mut bench = Bench::new();
    let (leg, _) = up(&mut bench, &["Session-Expires: 300;refresher=uac"]);
    let refresh = bench.pass(secs(151)).remove(0);
    bench.says(&response(&refresh, "100", "", &[], ""));
    bench.node.legs.offer(leg, "v=hold".into(), bench.now);
    assert_eq!(bench.pass(secs(21)), Vec::<String>::new());
    assert_eq!(bench.node.news(), [Event::Refused { code: Code::SERVER_TIMEOUT }]);
    let sent = bench.says(&response(&refresh, "200", "", &[CONTACT], "v=there"));
    assert_eq!(sent.iter().map(|text| method(text)).collect::<Vec<_>>(), ["ACK"]);
    assert_eq!(bench.node.news(), [Event::Refreshed { sdp: "v=there".into() }]);
}

#[test]
fn sessions_are_refreshed_by_whoever_has_to() {
    let ours = ["Session-Expires: 300;refresher=uac", "Allow: INVITE,ACK,CANCEL,OPTIONS,BYE"];
    let mut bench = Bench::new();
    up(&mut bench, &ours);
    let sent = bench.pass(secs(151)).remove(0);
    assert!(sent.starts_with("INVITE ") && sent.ends_with("v=offer"), "no UPDATE in Allow, and nothing else offered");
    assert_eq!(header(&sent, "Session-Expires"), "300;refresher=uac");
    bench.says(&response(&sent, "200", "", &[CONTACT, ours[0]], "v=answer"));
    let sent = bench.pass(secs(151)).remove(0);
    assert_eq!(method(&sent), "INVITE", "and again");

    let mut bench = Bench::new();
    up(&mut bench, &["Session-Expires: 300;refresher=uac", "Allow: UPDATE"]);
    let sent = bench.pass(secs(151)).remove(0);
    assert!(sent.starts_with("UPDATE ") && sent.contains("Content-Length: 0"));

    let mut bench = Bench::new();
    let (_, ack) = up(&mut bench, &["Session-Expires: 300;refresher=uas"]);
    assert!(bench.pass(secs(200)).is_empty());
    let ok = bench.says(&request(&ack, "UPDATE", 1, &["Supported: timer", "Session-Expires: 300;refresher=uac"], ""));
    assert_eq!(header(&ok[0], "Session-Expires"), "300;refresher=uac");
    assert!(bench.pass(secs(267)).is_empty());
    assert_eq!(method(&bench.pass(secs(2))[0]), "BYE", "32 s before its end");
    assert_eq!(bench.node.news(), ended(End::Expired));
}

#[test]
fn a_refresh_is_not_forgotten_though_offers_take_its_place_and_are_refused() {
    let mut bench = Bench::new();
    let (leg, _) = up(&mut bench, &["Session-Expires: 300;refresher=uac"]);
    bench.pass(secs(149));
    bench.node.legs.offer(leg, "v=hold".into(), bench.now);
    let hold = bench.sent().remove(0);
    bench.says(&response(&hold, "100", "", &[], ""));
    bench.pass(secs(2));
    bench.node.legs.offer(leg, "v=other".into(), bench.now);
    let sent = bench.says(&response(&hold, "488", "", &[], ""));
    assert!(sent[1].ends_with("v=other"), "instead of the refresh");
    bench.says(&response(&sent[1], "488", "", &[], ""));
    let sent = bench.pass(secs(75));
    assert!(sent.first().is_some_and(|sent| method(sent) == "INVITE" && sent.ends_with("v=offer")), "{sent:?}");
    bench.node.news();
    bench.says(&response(&sent[0], "200", "", &[CONTACT], "v=answer"));
    assert_eq!(bench.node.news(), [Event::Refreshed { sdp: "v=answer".into() }]);
}

#[test]
fn an_offer_that_met_another_is_made_again_though_a_refresh_is_due() {
    let mut bench = Bench::new();
    let (leg, _) = up(&mut bench, &["Session-Expires: 300;refresher=uac"]);
    bench.pass(secs(149));
    bench.node.legs.offer(leg, "v=hold".into(), bench.now);
    let hold = bench.sent().remove(0);
    bench.says(&response(&hold, "100", "", &[], ""));
    bench.pass(secs(2));
    bench.says(&response(&hold, "491", "", &[], ""));
    let again = bench.pass(secs(4));
    let invites: Vec<_> = again.iter().filter(|sent| method(sent) == "INVITE").collect();
    assert!(!invites.is_empty() && invites.iter().all(|sent| sent.ends_with("v=hold")), "{invites:?}");
}

#[test]
fn byes_that_cross_are_both_answered() {
    let mut bench = Bench::new();
    let (leg, ack) = up(&mut bench, &[]);
    bench.node.legs.end(leg, Reason::Plain, bench.now);
    let bye = bench.sent().remove(0);
    assert_eq!(codes(&bench.says(&request(&ack, "BYE", 1, &[], ""))), ["200"]);
    bench.says(&response(&bye, "481", "", &[], ""));
    assert_eq!(bench.node.news(), ended(End::ByUs));
    assert!(bench.node.legs.is_empty());
}

#[test]
fn a_bye_ends_an_offer_that_is_open_and_a_cancel_takes_it_back() {
    let mut bench = Bench::new();
    let (_, ack) = up(&mut bench, &[]);
    let offer = request(&ack, "INVITE", 1, &[], "v=hold");
    bench.says(&offer);
    let cancel = request(&ack, "CANCEL", 1, &[], "").replace("z9hG4bKpCANCEL1", "z9hG4bKpINVITE1");
    assert_eq!(codes(&bench.says(&cancel)), ["200", "487"]);
    bench.says(&request(&ack, "INVITE", 2, &[], "v=hold"));
    assert_eq!(codes(&bench.says(&request(&ack, "BYE", 3, &[], ""))), ["487", "200"]);
    assert_eq!(bench.node.news().last(), Some(&Event::Ended(End::ByPeer)));
}
