//! Signing in by one-time password: what is sent to whom, what is believed, and what nobody learns.

use std::time::{Duration, Instant};

use offdesk_sandbox::{AgentSeed, CodeDelivery, Operation, RestAct, RestFault};
use serde_json::{Value, json};

use crate::house::{ADA, AgentApp, Answer, BOB, House, MOBILE, Plan};

/// Of whom the times are compared.
const AGENTS: u32 = 200;

/// Fiction has numbers enough.
fn unknown(number: u32) -> String {
    format!("+1202555{number:04}")
}

/// Requests to Verify of one kind.
fn asked_of_verify(house: &House, operation: &str) -> usize {
    house.twilio.log().iter().filter(|entry| entry.name == operation).count()
}

fn sendings(house: &House) -> usize {
    asked_of_verify(house, "CreateVerification")
}

/// The answer without what is different each time.
fn form(answer: &Answer) -> (u16, Vec<(String, usize)>) {
    let fields = answer.body.as_object().unwrap();
    (answer.status, fields.iter().map(|(name, value)| (name.clone(), value.to_string().len())).collect())
}

async fn works(app: &AgentApp) -> u16 {
    app.get("/me").await.status
}

#[tokio::test]
async fn an_agent_signs_in_with_the_code_that_was_sent() {
    let house = Plan::default().build().await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    let answer = house.types(&id, ADA, &code).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["agent"]["name"], "Ada");
    assert_eq!(answer.body["agent"]["roles"], json!(["agent"]));
    assert!(answer.body["expires_at"].as_str().unwrap().ends_with('Z'));
    let app = house.caller(answer.body["token"].as_str().unwrap());
    assert_eq!(works(&app).await, 200);
    // A code is good for one sign-in.
    let again = house.types(&id, ADA, &code).await;
    assert_eq!((again.status, again.code()), (401, "bad_code"));
}

#[tokio::test]
async fn a_number_may_be_written_as_people_write_it_and_channel_and_language_are_theirs() {
    let house = Plan::default().build().await;
    let spaced = "+49 (155) 5010-1001";
    let asked = house.anybody("/login/otp", json!({ "phone": spaced, "channel": "call", "locale": "de" })).await;
    house.quiet().await;
    let state = house.twilio.snapshot();
    let sent = state.last_code(ADA).unwrap();
    assert_eq!((sent.channel.as_str(), sent.locale.as_deref()), ("call", Some("de")));
    let answer = house.types(asked.body["login_id"].as_str().unwrap(), spaced, &sent.code).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    for wrong in [
        json!({ "phone": "hello" }),
        json!({ "phone": "015112345678" }),
        json!({ "phone": ADA, "channel": "smoke" }),
        json!({ "phone": ADA, "locale": "klingon" }),
        json!({ "phone": ADA, "more": 1 }),
        json!({}),
    ] {
        let refused = house.anybody("/login/otp", wrong.clone()).await;
        assert_eq!((refused.status, refused.code()), (422, "invalid"), "{wrong}");
    }
}

/// Welch's t: how sure it is that two series differ. The means are milliseconds.
fn welch(left: &[f64], right: &[f64]) -> (f64, f64, f64) {
    let mean = |series: &[f64]| series.iter().sum::<f64>() / series.len() as f64;
    let (a, b) = (mean(left), mean(right));
    let spread = |series: &[f64], mean: f64| {
        let squares: f64 = series.iter().map(|value| (value - mean).powi(2)).sum();
        squares / (series.len() - 1) as f64 / series.len() as f64
    };
    ((a - b) / (spread(left, a) + spread(right, b)).sqrt(), a, b)
}

async fn timed(house: &House, phone: &str) -> (Answer, f64) {
    #[allow(clippy::disallowed_methods, reason = "how long it really takes is the question")]
    let began = Instant::now();
    let answer = house.asks_for_code(phone).await;
    (answer, began.elapsed().as_secs_f64() * 1000.0)
}

#[tokio::test]
async fn a_thousand_numbers_that_nobody_has_get_no_code_and_the_same_answer() {
    let agent = |number: u32| format!("+49155501{number:05}");
    let seeds = (0..AGENTS).map(|number| AgentSeed::new("Ada", &agent(number), MOBILE)).collect();
    let plan = Plan::default().twilio(|twilio| twilio.agents = seeds).login("otp_per_ip = \"100000/h\"");
    let house = plan.build().await;
    let (mut known, mut strange) = (Vec::new(), Vec::new());
    let (reference, _) = timed(&house, &unknown(9999)).await;
    assert_eq!(reference.status, 202);
    for number in 0..1000 {
        let (answer, took) = timed(&house, &unknown(number)).await;
        assert_eq!(form(&answer), form(&reference));
        strange.push(took);
        if number % (1000 / AGENTS) == 0 {
            let (answer, took) = timed(&house, &agent(number / (1000 / AGENTS))).await;
            assert_eq!(form(&answer), form(&reference));
            known.push(took);
        }
    }
    house.quiet().await;
    assert_eq!(sendings(&house), known.len());
    let log = house.twilio.log();
    assert!(log.iter().all(|entry| entry.param("To").is_none_or(|to| to.starts_with("+49"))));
    let (t, known, strange) = welch(&known, &strange);
    println!("Welch's t = {t:.2}: known {known:.3} ms, unknown {strange:.3} ms");
}

#[tokio::test]
async fn whatever_is_wrong_the_refusal_is_the_same_and_comes_at_a_whole_second() {
    let house = Plan::of_two().build().await;
    let (ada, nobody) = (house.begins_login(ADA).await, house.begins_login(&unknown(1)).await);
    let code = house.twilio.last_code(ADA).unwrap();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let mut answers = Vec::new();
    for (id, phone, code) in [
        (ada.as_str(), ADA, wrong),
        (&ada, BOB, &code),
        (&nobody, &unknown(1), &code),
        (&nobody, ADA, &code),
        ("5f0c2a9be1d34f7c8a6b0d9e2c1f4a37", ADA, &code),
        ("", ADA, &code),
        (&ada, "hello", &code),
        (&ada, ADA, "letters"),
    ] {
        let before = house.now();
        answers.push((house.types(id, phone, code).await, house.now().since(before) >= Duration::from_secs(1)));
    }
    assert_eq!((answers[0].0.status, answers[0].0.code()), (401, "bad_code"));
    for answer in &answers {
        assert_eq!(*answer, (answers[0].0.clone(), true));
    }
}

#[tokio::test]
async fn the_sixth_guess_is_refused_even_if_it_is_right() {
    let house = Plan::default().build().await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for _ in 0..5 {
        assert_eq!(house.types(&id, ADA, wrong).await.code(), "bad_code");
    }
    assert_eq!(house.types(&id, ADA, &code).await.code(), "bad_code");
    assert_eq!(asked_of_verify(&house, "CreateVerificationCheck"), 5, "the sixth does not even get to Twilio");
    // Nor does another device have a sixth: Verify counts by number.
    let other = house.begins_login(ADA).await;
    assert_eq!(house.types(&other, ADA, &code).await.code(), "bad_code");
    // Once the code is gone, there is a new one.
    house.pass(Duration::from_secs(601)).await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    assert_eq!(house.types(&id, ADA, &code).await.status, 200);
}

#[tokio::test]
async fn a_code_is_good_on_the_device_that_asked_for_it_and_for_ten_minutes() {
    let house = Plan::default().build().await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    house.pass(Duration::from_secs(601)).await;
    assert_eq!(house.types(&id, ADA, &code).await.code(), "bad_code");
}

#[tokio::test]
async fn numbers_and_addresses_have_their_limits_and_nobody_is_told() {
    let plan = Plan::of_two().login("otp_per_phone = \"2/h\"\notp_per_ip = \"4/h\"");
    let house = plan.http("trusted_proxies = [\"127.0.0.0/8\"]").build().await;
    let asks = async |phone: &str, forwarded: &str| {
        let request = house.request(reqwest::Method::POST, "/login/otp").json(&json!({ "phone": phone }));
        let answer = request.header("X-Forwarded-For", forwarded).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 202);
        assert_eq!(answer.json::<Value>().await.unwrap()["login_id"].as_str().unwrap().len(), 32);
        house.quiet().await;
        sendings(&house)
    };
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.push(asks(ADA, "192.0.2.1").await);
    }
    assert_eq!(sent, [1, 2, 2], "by number");
    assert_eq!(asks(BOB, "192.0.2.1").await, 3);
    assert_eq!(asks(BOB, "6.6.6.6, 192.0.2.1").await, 3, "by address, whatever it claims to be");
    assert_eq!(asks(BOB, "2001:db8::1").await, 4);
    house.pass(Duration::from_secs(1800)).await;
    assert_eq!(asks(ADA, "192.0.2.1").await, 5, "time heals");
}

#[tokio::test]
async fn a_days_codes_are_used_up_and_the_next_day_has_new_ones() {
    let house = Plan::of_two().login("otp_per_day = 2").build().await;
    for (phone, sent) in [(ADA, 1), (&unknown(1), 1), (BOB, 2), (ADA, 2)] {
        house.begins_login(phone).await;
        assert_eq!(sendings(&house), sent, "{phone}");
    }
    house.away(Duration::from_secs(86_400));
    house.begins_login(ADA).await;
    assert_eq!(sendings(&house), 3);
}

#[tokio::test]
async fn whoever_asks_for_too_many_codes_has_a_sign_in_that_comes_to_nothing() {
    let house = Plan::default().login("otp_per_ip = \"1/h\"").build().await;
    let (first, second) = (house.begins_login(ADA).await, house.begins_login(ADA).await);
    let code = house.twilio.last_code(ADA).unwrap();
    assert_eq!((sendings(&house), house.types(&second, ADA, &code).await.code()), (1, "bad_code"));
    assert_eq!(house.types(&first, ADA, &code).await.status, 200);
}

#[tokio::test]
async fn guesses_from_one_address_end_with_429() {
    let house = Plan::default().login("otp_per_ip = \"1/h\"").build().await;
    for _ in 0..5 {
        assert_eq!(house.types("", ADA, "000000").await.code(), "bad_code");
    }
    let body = json!({ "login_id": "", "phone": ADA, "code": "000000" });
    let answer = house.request(reqwest::Method::POST, "/login").json(&body).send().await.unwrap();
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert_eq!(answer.status().as_u16(), 429);
    assert!((1..=720).contains(&wait), "{wait}");
}

#[tokio::test]
async fn what_keeps_verify_from_sending_changes_no_answer_and_is_written_down() {
    let house = Plan::of_two().build().await;
    house.twilio.set_code_delivery(ADA, CodeDelivery::Landline);
    house.twilio.set_code_delivery(BOB, CodeDelivery::Blocked);
    for phone in [ADA, BOB] {
        let id = house.begins_login(phone).await;
        assert_eq!(house.twilio.last_code(phone), None);
        assert_eq!(house.types(&id, phone, "123456").await.code(), "bad_code");
    }
    let details: Vec<_> = house.audit().await.into_iter().filter_map(|entry| entry.what.detail).collect();
    assert!(details[0].contains("landline") && details[2].contains("prefix"), "{details:?}");
    assert!(!details.concat().contains("+49"));
    // A landline can be called.
    house.anybody("/login/otp", json!({ "phone": ADA, "channel": "call" })).await;
    house.quiet().await;
    assert!(house.twilio.last_code(ADA).is_some());
}

/// A wrong code, and no more time than its refusal takes.
async fn refused(house: &House, login_id: &str, phone: &str) -> Answer {
    let written = house.audit().await.len();
    let answer = house.anybody("/login", json!({ "login_id": login_id, "phone": phone, "code": "123456" }));
    tokio::pin!(answer);
    loop {
        tokio::select! {
            biased;
            answer = &mut answer => return answer,
            entries = house.audit() => if entries.len() > written {
                house.pass(Duration::from_secs(1)).await;
            }
        }
    }
}

#[tokio::test]
async fn twilio_away_is_told_and_a_wrong_code_is_not_taken_for_it() {
    let house = Plan::default().build().await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    house.twilio.fault(RestFault::fail(Operation::CreateVerificationCheck, 1, 503, 20503));
    let away = house.types(&id, ADA, &code).await;
    assert_eq!((away.status, away.code()), (503, "twilio_unavailable"));
    let strangers = house.begins_login(&unknown(1)).await;
    assert_eq!(refused(&house, &strangers, &unknown(1)).await, away, "who has a number does not show by it");
    house.twilio.fault(RestFault::once(Operation::CreateVerificationCheck, RestAct::DropBefore));
    assert_eq!(house.types(&id, ADA, &code).await.status, 503);
    for code in [60_202, 20_404] {
        let status = if code == 20_404 { 404 } else { 429 };
        house.twilio.fault(RestFault::fail(Operation::CreateVerificationCheck, 1, status, code));
        assert_eq!(house.types(&id, ADA, "123456").await.code(), "bad_code");
    }
    assert_eq!(house.types(&id, ADA, &code).await.status, 200);
    assert_eq!(house.types(&strangers, &unknown(1), "123456").await.code(), "bad_code");
}

#[tokio::test]
async fn a_restart_between_the_two_steps_asks_for_a_new_code() {
    let mut house = Plan::default().build().await;
    let id = house.begins_login(ADA).await;
    let code = house.twilio.last_code(ADA).unwrap();
    house.restart().await;
    assert_eq!(house.types(&id, ADA, &code).await.code(), "bad_code");
    assert_eq!(works(&house.signs_in(ADA).await).await, 200);
}

#[tokio::test]
async fn every_outcome_is_in_the_audit_log() {
    let house = Plan::default().build().await;
    let id = house.begins_login(ADA).await;
    house.types(&id, ADA, "1234").await;
    let code = house.twilio.last_code(ADA).unwrap();
    house.types(&id, ADA, &code).await;
    house.begins_login(&unknown(1)).await;
    let entries = house.audit().await;
    let told: Vec<_> = entries.iter().map(|entry| json!([entry.what.action, entry.what.outcome])).collect();
    assert_eq!(
        told,
        [
            json!(["code_requested", "done"]),
            json!(["logged_in", "denied"]),
            json!(["logged_in", "done"]),
            json!(["session_superseded", "done"]),
            json!(["code_requested", "denied"]),
        ]
    );
    assert!(entries.iter().all(|entry| entry.what.address.is_some()));
    assert_eq!(entries[2].what.device.as_deref(), Some("phone"));
}
