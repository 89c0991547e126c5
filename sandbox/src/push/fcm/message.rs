//! The body of a send request, by the discovery document of FCM v1 (revision 20261023). Names are camelCase there;
//! Google's JSON reads them in snake_case too.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Failure;
use crate::push::{
    Message,
    notification::{self, Visible},
};

/// What all data may have together, in bytes.
const LONGEST_DATA: usize = 4096;
/// What FCM assumes, and the longest that it keeps a message.
const LONGEST_TTL_S: u64 = 28 * 24 * 60 * 60;

/// A message, and where it goes.
pub(crate) struct Parsed {
    pub(crate) token: String,
    pub(crate) message: Message,
    /// It is only checked, and not delivered.
    pub(crate) validate_only: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SendRequest {
    #[serde(default, alias = "validate_only")]
    validate_only: bool,
    message: Value,
}

/// `Message`. Of what goes to browsers and to Apple's devices by FCM only the name is known here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Sent {
    token: Option<String>,
    /// Firebase's id of an installation, which is to replace the token.
    fid: Option<String>,
    #[serde(default)]
    data: BTreeMap<String, String>,
    notification: Option<Notification>,
    android: Option<Android>,
    #[serde(rename = "apns")]
    _apns: Option<Value>,
    #[serde(rename = "webpush")]
    _webpush: Option<Value>,
    #[serde(rename = "fcmOptions", alias = "fcm_options")]
    _options: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notification {
    title: Option<String>,
    body: Option<String>,
    #[serde(rename = "image")]
    _image: Option<String>,
}

/// `AndroidConfig`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Android {
    #[serde(alias = "collapse_key")]
    collapse_key: Option<String>,
    priority: Option<String>,
    ttl: Option<String>,
    notification: Option<AndroidNotification>,
    #[serde(rename = "data")]
    _data: Option<BTreeMap<String, String>>,
    #[serde(rename = "restrictedPackageName", alias = "restricted_package_name")]
    _package: Option<String>,
    #[serde(rename = "directBootOk", alias = "direct_boot_ok")]
    _direct_boot: Option<bool>,
    #[serde(rename = "bandwidthConstrainedOk", alias = "bandwidth_constrained_ok")]
    _bandwidth_constrained: Option<bool>,
    #[serde(rename = "restrictedSatelliteOk", alias = "restricted_satellite_ok")]
    _restricted_satellite: Option<bool>,
    #[serde(rename = "fcmOptions", alias = "fcm_options")]
    _options: Option<Value>,
}

/// `AndroidNotification`, as far as it says what is shown.
#[derive(Deserialize)]
struct AndroidNotification {
    title: Option<String>,
    body: Option<String>,
    tag: Option<String>,
}

/// Reads the body of `messages:send`.
pub(crate) fn parse(body: &[u8]) -> Result<Parsed, Failure> {
    let unread = |error: serde_json::Error| Failure::invalid("", &format!("Invalid JSON payload received. {error}"));
    let request: SendRequest = serde_json::from_slice(body).map_err(unread)?;
    let sent: Sent = serde_json::from_value(request.message.clone())
        .map_err(|error| Failure::invalid("message", &format!("Invalid JSON payload received. {error}")))?;
    check_data(&sent.data)?;
    let token = match (sent.token, sent.fid) {
        (Some(target), None) | (None, Some(target)) => target,
        _ => return Err(Failure::invalid("message", "Exactly one target is required.")),
    };
    let (shown, android) = (sent.notification, sent.android);
    let on_android = android.as_ref().and_then(|android| android.notification.as_ref());
    let visible = Visible {
        title: on_android.and_then(|shown| shown.title.clone()).or_else(|| shown.as_ref()?.title.clone()),
        body: on_android.and_then(|shown| shown.body.clone()).or_else(|| shown.as_ref()?.body.clone()),
        tag: on_android.and_then(|shown| shown.tag.clone()),
    };
    let message = Message {
        content: notification::flat(&sent.data, &visible, request.message),
        urgency: android.as_ref().map(priority).transpose()?.flatten(),
        ttl_s: android.as_ref().map(ttl_s).transpose()?.unwrap_or(LONGEST_TTL_S),
        topic: android.and_then(|android| android.collapse_key),
    };
    Ok(Parsed { token, message, validate_only: request.validate_only })
}

fn check_data(data: &BTreeMap<String, String>) -> Result<(), Failure> {
    let reserved = |name: &str| {
        matches!(name, "from" | "message_type") || name.starts_with("google.") || name.starts_with("gcm.notification.")
    };
    if let Some(name) = data.keys().find(|name| reserved(name)) {
        return Err(Failure::invalid("message.data", &format!("Invalid data payload key: {name}")));
    }
    if data.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>() > LONGEST_DATA {
        return Err(Failure::invalid("message", "Message too big"));
    }
    Ok(())
}

fn priority(android: &Android) -> Result<Option<String>, Failure> {
    match android.priority.as_deref() {
        None => Ok(None),
        Some(word @ ("NORMAL" | "HIGH")) => Ok(Some(word.to_ascii_lowercase())),
        Some(_) => Err(Failure::invalid("message.android.priority", "Invalid value at 'message.android.priority'")),
    }
}

/// A duration is written as seconds and an `s`.
fn ttl_s(android: &Android) -> Result<u64, Failure> {
    let Some(text) = &android.ttl else { return Ok(LONGEST_TTL_S) };
    let seconds = text.strip_suffix('s').and_then(|number| number.parse::<f64>().ok());
    match seconds {
        Some(seconds) if seconds >= 0.0 => Ok((seconds as u64).min(LONGEST_TTL_S)),
        _ => Err(Failure::invalid("message.android.ttl", "Illegal duration format; duration must end with 's'")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(message: Value) -> bool {
        parse(json!({ "message": message }).to_string().as_bytes()).is_err()
    }

    #[test]
    fn a_message_is_read_with_its_android_part() {
        let message = json!({
            "token": "t", "data": { "type": "message", "tag": "CH1" }, "notification": { "title": "New message" },
            "android": { "priority": "HIGH", "ttl": "60s", "collapseKey": "message", "notification": { "tag": "CH2" } },
        });
        let parsed = parse(json!({ "message": message }).to_string().as_bytes()).ok().unwrap();
        let Message { content, urgency, ttl_s, topic } = parsed.message;
        assert_eq!((content.title.as_str(), content.tag.as_deref()), ("New message", Some("CH2")));
        assert_eq!((urgency.as_deref(), ttl_s, topic.as_deref()), (Some("high"), 60, Some("message")));
        assert!(!parsed.validate_only);
    }

    #[test]
    fn what_the_document_does_not_know_is_refused() {
        for message in [
            json!({ "data": {} }),
            json!({ "token": "t", "fid": "f" }),
            json!({ "token": "t", "data": { "exp": 17 } }),
            json!({ "token": "t", "data": { "from": "Carol" } }),
            json!({ "token": "t", "data": { "google.x": "y" } }),
            json!({ "token": "t", "data": { "body": "x".repeat(LONGEST_DATA) } }),
            json!({ "token": "t", "to": "t" }),
            json!({ "token": "t", "android": { "priority": "high" } }),
            json!({ "token": "t", "android": { "ttl": 60 } }),
            json!({ "token": "t", "android": { "ttl": "60" } }),
            json!({ "token": "t", "android": { "ttl": "-1s" } }),
        ] {
            assert!(refused(message.clone()), "{message}");
        }
        assert!(!refused(json!({ "token": "t" })));
    }
}
