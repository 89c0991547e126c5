use std::collections::BTreeSet;

use super::*;
use crate::push::VapidKeyFile;

const NOW: Timestamp = Timestamp::from_millis(1_790_000_000_000);

fn signer() -> Signer {
    let folder = tempfile::tempdir().unwrap();
    let key = VapidKey::open(&VapidKeyFile::Own(folder.path().join("vapid.pem"))).unwrap();
    Signer::new(&key, "mailto:ops@example.com".parse().unwrap()).unwrap()
}

fn signature(signer: &Signer, endpoint: &str, now: Timestamp) -> Arc<str> {
    signer.signature(&endpoint.parse().unwrap(), now).unwrap()
}

fn claims(signature: &str) -> serde_json::Value {
    let claims = signature.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

#[test]
fn the_audience_is_the_origin_with_its_port_where_it_has_one() {
    let signer = signer();
    for (endpoint, audience) in [
        ("https://fcm.googleapis.com/fcm/send/x", "https://fcm.googleapis.com"),
        ("https://push.corp.example:8443/x?y#z", "https://push.corp.example:8443"),
        ("http://127.0.0.1:9100/wpush/v2/x", "http://127.0.0.1:9100"),
    ] {
        let claims = claims(&signature(&signer, endpoint, NOW));
        assert_eq!(claims["aud"], audience);
        assert_eq!(claims["sub"], "mailto:ops@example.com");
        assert_eq!(claims["exp"], (NOW + SIGNED_FOR).as_secs());
    }
}

#[test]
fn a_signature_is_kept_for_each_push_service_and_renewed_well_before_its_end() {
    let signer = signer();
    let first = signature(&signer, "https://web.push.apple.com/a", NOW);
    assert_eq!(signature(&signer, "https://web.push.apple.com/b", NOW), first);
    let still = NOW + RENEWED_AFTER - Duration::from_millis(1);
    assert_eq!(signature(&signer, "https://web.push.apple.com/a", still), first);
    assert_ne!(signature(&signer, "https://fcm.googleapis.com/a", NOW), first);
    let renewed = signature(&signer, "https://web.push.apple.com/a", NOW + RENEWED_AFTER);
    assert_eq!(claims(&renewed)["exp"], (NOW + RENEWED_AFTER + SIGNED_FOR).as_secs());
}

#[test]
fn no_more_signatures_are_kept_than_there_may_be_push_services() {
    let signer = signer();
    for number in 0..=SIGNATURES {
        signature(&signer, &format!("https://n{number}.notify.windows.com/x"), NOW);
        assert!(signer.signatures.lock().unwrap().len() <= SIGNATURES);
    }
}

#[test]
fn topics_are_short_and_each_tag_has_its_own() {
    let tags = ["WR0123456789abcdef0123456789abcdef", "CH0123456789abcdef0123456789abcdef", "activity"];
    let topics: BTreeSet<_> = tags.iter().map(|tag| topic(tag)).collect();
    assert_eq!(topics.len(), tags.len());
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    assert!(topics.iter().all(|topic| topic.len() == TOPIC && topic.chars().all(plain)));
}

#[test]
fn a_verdict_follows_the_status() {
    let secs = Duration::from_secs;
    let answered = |status| {
        let answer = Answer { status, retry_after: Some(secs(7)), body: Vec::new() };
        verdict(&answer).err()
    };
    let later = |reason| Some(Failure::Later { reason, retry_after: Some(secs(7)), scope: Scope::Service });
    for (status, expected) in [
        (201, None),
        (200, None),
        (202, None),
        (404, Some(Failure::Gone { reason: "not_found" })),
        (410, Some(Failure::Gone { reason: "gone" })),
        (429, later("throttled")),
        (408, later("unavailable")),
        (500, later("unavailable")),
        (503, later("unavailable")),
        (413, Some(Failure::Refused { reason: "too_large" })),
        (401, Some(Failure::Refused { reason: "unauthorized" })),
        (403, Some(Failure::Refused { reason: "unauthorized" })),
        (400, Some(Failure::Refused { reason: "refused" })),
        (301, Some(Failure::Refused { reason: "refused" })),
    ] {
        assert_eq!(answered(status), expected, "{status}");
    }
    assert_eq!(unanswered(Lost::Timeout), Failure::later("timeout"));
    assert_eq!(unanswered(Lost::NotPublic), Failure::Refused { reason: "not_public" });
}
