//! One-time codes.

use serde_json::json;

use super::bench::{ADA, BO, Bench, code};
use crate::{
    options::Options,
    rest::request::Answer,
    world::verify::{CodeDelivery, VerificationStatus},
};

fn service() -> String {
    format!("/v2/Services/{}", Options::default().verify_service_sid)
}

fn bench() -> Bench {
    Bench::with(&[ADA])
}

impl Bench {
    fn send_code(&mut self, to: &str, channel: &str) -> Answer {
        let form = [("To", to), ("Channel", channel), ("Locale", "de")];
        self.request("POST", &format!("{}/Verifications", service()), &form)
    }

    fn check_code(&mut self, to: &str, code: &str) -> Answer {
        self.request("POST", &format!("{}/VerificationCheck", service()), &[("To", to), ("Code", code)])
    }

    /// The code that was sent last.
    fn code(&mut self) -> String {
        self.world.take_codes().pop().expect("a code").code
    }
}

fn field<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.body.as_ref().and_then(|body| body[name].as_str()).unwrap_or_default()
}

/// A code that is not the right one.
fn wrong(code: &str) -> String {
    code.chars().map(|digit| if digit == '0' { '1' } else { '0' }).collect()
}

#[test]
fn the_right_code_approves_and_then_nothing_is_left_to_check() {
    let mut bench = bench();
    let sent = bench.send_code(ADA, "sms");
    assert_eq!((sent.status, field(&sent, "status"), field(&sent, "channel")), (201, "pending", "sms"));
    let right = bench.code();
    assert_eq!(right.len(), 6);
    let missed = bench.check_code(ADA, &wrong(&right));
    assert_eq!((missed.status, field(&missed, "status")), (200, "pending"));
    let hit = bench.check_code(ADA, &right);
    assert_eq!(
        (hit.status, field(&hit, "status"), &hit.body.as_ref().expect("a body")["valid"]),
        (200, "approved", &json!(true))
    );
    assert_eq!(code(&bench.check_code(ADA, &right)), (404, 20404));
}

#[test]
fn the_same_code_is_sent_again_within_its_time_and_another_one_after_it() {
    let mut bench = bench();
    let first = bench.send_code(ADA, "sms");
    let sent = bench.code();
    bench.wait(599);
    let again = bench.send_code(ADA, "call");
    assert_eq!((field(&again, "sid"), field(&again, "channel")), (field(&first, "sid"), "call"));
    assert_eq!(bench.code(), sent);
    bench.wait(1);
    assert_eq!(code(&bench.check_code(ADA, &sent)), (404, 20404), "ten minutes count from the first sending");
    let later = bench.send_code(ADA, "sms");
    assert_ne!(field(&later, "sid"), field(&first, "sid"));
    assert_ne!(bench.code(), sent);
}

#[test]
fn a_code_is_sent_and_tried_five_times_at_most() {
    let mut bench = bench();
    for _ in 0..5 {
        assert_eq!(bench.send_code(ADA, "sms").status, 201);
    }
    assert_eq!(code(&bench.send_code(ADA, "sms")), (429, 60203));
    let right = bench.code();
    for _ in 0..5 {
        assert_eq!(bench.check_code(ADA, &wrong(&right)).status, 200);
    }
    assert_eq!(code(&bench.check_code(ADA, &right)), (429, 60202), "the right one comes too late");
    bench.wait(600);
    assert_eq!(bench.send_code(ADA, "sms").status, 201);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut bench = bench();
    let verifications = format!("{}/Verifications", service());
    for form in [
        vec![("To", "15550123"), ("Channel", "sms")],
        vec![("To", "+1555012x"), ("Channel", "sms")],
        vec![("To", "+05550123456"), ("Channel", "sms")],
        vec![("To", ADA), ("Channel", "pigeon")],
        vec![("To", ADA)],
        vec![("To", ADA), ("Channel", "sms"), ("Locale", "deutsch")],
        vec![("To", ADA), ("Channel", "sms"), ("RateLimits", r#"{"unknown":"1"}"#)],
    ] {
        assert_eq!(code(&bench.request("POST", &verifications, &form)), (400, 60200), "{form:?}");
    }
    assert_eq!(code(&bench.check_code(ADA, "123456")), (404, 20404));
    assert_eq!(code(&bench.check_code(ADA, "123")), (400, 60200));
    let other = "/v2/Services/VA00000000000000000000000000000009/Verifications";
    assert_eq!(code(&bench.request("POST", other, &[("To", ADA), ("Channel", "sms")])), (404, 20404));
}

#[test]
fn some_numbers_get_no_code() {
    let mut bench = bench();
    for (delivery, channel, expected) in [
        (CodeDelivery::Landline, "sms", (403, 60205)),
        (CodeDelivery::Landline, "call", (201, 0)),
        (CodeDelivery::Blocked, "sms", (403, 60410)),
        (CodeDelivery::Blocked, "call", (403, 60410)),
        (CodeDelivery::Delivered, "sms", (201, 0)),
    ] {
        bench.world.set_code_delivery(ADA, delivery);
        assert_eq!(code(&bench.send_code(ADA, channel)), expected, "{delivery:?} {channel}");
        assert_eq!(bench.send_code(BO, "sms").status, 201, "nobody else is touched");
    }
}

#[test]
fn a_verification_is_read_and_canceled_by_its_sid_or_number() {
    let mut bench = bench();
    let sent = bench.send_code(ADA, "sms");
    let by_sid = format!("{}/Verifications/{}", service(), field(&sent, "sid"));
    let by_number = format!("{}/Verifications/{ADA}", service());
    for path in [&by_sid, &by_number] {
        assert_eq!(field(&bench.request("GET", path, &[]), "status"), "pending");
    }
    let canceled = bench.request("POST", &by_sid, &[("Status", "canceled")]);
    assert_eq!((canceled.status, field(&canceled, "status")), (200, "canceled"));
    assert_eq!(code(&bench.request("GET", &by_number, &[])), (404, 20404));
    assert_eq!(bench.world.snapshot(1).codes[0].status, VerificationStatus::Canceled);
}

#[test]
fn a_full_bucket_lets_no_more_codes_out_until_its_time_is_over() {
    let mut bench = bench();
    let limits = format!("{}/RateLimits", service());
    let limit = bench.request("POST", &limits, &[("UniqueName", "phone")]);
    assert_eq!(code(&bench.request("POST", &limits, &[("UniqueName", "phone")])), (400, 60226));
    let buckets = format!("{limits}/{}/Buckets", field(&limit, "sid"));
    assert_eq!(bench.request("POST", &buckets, &[("Max", "2"), ("Interval", "60")]).status, 201);
    assert_eq!(code(&bench.request("POST", &buckets, &[("Max", "0"), ("Interval", "60")])), (400, 60200));
    let send = |bench: &mut Bench, value: &str| {
        let limits = json!({ "phone": value }).to_string();
        let form = [("To", ADA), ("Channel", "sms"), ("RateLimits", &limits)];
        code(&bench.request("POST", &format!("{}/Verifications", service()), &form))
    };
    assert_eq!([send(&mut bench, "a"), send(&mut bench, "a")], [(201, 0); 2]);
    assert_eq!(send(&mut bench, "a"), (429, 20429));
    assert_eq!(send(&mut bench, "b"), (201, 0), "another value has a bucket of its own");
    bench.wait(60);
    assert_eq!(send(&mut bench, "a"), (201, 0));
}
