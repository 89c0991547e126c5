//! `X-Twilio-Signature`: how Twilio signs what it sends
//! (<https://www.twilio.com/docs/usage/security#validating-requests>).

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Signs a form-encoded POST: the URL without its fragment, then each parameter's name and value, names in byte order,
/// a name's distinct values in byte order; HMAC-SHA1 under the account's auth token, in Base64.
pub fn sign(auth_token: &str, url: &str, params: &[(String, String)]) -> String {
    let mut sorted: Vec<(&str, &str)> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    sorted.sort_unstable();
    sorted.dedup();
    let mut text = without_fragment(url).to_owned();
    for (name, value) in sorted {
        text.push_str(name);
        text.push_str(value);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

/// The URL of a webhook with a JSON body: it says what the body's hash is, and so the signature covers that
/// (<https://www.twilio.com/docs/usage/security#validating-signatures-for-requests-with-json-bodies>).
pub(crate) fn with_body_hash(url: &str, body: &str) -> String {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, body.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    let url = without_fragment(url);
    format!("{url}{}bodySHA256={hash}", if url.contains('?') { '&' } else { '?' })
}

/// The fragment holds connection overrides (`#rc=2&rp=all`); it is neither sent nor signed.
pub(crate) fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    /// The vector of Twilio's helper libraries' own test suites.
    const URL: &str = "https://mycompany.com/myapp.php?foo=1&bar=2";
    const SIGNATURE: &str = "RSOYDt4T1cUTdK1PDd93/VVr8B8=";

    fn documented() -> Vec<(String, String)> {
        params(&[
            ("CallSid", "CA1234567890ABCDE"),
            ("Digits", "1234"),
            ("From", "+14158675309"),
            ("To", "+18005551212"),
            ("Caller", "+14158675309"),
        ])
    }

    #[test]
    fn the_documented_example_has_the_documented_signature() {
        assert_eq!(sign("12345", URL, &documented()), SIGNATURE);
    }

    #[test]
    fn the_fragment_is_not_signed() {
        assert_eq!(sign("12345", &format!("{URL}#rc=2&rp=all"), &documented()), SIGNATURE);
    }

    #[test]
    fn a_value_that_comes_twice_is_signed_once() {
        let mut twice = documented();
        twice.push(("Digits".into(), "1234".into()));
        assert_eq!(sign("12345", URL, &twice), SIGNATURE);
    }

    #[test]
    fn the_hash_of_a_json_body_is_added_to_whatever_query_there_is() {
        let hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(
            with_body_hash("https://gw.example.com/e#rc=1", "{}"),
            format!("https://gw.example.com/e?bodySHA256={hash}")
        );
        assert_eq!(
            with_body_hash("https://gw.example.com/e?a=1", "{}"),
            format!("https://gw.example.com/e?a=1&bodySHA256={hash}")
        );
    }
}
