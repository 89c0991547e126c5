//! Somebody at an app that is not signed in yet.

use offdesk::{
    access::Caller,
    audit::Entry,
    domain::{AgentId, SessionId, Timestamp},
    roster::{By, Patch},
};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{
    House,
    app::{AgentApp, Answer, answer},
};

impl House {
    /// A request to the API that says nothing of who makes it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}/api/v1{path}", self.ready.http))
    }

    /// A request without a token.
    pub async fn anybody(&self, path: &str, body: Value) -> Answer {
        answer(self.request(Method::POST, path).json(&body).send().await.unwrap()).await
    }

    /// Asks for a code.
    pub async fn asks_for_code(&self, phone: &str) -> Answer {
        self.anybody("/login/otp", json!({ "phone": phone })).await
    }

    /// Asks for a code; answers the sign-in's id once the code is sent.
    pub async fn begins_login(&self, phone: &str) -> String {
        let asked = self.asks_for_code(phone).await;
        assert_eq!(asked.status, 202, "{asked:?}");
        self.quiet().await;
        asked.body["login_id"].as_str().unwrap().to_owned()
    }

    /// Resolves when the daemon waits for Twilio.
    pub async fn waits_for_twilio(&self) {
        let twilio = &self.daemon.as_ref().expect("the daemon runs").inside.twilio;
        while twilio.under_way() == 0 {
            tokio::task::yield_now().await;
        }
    }

    /// Resolves when every use of a session so far counts: changes are made in the order in which they were asked for.
    pub async fn uses_are_written_down(&self) {
        let sessions = &self.daemon.as_ref().expect("the daemon runs").inside.sessions;
        sessions.let_go(SessionId::from_bits(0)).await.unwrap();
    }

    /// Tries a code, right or wrong.
    pub async fn types(&self, login_id: &str, phone: &str, code: &str) -> Answer {
        let body = json!({ "login_id": login_id, "phone": phone, "code": code, "device_name": "phone" });
        self.meanwhile(self.anybody("/login", body)).await
    }

    /// The app on a device that signs in from beginning to end.
    pub async fn signs_in(&self, phone: &str) -> AgentApp {
        let id = self.begins_login(phone).await;
        let code = self.twilio.last_code(phone).unwrap();
        let answer = self.types(&id, phone, &code).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        self.caller(answer.body["token"].as_str().unwrap())
    }

    /// Disables an agent in the book, and leaves the agent's sessions.
    pub async fn disables_in_the_book(&self, number: u64) {
        let book = &self.daemon.as_ref().expect("the daemon runs").inside.book;
        let by = By { caller: Caller::Bootstrap, address: None, device: None };
        let patch = Patch::from_value(&json!({ "disabled": true })).unwrap();
        book.update(by, AgentId::from_bits(number), patch).await.unwrap();
    }

    /// What the house's clock shows.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The audit log.
    pub async fn audit(&self) -> Vec<Entry> {
        let store = self.daemon.as_ref().expect("the daemon runs").inside.store.clone();
        store.scan::<Entry>(None, 1000).await.unwrap().into_iter().map(|row| row.record).collect()
    }
}
