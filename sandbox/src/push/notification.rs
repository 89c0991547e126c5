//! What a message says: Declarative Web Push (<https://www.w3.org/TR/push-api/#declarative-push-message>), or the same
//! keys flat in the data of FCM.

use std::collections::BTreeMap;

use serde_json::Value;

/// What a phone reads in a message; all of it is empty where the message cannot be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(super) id: Option<String>,
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) body: String,
    pub(super) tag: Option<String>,
    pub(super) task: Option<String>,
    pub(super) conversation: Option<String>,
    pub(super) navigate: Option<String>,
    /// Seconds since the Unix epoch.
    pub(super) exp: Option<u64>,
    pub(super) app_badge: Option<u64>,
    pub(super) actions: Vec<String>,
    pub(super) raw: Value,
}

/// `{"web_push":8030,"notification":{…,"data":{…}},"app_badge":N}`.
pub(super) fn declarative(raw: Value) -> Content {
    let notification = &raw["notification"];
    let data = &notification["data"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let action = |action: &Value| text(&action["action"]);
    Content {
        id: text(&data["id"]),
        kind: text(&data["type"]).unwrap_or_default(),
        title: text(&notification["title"]).unwrap_or_default(),
        body: text(&notification["body"]).unwrap_or_default(),
        tag: text(&notification["tag"]),
        task: text(&data["task"]),
        conversation: text(&data["conversation"]),
        navigate: text(&notification["navigate"]),
        exp: number(&data["exp"]),
        app_badge: number(&raw["app_badge"]),
        actions: notification["actions"].as_array().into_iter().flatten().filter_map(action).collect(),
        raw,
    }
}

/// The data of FCM: text alone. `title`, `body` and `tag` are what a visible notification has to say beside it.
pub(super) fn flat(data: &BTreeMap<String, String>, shown: &Visible, raw: Value) -> Content {
    let text = |name: &str| data.get(name).filter(|value| !value.is_empty()).cloned();
    let or = |shown: &Option<String>, name: &str| shown.clone().or_else(|| text(name));
    Content {
        id: text("id"),
        kind: text("type").unwrap_or_default(),
        title: or(&shown.title, "title").unwrap_or_default(),
        body: or(&shown.body, "body").unwrap_or_default(),
        tag: or(&shown.tag, "tag"),
        task: text("task"),
        conversation: text("conversation"),
        navigate: text("navigate"),
        exp: text("exp").and_then(|seconds| seconds.parse().ok()),
        app_badge: text("app_badge").and_then(|count| count.parse().ok()),
        actions: text("actions").as_deref().map(flat_actions).unwrap_or_default(),
        raw,
    }
}

/// FCM's visible notification, as far as it says what a phone shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Visible {
    pub(super) title: Option<String>,
    pub(super) body: Option<String>,
    pub(super) tag: Option<String>,
}

/// A list became a text: JSON, of words or of objects with an `action`, or words between commas.
fn flat_actions(text: &str) -> Vec<String> {
    let word = |value: &Value| value.as_str().or_else(|| value["action"].as_str()).map(str::to_owned);
    match serde_json::from_str::<Vec<Value>>(text) {
        Ok(list) => list.iter().filter_map(word).collect(),
        Err(_) => text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
    }
}

fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_declarative_message_is_read_in_full() {
        let content = declarative(json!({
            "web_push": 8030,
            "notification": {
                "title": "New chat", "body": "from Carol", "navigate": "https://gw.example.com/", "tag": "WR1",
                "data": { "id": "n1", "type": "task.offered", "task": "WR1", "conversation": "CH1", "exp": 17 },
                "actions": [{ "action": "accept", "title": "Accept" }, { "action": "decline", "title": "Decline" }],
            },
            "app_badge": "3",
        }));
        assert_eq!((content.id.as_deref(), content.kind.as_str()), (Some("n1"), "task.offered"));
        assert_eq!((content.title.as_str(), content.body.as_str()), ("New chat", "from Carol"));
        assert_eq!((content.tag.as_deref(), content.task.as_deref()), (Some("WR1"), Some("WR1")));
        assert_eq!((content.conversation.as_deref(), content.exp), (Some("CH1"), Some(17)));
        assert_eq!((content.app_badge, content.actions), (Some(3), vec!["accept".to_owned(), "decline".to_owned()]));
    }

    #[test]
    fn the_visible_notification_of_fcm_goes_before_its_data() {
        let data = [("title", "in data"), ("body", "also"), ("tag", "WR1"), ("exp", "17"), ("app_badge", "2")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let shown = Visible { title: Some("seen".to_owned()), ..Visible::default() };
        let content = flat(&data, &shown, Value::Null);
        assert_eq!((content.title.as_str(), content.body.as_str()), ("seen", "also"));
        assert_eq!((content.tag.as_deref(), content.exp, content.app_badge), (Some("WR1"), Some(17), Some(2)));
    }

    #[test]
    fn actions_come_as_json_or_as_words() {
        for text in [r#"["accept","decline"]"#, r#"[{"action":"accept"},{"action":"decline"}]"#, "accept, decline"] {
            assert_eq!(flat_actions(text), ["accept", "decline"], "{text}");
        }
    }
}
