use std::time::Duration;

use futures_util::{FutureExt, future::join_all};
use serde_json::{Map, Value};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket},
    runtime::Handle,
};

use super::*;
use crate::twilio::testing::{Fake, Reply, impatient, settings};

type Anything = Map<String, Value>;

async fn get(twilio: &Twilio) -> Result<Anything, TwilioError> {
    twilio.send(twilio.get(Product::Taskrouter, "test", &["v1", "x"])).await
}

async fn post(twilio: &Twilio) -> Result<Anything, TwilioError> {
    twilio.send(twilio.post(Product::Taskrouter, "test", &["v1", "x"]).with("Name", "+1 555")).await
}

#[tokio::test]
async fn a_request_says_whose_it_is() {
    let fake = Fake::replying([Reply::ok("{}")]).await;
    post(&fake.client()).await.unwrap();
    let request = fake.requests().remove(0).to_ascii_lowercase();
    assert!(request.starts_with("post /v1/x http/1.1\r\n"), "{request}");
    assert!(request.contains(concat!("user-agent: offdesk/", env!("CARGO_PKG_VERSION"))), "{request}");
    assert!(request.contains("authorization: basic "), "{request}");
    assert!(request.ends_with("\r\n\r\nname=%2b1+555"), "{request}");
}

#[tokio::test]
async fn a_get_is_repeated_after_server_errors() {
    let fake = Fake::replying([Reply::status(503), Reply::status(500), Reply::ok("{}")]).await;
    get(&fake.client()).await.unwrap();
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_get_is_tried_three_times_and_no_more() {
    let fake = Fake::replying([Reply::status(503)]).await;
    let error = get(&fake.client()).await.unwrap_err();
    assert_eq!(error, TwilioError::Unknown { cause: Lost::Status(503), retry_after: None });
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_get_is_repeated_after_a_broken_connection() {
    let fake = Fake::replying([Reply::Hangup, Reply::HangupAfterReading, Reply::ok("{}")]).await;
    get(&fake.client()).await.unwrap();
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_post_is_not_repeated_once_it_may_have_been_read() {
    for reply in [Reply::status(500), Reply::Hangup, Reply::HangupAfterReading, Reply::HalfAnAnswer] {
        let fake = Fake::replying([reply]).await;
        let error = post(&fake.client()).await.unwrap_err();
        assert!(error.may_have_happened(), "{error}");
        assert_eq!(fake.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_post_without_an_answer_in_time_may_have_happened() {
    let fake = Fake::replying([Reply::Silence]).await;
    let twilio = fake.client_with(impatient(), Clock::system());
    let error = post(&twilio).await.unwrap_err();
    assert_eq!(error, TwilioError::Unknown { cause: Lost::Timeout, retry_after: None });
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_throttled_post_is_repeated_after_the_time_that_twilio_asks_for() {
    let fake = Fake::replying([Reply::with_header(429, "Retry-After: 1\r\n"), Reply::ok("{}")]).await;
    let clock = Clock::system();
    let begun = clock.now();
    post(&fake.client()).await.unwrap();
    assert!(clock.now().since(begun) >= Duration::from_secs(1));
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn a_wait_beyond_the_deadline_is_left_to_the_caller() {
    let fake = Fake::replying([Reply::with_header(429, "Retry-After: 60\r\n")]).await;
    let error = post(&fake.client()).await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(60)));
    assert!(error.is_retryable() && !error.may_have_happened());
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_retry_after_may_be_a_date() {
    let fake = Fake::replying([Reply::with_header(429, "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n")]).await;
    let error = post(&fake.client()).await.unwrap_err();
    assert!(error.retry_after().unwrap() > Duration::from_secs(86_400));
}

#[tokio::test]
async fn a_refused_connection_means_that_nothing_was_sent() {
    // Bound and not listening: nobody else gets the port.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap()).parse().unwrap();
    let twilio = Twilio::new(settings(&url), Clock::system(), Handle::current()).unwrap();
    assert_eq!(post(&twilio).await.unwrap_err(), TwilioError::NotSent(Unreachable::Refused));
}

#[tokio::test]
async fn a_post_is_repeated_while_there_is_no_connection() {
    let fake = Fake::replying([Reply::Hangup]).await;
    let mut url = fake.url.clone();
    url.set_scheme("https").unwrap();
    let twilio = Twilio::new(settings(&url), Clock::system(), Handle::current()).unwrap();
    let error = post(&twilio).await.unwrap_err();
    assert!(matches!(error, TwilioError::NotSent(_)), "{error}");
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_from_one_that_is_away() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap()).parse().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(b"HTTP/1.1 400 X\r\n\r\n").await;
        }
    });
    let twilio = Twilio::new(settings(&url), Clock::system(), Handle::current()).unwrap();
    assert_eq!(post(&twilio).await.unwrap_err(), TwilioError::NotSent(Unreachable::Tls));
}

#[tokio::test]
async fn a_refusal_is_final() {
    let body = r#"{"code":40136,"message":"Reservation is not pending","status":400}"#.to_owned();
    let fake = Fake::replying([Reply::Answer { status: 400, headers: "", body }]).await;
    let error = post(&fake.client()).await.unwrap_err();
    assert_eq!(error, TwilioError::Refused { status: 400, code: Some(40_136), kind: Refusal::NotPending });
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = Fake::replying([Reply::with_header(302, "Location: /elsewhere\r\n")]).await;
    let error = get(&fake.client()).await.unwrap_err();
    assert_eq!(error, TwilioError::Refused { status: 302, code: None, kind: Refusal::Other });
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_malformed() {
    let fake = Fake::replying([Reply::ok("<html>")]).await;
    assert_eq!(get(&fake.client()).await.unwrap_err(), TwilioError::Malformed { operation: "test" });
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn an_endless_answer_is_given_up() {
    let fake = Fake::replying([Reply::ok(" ".repeat(4 * 1024 * 1024 + 1))]).await;
    let error = post(&fake.client()).await.unwrap_err();
    assert_eq!(error, TwilioError::Unknown { cause: Lost::TooLong, retry_after: None });
}

#[tokio::test]
async fn an_outage_is_not_made_worse_by_repeats() {
    let fake = Fake::replying([Reply::status(503)]).await;
    let twilio = fake.client();
    join_all((0..40).map(|_| get(&twilio))).await;
    let requests = fake.requests().len();
    assert!((50..=58).contains(&requests), "{requests} requests for 40 calls");
}

#[tokio::test]
async fn what_finds_no_room_to_wait_fails_at_once() {
    let fake = Fake::replying([Reply::Silence]).await;
    let limits = Limits { max_in_flight: 1, max_waiting: 1, ..impatient() };
    let twilio = fake.client_with(limits, Clock::system());
    let (_, _, third) = tokio::join!(post(&twilio), post(&twilio), post(&twilio));
    assert_eq!(third.unwrap_err(), TwilioError::Busy);
}

#[tokio::test]
async fn a_call_whose_turn_never_comes_was_not_sent() {
    let fake = Fake::replying([Reply::ok("{}")]).await;
    let limits = Limits { max_in_flight: 0, deadline: Duration::from_millis(50), ..Limits::default() };
    let error = post(&fake.client_with(limits, Clock::system())).await.unwrap_err();
    assert_eq!(error, TwilioError::Busy);
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn what_was_begun_is_finished_though_nobody_waits_for_it() {
    let fake = Fake::replying([Reply::ok("{}")]).await;
    let twilio = fake.client();
    assert!(post(&twilio).now_or_never().is_none());
    while fake.requests().is_empty() {
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_call_may_come_from_any_runtime() {
    let io = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let fake = io.block_on(Fake::replying([Reply::ok("{}")]));
    let twilio = Twilio::new(settings(&fake.url), Clock::system(), io.handle().clone()).unwrap();
    for _ in 0..2 {
        let caller = tokio::runtime::Builder::new_current_thread().build().unwrap();
        caller.block_on(get(&twilio)).unwrap();
    }
}

#[tokio::test]
async fn health_is_told_by_the_answers() {
    let fake = Fake::replying([Reply::ok("{}"), Reply::status(503)]).await;
    let twilio = fake.client();
    assert_eq!(twilio.health(), Health::Unknown);
    get(&twilio).await.unwrap();
    assert_eq!(twilio.health(), Health::Ok);
    get(&twilio).await.unwrap_err();
    assert_eq!(twilio.health(), Health::Degraded);
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let io = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let good = settings(&"http://127.0.0.1:1".parse().unwrap());
    let made = |settings| Twilio::new(settings, Clock::system(), io.handle().clone()).err();
    let no_http = Settings { endpoints: Endpoints::all_at(&"mailto:a@b".parse().unwrap()), ..good.clone() };
    assert!(matches!(made(no_http), Some(SettingsError::Endpoint(_))));
    let mut no_media = good.clone();
    no_media.endpoints.media = "file:///media".parse().unwrap();
    assert_eq!(made(no_media).unwrap().to_string(), "the endpoint of media is no http or https URL");
    let no_pem = Settings { extra_roots_pem: Some(b"nonsense".to_vec()), ..good.clone() };
    assert!(matches!(made(no_pem), Some(SettingsError::ExtraRoots(_))));
    assert!(made(good).is_none());
}

#[test]
fn no_setting_prints_a_secret() {
    let url = "http://127.0.0.1:1".parse().unwrap();
    let credentials = Credentials::ApiKey { sid: "SK1".to_owned(), secret: SecretString::from("hidden") };
    assert!(!format!("{:?}", Settings { credentials, ..settings(&url) }).contains("hidden"));
}
