//! What a task is about, as its attributes tell it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::{ConversationSid, Customer, InteractionChannelSid, InteractionSid, TaskFacts};

/// Of a name or an address so many bytes are kept: a bound on the record's size.
const LONGEST: usize = 80;

/// What a task is about. Attributes are the customer's and the operator's to write: what is not of its form is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// TaskRouter's channel: `voice`, `chat`, `sms` …
    pub channel: Box<str>,
    pub customer: Customer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<ConversationSid>,
    /// Where Flex routes the conversation. Such a task ends through its channel, never through the reservation, which
    /// would orphan the conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<InteractionChannel>,
}

/// The channel of a Flex interaction (<https://www.twilio.com/docs/flex/developer/conversations/interactions-api>).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InteractionChannel {
    pub interaction: InteractionSid,
    pub channel: InteractionChannelSid,
}

impl About {
    pub fn of(task: &TaskFacts) -> Self {
        let attributes: Value = serde_json::from_str(&task.attributes).unwrap_or_default();
        let text = |keys: &[&str]| keys.iter().find_map(|key| clipped(attributes.get(key)?.as_str()?)).map(Into::into);
        let interaction = sid(&attributes, "flexInteractionSid")
            .zip(sid(&attributes, "flexInteractionChannelSid"))
            .map(|(interaction, channel)| InteractionChannel { interaction, channel });
        Self {
            channel: clipped(&task.channel).unwrap_or_default().into(),
            customer: Customer { name: text(&["customerName", "name"]), address: text(&["customerAddress", "from"]) },
            conversation: sid(&attributes, "conversationSid"),
            interaction,
        }
    }
}

fn sid<T: std::str::FromStr>(attributes: &Value, key: &str) -> Option<T> {
    attributes.get(key)?.as_str()?.parse().ok()
}

fn clipped(text: &str) -> Option<String> {
    let mut text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(LONGEST).collect();
    text.truncate(text.floor_char_boundary(LONGEST));
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(attributes: &str) -> About {
        let sid = "WT0123456789abcdef0123456789abcdef".parse().unwrap();
        About::of(&TaskFacts { sid, channel: "chat".into(), workflow: None, attributes: attributes.into() })
    }

    #[test]
    fn a_chat_of_flex_names_its_customer_conversation_and_channel() {
        let about = about(
            r#"{"flexInteractionSid":"KD0123456789abcdef0123456789abcdef","customerName":" Ma\u0007ria ","from":"+15550123",
                "flexInteractionChannelSid":"UO0123456789abcdef0123456789abcdef",
                "conversationSid":"CH0123456789abcdef0123456789abcdef"}"#,
        );
        assert_eq!(about.customer, Customer { name: Some("Maria".into()), address: Some("+15550123".into()) });
        assert!(about.conversation.is_some() && about.interaction.is_some());
    }

    #[test]
    fn attributes_of_any_kind_are_borne() {
        for attributes in ["", "[]", "{", "null", r#"{"conversationSid":7,"from":{},"customerName":"  "}"#] {
            let nothing = About { channel: "chat".into(), ..About::default() };
            assert_eq!(about(attributes), nothing, "{attributes}");
        }
        let long = about(&format!(r#"{{"customerName":"{}"}}"#, "ö".repeat(5000)));
        assert_eq!(long.customer.name.map(|name| name.len()), Some(LONGEST));
    }
}
