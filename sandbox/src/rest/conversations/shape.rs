//! Conversations' resources as JSON, as their OpenAPI document has them.

use serde_json::{Value, json};

use crate::{
    rest::{date::iso8601, request::Request},
    world::{
        World,
        conversations::{Participant, binding_type, chat_service, messaging_service, role, user_sid},
        sid::Sid,
    },
};

/// Shapes rows; links begin with the request's own base.
pub(super) struct Shape<'a> {
    world: &'a World,
    root: String,
}

impl<'a> Shape<'a> {
    pub(super) fn new(world: &'a World, request: &Request) -> Self {
        Self { world, root: format!("{}/v1", request.base) }
    }

    pub(super) fn conversation(&self, sid: &Sid) -> Option<Value> {
        let row = self.world.conversations.get(sid)?;
        let url = format!("{}/Conversations/{sid}", self.root);
        Some(json!({
            "sid": row.sid,
            "account_sid": self.world.fixed.account,
            "chat_service_sid": chat_service(),
            "messaging_service_sid": messaging_service(),
            "friendly_name": row.friendly_name,
            "unique_name": null,
            "attributes": row.attributes,
            "state": row.state,
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.updated),
            "timers": {},
            "bindings": {},
            "links": {
                "participants": format!("{url}/Participants"),
                "messages": format!("{url}/Messages"),
                "webhooks": format!("{url}/Webhooks"),
                "export": format!("{url}/Export"),
            },
            "url": url,
        }))
    }

    pub(super) fn participant(&self, conversation: &Sid, sid: &Sid) -> Option<Value> {
        let one = self.world.conversations.get(conversation)?.participant(sid.as_str())?;
        Some(json!({
            "sid": one.sid,
            "account_sid": self.world.fixed.account,
            "conversation_sid": conversation,
            "identity": one.identity,
            "attributes": one.attributes,
            "messaging_binding": binding(one),
            "role_sid": role(),
            "date_created": iso8601(one.created),
            "date_updated": iso8601(one.updated),
            "last_read_message_index": one.last_read,
            "last_read_timestamp": one.last_read_at.map(iso8601),
            "url": format!("{}/Conversations/{conversation}/Participants/{}", self.root, one.sid),
        }))
    }

    pub(super) fn message(&self, conversation: &Sid, sid: &Sid) -> Option<Value> {
        let message = self.world.conversations.get(conversation)?.message(sid)?;
        let url = format!("{}/Conversations/{conversation}/Messages/{sid}", self.root);
        let files = message.media.iter().filter_map(|sid| self.world.media.get(sid));
        let media: Vec<_> = files
            .map(|file| {
                json!({
                    "sid": file.sid, "size": file.bytes.len(), "content_type": file.content_type,
                    "filename": file.filename,
                })
            })
            .collect();
        Some(json!({
            "sid": message.sid,
            "account_sid": self.world.fixed.account,
            "conversation_sid": conversation,
            "index": message.index,
            "author": message.author,
            "participant_sid": message.participant,
            "body": message.body,
            "media": (!media.is_empty()).then_some(media),
            "attributes": message.attributes,
            "date_created": iso8601(message.created),
            "date_updated": iso8601(message.created),
            "delivery": null,
            "content_sid": null,
            "links": {
                "delivery_receipts": format!("{url}/Receipts"),
                "channel_metadata": format!("{url}/ChannelMetadata"),
            },
            "url": url,
        }))
    }

    /// A conversation as one of those who take part sees it.
    pub(super) fn of_user(&self, sid: &Sid, identity: &str) -> Option<Value> {
        let row = self.world.conversations.get(sid)?;
        let one = row.participant(identity)?;
        let (user, conversation) = (user_sid(identity), format!("{}/Conversations/{sid}", self.root));
        Some(json!({
            "account_sid": self.world.fixed.account,
            "chat_service_sid": chat_service(),
            "conversation_sid": row.sid,
            "unread_messages_count": row.unread(one),
            "last_read_message_index": one.last_read,
            "participant_sid": one.sid,
            "user_sid": user,
            "friendly_name": row.friendly_name,
            "conversation_state": row.state,
            "timers": {},
            "attributes": row.attributes,
            "date_created": iso8601(row.created),
            "date_updated": iso8601(row.updated),
            "created_by": "system",
            "notification_level": if one.muted { "muted" } else { "default" },
            "unique_name": null,
            "links": {
                "participant": format!("{conversation}/Participants/{}", one.sid),
                "conversation": conversation,
            },
            "url": format!("{}/Users/{user}/Conversations/{sid}", self.root),
        }))
    }
}

fn binding(one: &Participant) -> Option<Value> {
    let address = one.address.as_ref()?;
    Some(json!({ "type": binding_type(address), "address": address, "proxy_address": one.proxy_address }))
}
