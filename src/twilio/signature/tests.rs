//! The vectors are those of Twilio's documentation, and of its Python library 9.

use proptest::{collection::vec, prelude::*};

use super::*;

const PRIMARY: &str = "test-token-primary-0123456789abc";
const BASE: &str = "https://gw.example.com/offdesk";
const BATCH: &[u8] = br#"[{"specversion":"1.0"}]"#;
const BATCH_TARGET: &str =
    "/webhooks/events?bodySHA256=8b8f7ee9c565d6ba5a29b8180901a6e377653e88f4bf47a2c92175d7595cd2da";
const BATCH_SIGNATURE: &str = "mdr9v2o7P9dt1OAxNJTo89VDvLo=";

fn validator(public_url: &str) -> Validator {
    Validator::new(&public_url.parse().unwrap(), &SecretString::from(PRIMARY), None)
}

fn check(validator: &Validator, target: &str, form: &str, signature: &str) -> Result<(), SignatureError> {
    let form = Form::parse(form.as_bytes()).unwrap();
    validator.check(&Signed { target, signature: Some(signature), has_settings: false, body: Body::Form(&form) })
}

fn check_batch(target: &str, body: &[u8]) -> Result<(), SignatureError> {
    let signature = sign(PRIMARY, &format!("{BASE}{target}"));
    let signature = Some(signature.as_str());
    validator(BASE).check(&Signed { target, signature, has_settings: false, body: Body::Raw(body) })
}

/// The rule, written down once more.
fn sign(token: &str, text: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

#[test]
fn the_documented_example_holds() {
    let validator = Validator::new(&"https://mycompany.com".parse().unwrap(), &SecretString::from("12345"), None);
    let form = "Digits=1234&To=%2B18005551212&From=%2B14158675309&Caller=%2B14158675309&CallSid=CA1234567890ABCDE";
    assert_eq!(check(&validator, "/myapp.php?foo=1&bar=2", form, "RSOYDt4T1cUTdK1PDd93/VVr8B8="), Ok(()));
}

#[test]
fn what_twilios_library_signs_is_accepted() {
    let validator = validator(BASE);
    for (target, form, signature) in [
        ("/webhooks/taskrouter", "", "iBB9rgsX1tihnDHmBI411KtD394="),
        (
            "/webhooks/taskrouter",
            "TaskAttributes=%7B%22from%22%3A%22%2B15550100%22%7D&Empty=&EventType=reservation.created",
            "230pcrVvBv9A4xrOWRx9xwqiyv4=",
        ),
        (
            "/webhooks/call?call=00000000000000ff-7&leg=1",
            "StatusCallbackEvent=start&StatusCallbackEvent=end&CallSid=CA1&StatusCallbackEvent=join\
             &Name=J%C3%B6rg+%E6%97%A5%E6%9C%AC&StatusCallbackEvent=end&+lead+=+trail%20",
            "e5qCFEc9aRf8SzytQImzSbpSgBI=",
        ),
        ("/webhooks/call?q=%2Fx%20y+z&e=%C3%B6", "a=1+2%2B3", "tW8Vu/VavaNle32YYFeDhJzPEb0="),
    ] {
        assert_eq!(check(&validator, target, form, signature), Ok(()), "{target} {form}");
    }
}

#[test]
fn a_port_makes_no_difference() {
    let with_443 = "45b5JRVW8dCDAJAuuNsNCjMJJNE=";
    let with_8443 = "7ClYGSEMDxIbeXuYmTD46+QnVtg=";
    let without = sign(PRIMARY, &format!("{BASE}/webhooks/taskrouterab"));
    for (public_url, signature, holds) in [
        (BASE, with_443, true),
        ("https://gw.example.com:443/offdesk", with_443, true),
        ("https://gw.example.com:443/offdesk", &without, true),
        ("https://gw.example.com:8443/offdesk", with_8443, true),
        ("https://gw.example.com:8443/offdesk", &without, true),
        ("https://gw.example.com:8443/offdesk", with_443, false),
        (BASE, with_8443, false),
        ("http://gw.example.com/offdesk", with_443, false),
    ] {
        let result = check(&validator(public_url), "/webhooks/taskrouter", "a=b", signature);
        assert_eq!(result.is_ok(), holds, "{public_url} {signature}");
    }
}

#[test]
fn a_slash_at_the_end_of_the_public_url_makes_no_difference() {
    let signature = "iBB9rgsX1tihnDHmBI411KtD394=";
    assert_eq!(check(&validator("https://gw.example.com/offdesk/"), "/webhooks/taskrouter", "", signature), Ok(()));
    let at_root = sign(PRIMARY, "https://gw.example.com/webhooks/taskrouter");
    assert_eq!(check(&validator("https://gw.example.com/"), "/webhooks/taskrouter", "", &at_root), Ok(()));
}

#[test]
fn user_and_password_of_the_public_url_are_signed() {
    let url = "https://user:pa%20ss@gw.example.com";
    let signature = sign(PRIMARY, &format!("{url}/webhooks/taskrouter"));
    assert_eq!(check(&validator(url), "/webhooks/taskrouter", "", &signature), Ok(()));
}

#[test]
fn a_request_that_differs_in_anything_is_refused() {
    let validator = validator(BASE);
    let signature = "tW8Vu/VavaNle32YYFeDhJzPEb0=";
    let target = "/webhooks/call?q=%2Fx%20y+z&e=%C3%B6";
    assert_eq!(check(&validator, target, "a=1+2%2B3", signature), Ok(()));
    for (target, form) in [
        (target, "a=1+2+3"),
        (target, "a=1+2%2B3&b="),
        (target, "A=1+2%2B3"),
        (target, ""),
        ("/webhooks/call?q=/x%20y+z&e=%C3%B6", "a=1+2%2B3"),
        ("/webhooks/call?q=%2fx%20y+z&e=%C3%B6", "a=1+2%2B3"),
        ("/webhooks/Call?q=%2Fx%20y+z&e=%C3%B6", "a=1+2%2B3"),
        ("/webhooks/call/?q=%2Fx%20y+z&e=%C3%B6", "a=1+2%2B3"),
        ("/webhooks/call?e=%C3%B6&q=%2Fx%20y+z", "a=1+2%2B3"),
        ("https://gw.example.com/offdesk/webhooks/call?q=%2Fx%20y+z&e=%C3%B6", "a=1+2%2B3"),
    ] {
        assert_eq!(check(&validator, target, form, signature), Err(SignatureError::Wrong), "{target} {form}");
    }
}

#[test]
fn a_signature_that_is_none_is_told_apart() {
    let validator = validator(BASE);
    for signature in ["", "nonsense", "AAAA", "iBB9rgsX1tihnDHmBI411KtD394", &"A".repeat(1000), "ö"] {
        assert_eq!(
            check(&validator, "/webhooks/taskrouter", "", signature),
            Err(SignatureError::Malformed),
            "{signature}"
        );
    }
    let unsigned = Signed { target: "/", signature: None, has_settings: false, body: Body::Empty };
    assert_eq!(validator.check(&unsigned), Err(SignatureError::Missing));
}

#[test]
fn both_tokens_hold_during_a_rotation_and_one_after_it() {
    let (old, new) = (SecretString::from("old"), SecretString::from("new"));
    let url: Url = BASE.parse().unwrap();
    let during = Validator::new(&url, &old, Some(&new));
    let after = Validator::new(&url, &new, None);
    let signed_by = |token| sign(token, &format!("{BASE}/webhooks/taskrouter"));
    for token in ["old", "new"] {
        assert_eq!(check(&during, "/webhooks/taskrouter", "", &signed_by(token)), Ok(()));
    }
    assert_eq!(check(&after, "/webhooks/taskrouter", "", &signed_by("new")), Ok(()));
    assert_eq!(check(&after, "/webhooks/taskrouter", "", &signed_by("old")), Err(SignatureError::Wrong));
}

#[test]
fn another_way_of_signing_is_refused_though_the_signature_fits() {
    let signature = Some(BATCH_SIGNATURE);
    let signed = Signed { target: BATCH_TARGET, signature, has_settings: true, body: Body::Raw(BATCH) };
    assert_eq!(validator(BASE).check(&signed), Err(SignatureError::UnknownSettings));
}

#[test]
fn a_json_body_must_have_its_hash_in_the_url() {
    assert_eq!(sign(PRIMARY, &format!("{BASE}{BATCH_TARGET}")), BATCH_SIGNATURE);
    assert_eq!(check_batch(BATCH_TARGET, BATCH), Ok(()));
    assert_eq!(check_batch(BATCH_TARGET, b"[]"), Err(SignatureError::BodyHash));
    for target in ["/webhooks/events", "/webhooks/events?bodySHA256=", "/webhooks/events?bodysha256=8b8f7e"] {
        assert_eq!(check_batch(target, BATCH), Err(SignatureError::BodyHash), "{target}");
    }
}

#[test]
fn a_get_is_signed_by_its_url_alone() {
    let target = "/webhooks/voice/confirm?call=1";
    let signature = sign(PRIMARY, &format!("{BASE}{target}"));
    let signed = Signed { target, signature: Some(&signature), has_settings: false, body: Body::Empty };
    assert_eq!(validator(BASE).check(&signed), Ok(()));
}

proptest! {
    #[test]
    fn any_form_holds_with_its_own_signature_and_not_with_another_field(fields in vec((".{1,8}", ".{0,20}"), 0..20)) {
        let encode = |fields: &[(String, String)]| {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
        };
        let mut sorted = fields.clone();
        sorted.sort();
        sorted.dedup();
        let text: String = sorted.into_iter().flat_map(|(name, value)| [name, value]).collect();
        let signature = sign(PRIMARY, &format!("{BASE}/webhooks/call{text}"));
        prop_assert_eq!(check(&validator(BASE), "/webhooks/call", &encode(&fields), &signature), Ok(()));
        let more = [fields, vec![("extra".to_owned(), "x".to_owned())]].concat();
        prop_assert_eq!(
            check(&validator(BASE), "/webhooks/call", &encode(&more), &signature),
            Err(SignatureError::Wrong)
        );
    }

    #[test]
    fn no_request_makes_it_panic(target: String, signature: String, body: Vec<u8>) {
        let signed = Signed { target: &target, signature: Some(&signature), has_settings: false, body: Body::Raw(&body) };
        prop_assert!(validator(BASE).check(&signed).is_err());
    }
}
