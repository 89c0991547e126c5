//! Conversations, Interactions, media and Event Streams, asked once each.

use offdesk_sandbox::ReservationStatus;
use reqwest::Method;
use serde_json::{Value, json};

use crate::with_node::{ADA, Asked, LIMIT, sid};

impl Asked {
    pub(crate) async fn chats(&mut self) {
        self.webhooks_of_conversations().await;
        let chat = self.sandbox.start_chat("+15550123", "Grace", "Hello?");
        let conversation = chat.conversation_sid.to_string();
        self.messages(&conversation).await;
        self.participants(&conversation).await;
        let state = self.sandbox.snapshot();
        let reservation = &state.reservation_of(&chat.task_sid).unwrap().sid;
        self.sandbox.desk_accepts(reservation).unwrap();
        let accepted = |status| status == ReservationStatus::Accepted;
        self.sandbox
            .wait_until(LIMIT, |state| state.reservation_of(&chat.task_sid).is_some_and(|row| accepted(row.status)))
            .await
            .unwrap();
        self.users(&conversation).await;
        self.interaction(&chat.interaction_sid.unwrap().to_string()).await;
        self.post("conversations", &format!("/v1/Conversations/{conversation}"), &[("State", "closed")]).await;
        self.new_interaction().await;
    }

    async fn webhooks_of_conversations(&mut self) {
        self.get("conversations", "/v1/Configuration").await;
        self.get("conversations", "/v1/Configuration/Webhooks").await;
        let webhook = [
            ("PostWebhookUrl", "http://127.0.0.1:9/webhooks/conversations"),
            ("Method", "POST"),
            ("Target", "webhook"),
            ("Filters", "onMessageAdded"),
            ("Filters", "onParticipantAdded"),
        ];
        self.post("conversations", "/v1/Configuration/Webhooks", &webhook).await;
        let of_service = format!("/v1/Services/{}/Configuration/Webhooks", self.facts.chat_service_sid);
        self.get("conversations", &of_service).await;
        let url = [("PostWebhookUrl", "http://127.0.0.1:9/webhooks/conversations"), ("Method", "POST")];
        self.post("conversations", &of_service, &url).await;
    }

    async fn messages(&mut self, conversation: &str) {
        self.get("conversations", "/v1/Conversations").await;
        let conversation = format!("/v1/Conversations/{conversation}");
        self.get("conversations", &conversation).await;
        let messages = format!("{conversation}/Messages");
        self.post("conversations", &messages, &[("Author", "user_2D"), ("Body", "Hello!")]).await;
        let file = self.upload().await;
        self.post("conversations", &messages, &[("MediaSid", &file), ("Attributes", "{}")]).await;
        let listed = self.get("conversations", &format!("{messages}?Order=desc&PageSize=100")).await;
        self.get("conversations", &format!("{messages}/{}", sid(&listed["messages"][0]))).await;
    }

    /// No document describes the Media Content Service: only that it works is tested here.
    async fn upload(&mut self) -> String {
        let files = format!("{}/media/v1/Services/{}/Media", self.sandbox.url(), self.facts.chat_service_sid);
        let answer = self.media(Method::POST, &format!("{files}?filename=cat.png"), b"cat").await;
        let file = sid(&answer);
        let answer = self.media(Method::GET, &format!("{files}/{file}"), b"").await;
        assert_eq!((&answer["content_type"], &answer["size"]), (&json!("image/png"), &json!(3)));
        file
    }

    async fn media(&mut self, method: Method, url: &str, body: &'static [u8]) -> Value {
        let request =
            self.client.request(method, url).basic_auth(&self.facts.account_sid, Some(&self.facts.auth_token));
        let request = if body.is_empty() { request } else { request.header("Content-Type", "image/png").body(body) };
        let response = request.send().await.unwrap().error_for_status().unwrap();
        serde_json::from_str(&response.text().await.unwrap()).unwrap()
    }

    async fn participants(&mut self, conversation: &str) {
        let participants = format!("/v1/Conversations/{conversation}/Participants");
        let added = self.post("conversations", &participants, &[("Identity", "supervisor")]).await;
        self.get("conversations", &participants).await;
        let participant = format!("{participants}/{}", sid(&added));
        self.get("conversations", &participant).await;
        self.post("conversations", &participant, &[("LastReadMessageIndex", "0")]).await;
        self.ask(Method::DELETE, "conversations", &participant, &[]).await;
    }

    async fn users(&mut self, conversation: &str) {
        let identity = format!("user_2D_2B{}", ADA.trim_start_matches('+'));
        let conversations = format!("/v1/Users/{identity}/Conversations");
        self.get("conversations", &conversations).await;
        let conversation = format!("{conversations}/{conversation}");
        self.get("conversations", &conversation).await;
        self.post("conversations", &conversation, &[("LastReadMessageIndex", "0")]).await;
    }

    async fn interaction(&mut self, interaction: &str) {
        let interaction = format!("/v1/Interactions/{interaction}");
        self.get("flex", &interaction).await;
        let channels = self.get("flex", &format!("{interaction}/Channels")).await;
        let channel = format!("{interaction}/Channels/{}", sid(&channels["channels"][0]));
        self.get("flex", &channel).await;
        self.get("flex", &format!("{channel}/Invites")).await;
        let participants = self.get("flex", &format!("{channel}/Participants")).await;
        let agent = participants["participants"].as_array().unwrap().iter().find(|one| one["type"] == "agent");
        let agent = format!("{channel}/Participants/{}", sid(agent.unwrap()));
        self.post("flex", &agent, &[("Status", "wrapup")]).await;
        self.post("flex", &channel, &[("Status", "closed"), ("Routing", r#"{"status":"closed"}"#)]).await;
    }

    async fn new_interaction(&mut self) {
        let channel = json!({
            "type": "whatsapp", "initiated_by": "customer",
            "participants": [{ "address": "whatsapp:+15550124", "proxy_address": "whatsapp:+15550100", "type": "customer" }],
        });
        let routing = json!({ "properties": { "attributes": { "customerName": "Edsger" } } });
        let form = [("Channel", &*channel.to_string()), ("Routing", &*routing.to_string())];
        self.post("flex", "/v1/Interactions", &form).await;
    }

    pub(crate) async fn event_streams(&mut self) {
        let configuration =
            json!({ "destination": "http://127.0.0.1:9/webhooks/events", "method": "POST" }).to_string();
        let sink = [("Description", "Offdesk"), ("SinkType", "webhook"), ("SinkConfiguration", configuration.as_str())];
        let sink = sid(&self.post("events", "/v1/Sinks", &sink).await);
        self.get("events", "/v1/Sinks").await;
        self.get("events", &format!("/v1/Sinks/{sink}")).await;
        let kind = json!({ "type": "com.twilio.taskrouter.reservation.created", "schema_version": 2 }).to_string();
        let subscription = [("Description", "Offdesk"), ("SinkSid", &*sink), ("Types", &*kind)];
        let subscription = sid(&self.post("events", "/v1/Subscriptions", &subscription).await);
        self.get("events", &format!("/v1/Subscriptions?SinkSid={sink}")).await;
        let subscription = format!("/v1/Subscriptions/{subscription}");
        self.get("events", &subscription).await;
        let events = format!("{subscription}/SubscribedEvents");
        let kind = "com.twilio.conversations.message.added";
        self.post("events", &events, &[("Type", kind), ("SchemaVersion", "1")]).await;
        self.get("events", &events).await;
        self.ask(Method::DELETE, "events", &format!("{events}/{kind}"), &[]).await;
        self.ask(Method::DELETE, "events", &subscription, &[]).await;
        self.ask(Method::DELETE, "events", &format!("/v1/Sinks/{sink}"), &[]).await;
    }
}
