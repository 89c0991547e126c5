use std::net::SocketAddr;

use bytes::Bytes;

use super::*;
use crate::message::{Carrier, Code, Limits, Message, Tag};

const SOURCE: &str = "192.0.2.7:5062";
const LIFE: Duration = Duration::from_secs(300);

struct Registrar {
    guard: Guard,
    now: Instant,
}

#[allow(clippy::disallowed_methods, reason = "where the tests' own clock begins")]
fn registrar(algorithms: &[Algorithm]) -> Registrar {
    let now = Instant::now();
    let policy = Policy { realm: "gw.example.com".into(), algorithms: algorithms.to_vec(), nonce_life: LIFE };
    Registrar { guard: Guard::new(policy, &[7; 32], now), now }
}

fn request(authorization: &str) -> Message {
    let text = format!(
        "REGISTER sip:gw.example.com SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7:5062;branch=z9hG4bK1\r\nFrom: <sip:anna@gw.example.com>;\
         tag=1\r\nTo: <sip:anna@gw.example.com>\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\n{authorization}\r\n"
    );
    Message::parse(Bytes::from(text), Carrier::Datagram, &Limits::default()).unwrap()
}

fn ip(source: &str) -> IpAddr {
    source.parse::<SocketAddr>().unwrap().ip()
}

impl Registrar {
    fn challenge(&mut self, source: &str, stale: bool) -> String {
        let request = request("");
        let response = ResponseBuilder::new(request.head(), source.parse().unwrap(), Code::UNAUTHORIZED, Tag::new(1));
        let response = self.guard.challenge(response, ip(source), self.now, stale).finish();
        String::from_utf8(response).unwrap()
    }

    fn nonce(&mut self, source: &str) -> String {
        let response = self.challenge(source, false);
        let (_, rest) = response.split_once("nonce=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }

    fn check(&mut self, source: &str, authorization: &str) -> Verdict<u32> {
        let request = request(authorization);
        let account = |name: &str| (name == "anna").then(|| (1, Ha1s::new("anna", "gw.example.com", "secret")));
        self.guard.check(request.head(), Method::Register, ip(source), self.now, account)
    }
}

/// What a phone makes of a challenge.
fn answer(algorithm: Algorithm, user: &str, password: &str, nonce: &str, nc: &str) -> String {
    let ha1 = algorithm.hash(&[user.as_bytes(), b"gw.example.com", password.as_bytes()]);
    let ha2 = algorithm.hash(&[b"REGISTER", b"sip:gw.example.com"]);
    let parts = [ha1.as_bytes(), nonce.as_bytes(), nc.as_bytes(), b"abc", b"auth", ha2.as_bytes()];
    let response = algorithm.hash(&parts);
    let response = std::str::from_utf8(response.as_bytes()).unwrap();
    format!(
        "Authorization: Digest username=\"{user}\", realm=\"gw.example.com\", nonce=\"{nonce}\", uri=\"sip:gw.example.com\", \
         response=\"{response}\", algorithm={algorithm}, cnonce=\"abc\", qop=auth, nc={nc}\r\n"
    )
}

#[test]
fn the_password_is_proven_with_either_algorithm() {
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let mut registrar = registrar(&[Algorithm::Sha256, Algorithm::Md5]);
        let nonce = registrar.nonce(SOURCE);
        let good = answer(algorithm, "anna", "secret", &nonce, "00000001");
        assert_eq!(registrar.check(SOURCE, &good), Verdict::Granted(1));
        let next = answer(algorithm, "anna", "secret", &nonce, "00000002");
        assert_eq!(registrar.check(SOURCE, &next), Verdict::Granted(1));
        for (user, password) in [("anna", "wrong"), ("bob", "secret")] {
            let bad = answer(algorithm, user, password, &nonce, "00000003");
            assert_eq!(registrar.check(SOURCE, &bad), Verdict::Wrong, "{user}");
        }
    }
}

/// The examples of RFC 7616 §3.9.1.
#[test]
fn the_examples_of_rfc_7616_come_out() {
    for (algorithm, expected) in [
        (Algorithm::Md5, "8ca523f5e9506fed4657c9700eebdbec"),
        (Algorithm::Sha256, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ] {
        let ha1s = Ha1s::new("Mufasa", "http-auth@example.org", "Circle of Life");
        let text = format!(
            "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm={algorithm}, \
             nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
             cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, response=\"{expected}\", \
             opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
        );
        let credentials = Credentials::parse(&text).unwrap();
        assert!(is_right(&credentials, algorithm, Method::Other("GET"), &ha1s), "{algorithm}");
        assert!(!is_right(&credentials, algorithm, Method::Other("PUT"), &ha1s), "{algorithm}");
    }
}

#[test]
fn nothing_is_used_twice() {
    let mut registrar = registrar(&[Algorithm::Md5]);
    let nonce = registrar.nonce(SOURCE);
    let second = answer(Algorithm::Md5, "anna", "secret", &nonce, "00000002");
    assert_eq!(registrar.check(SOURCE, &second), Verdict::Granted(1));
    assert_eq!(registrar.check(SOURCE, &second), Verdict::Stale);
    let first = answer(Algorithm::Md5, "anna", "secret", &nonce, "00000001");
    assert_eq!(registrar.check(SOURCE, &first), Verdict::Stale);
}

#[test]
fn a_wrong_answer_uses_nothing_up() {
    let mut registrar = registrar(&[Algorithm::Md5]);
    let nonce = registrar.nonce(SOURCE);
    let wrong = answer(Algorithm::Md5, "anna", "wrong", &nonce, "ffffffff");
    assert_eq!(registrar.check(SOURCE, &wrong), Verdict::Wrong);
    let good = answer(Algorithm::Md5, "anna", "secret", &nonce, "00000001");
    assert_eq!(registrar.check(SOURCE, &good), Verdict::Granted(1));
}

#[test]
fn a_nonce_is_good_for_its_time_its_address_and_its_maker() {
    let mut registrar = registrar(&[Algorithm::Md5]);
    let nonce = registrar.nonce(SOURCE);
    let good = answer(Algorithm::Md5, "anna", "secret", &nonce, "00000001");
    assert_eq!(registrar.check("192.0.2.8:5062", &good), Verdict::Stale);
    assert_eq!(registrar.check("[::ffff:192.0.2.7]:1", &good), Verdict::Granted(1));
    registrar.now += LIFE + Duration::from_secs(1);
    let late = answer(Algorithm::Md5, "anna", "secret", &nonce, "00000002");
    assert_eq!(registrar.check(SOURCE, &late), Verdict::Stale);
    for forged in [nonce.replacen(|_| true, "f", 1), nonce[2..].to_owned(), format!("{nonce}00"), "ü".into()] {
        let forged = answer(Algorithm::Md5, "anna", "secret", &forged, "00000001");
        assert_eq!(registrar.check(SOURCE, &forged), Verdict::Stale);
    }
}

#[test]
fn with_a_nonce_that_was_not_sent_there_right_and_wrong_are_the_same() {
    let mut registrar = registrar(&[Algorithm::Md5]);
    let (elsewhere, old) = (registrar.nonce("192.0.2.8:5062"), registrar.nonce(SOURCE));
    registrar.now += LIFE + Duration::from_secs(1);
    for nonce in [elsewhere.as_str(), &old, "made-up", &"0".repeat(48)] {
        for (user, password) in [("anna", "secret"), ("anna", "wrong"), ("bob", "secret")] {
            let answer = answer(Algorithm::Md5, user, password, nonce, "00000001");
            assert_eq!(registrar.check(SOURCE, &answer), Verdict::Stale, "{nonce} {user} {password}");
        }
    }
}

#[test]
fn what_does_not_answer_our_challenge_is_as_good_as_nothing() {
    let mut registrar = registrar(&[Algorithm::Md5]);
    let nonce = registrar.nonce(SOURCE);
    let good = answer(Algorithm::Md5, "anna", "secret", &nonce, "00000001");
    assert_eq!(registrar.check(SOURCE, ""), Verdict::Absent);
    assert_eq!(registrar.check(SOURCE, "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n"), Verdict::Absent);
    assert_eq!(registrar.check(SOURCE, &good.replace("gw.example.com\", n", "other\", n")), Verdict::Absent);
    let sha = answer(Algorithm::Sha256, "anna", "secret", &nonce, "00000001");
    assert_eq!(registrar.check(SOURCE, &sha), Verdict::Absent);
    let both = format!("{}{good}", good.replace("gw.example.com\", n", "other\", n"));
    assert_eq!(registrar.check(SOURCE, &both), Verdict::Granted(1));
}

#[test]
fn credentials_are_read_strictly() {
    let good = answer(Algorithm::Md5, "anna", "secret", "n", "00000001");
    let good = good.trim().strip_prefix("Authorization: ").unwrap();
    assert!(Credentials::parse(good).is_ok());
    for (from, to, error) in [
        ("Digest ", "Basic ", CredentialsError::Scheme),
        ("nc=00000001", "nc=1", CredentialsError::Malformed),
        ("nc=00000001", "nc=00000000", CredentialsError::Malformed),
        ("nc=00000001", "nc=+0000001", CredentialsError::Malformed),
        ("nc=00000001", "nc=00000001, nc=00000002", CredentialsError::Malformed),
        ("nc=00000001", "nc=00000001, username=\"bob\"", CredentialsError::Malformed),
        (", nc=00000001", "", CredentialsError::Missing),
        ("cnonce=\"abc\", ", "", CredentialsError::Missing),
        ("qop=auth", "qop=auth-int", CredentialsError::Qop),
        ("qop=auth, ", "", CredentialsError::Missing),
        ("qop=auth", "qop=", CredentialsError::Malformed),
        ("qop=auth", "qop=auth,", CredentialsError::Malformed),
        ("nonce=\"n\"", "nonce=\"n", CredentialsError::Malformed),
        ("username=\"anna\"", "username", CredentialsError::Malformed),
    ] {
        let text = good.replacen(from, to, 1);
        assert_eq!(Credentials::parse(&text).unwrap_err(), error, "{text}");
    }
    let quoted = good.replace("algorithm=MD5", "algorithm=\"MD5\"").replace("qop=auth", "qop=\"auth\"");
    assert!(Credentials::parse(&quoted).is_ok());
}

#[test]
fn challenges_are_those_that_are_configured() {
    let challenge = registrar(&[Algorithm::Sha256, Algorithm::Md5]).challenge(SOURCE, true);
    let lines: Vec<_> = challenge.lines().filter(|line| line.starts_with("WWW-Authenticate: Digest ")).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].ends_with("algorithm=SHA-256, qop=\"auth\", stale=true"), "{}", lines[0]);
    assert!(lines[1].ends_with("algorithm=MD5, qop=\"auth\", stale=true"), "{}", lines[1]);
    let challenge = registrar(&[Algorithm::Md5]).challenge(SOURCE, false);
    assert!(!challenge.contains("SHA") && !challenge.contains("stale"), "{challenge}");
}

#[test]
fn a_fingerprint_is_of_one_password_of_one_user() {
    let of = |user, password| Ha1s::new(user, "gw.example.com", password).fingerprint();
    assert_eq!(of("anna", "secret"), of("anna", "secret"));
    assert_ne!(of("anna", "secret"), of("anna", "other"));
    assert_ne!(of("anna", "secret"), of("berta", "secret"));
    assert_eq!(format!("{:?}", of("anna", "secret")), "Fingerprint(…)");
}

#[test]
fn debug_says_nothing_secret() {
    let registrar = registrar(&[Algorithm::Md5]);
    let ha1s = Ha1s::new("anna", "gw.example.com", "secret");
    assert_eq!(format!("{ha1s:?}"), "Ha1s(…)");
    assert!(!format!("{:?}", registrar.guard).contains("key"));
}
