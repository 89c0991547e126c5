//! The stand-in for Twilio, held against Twilio's own documents: every operation that it knows is asked once, and succeeds.
//! Were its answers to drift from the real ones, the end-to-end tests would prove nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "sandbox/chats.rs"]
mod chats;
mod counterparts;

mod with_node {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use offdesk_sandbox::{AgentSeed, DocumentSeed, Facts, Handle, Operation, Options, Sandbox};
    use reqwest::Method;
    use serde_json::{Value, json};

    use crate::counterparts::Oracle;

    pub(crate) const ADA: &str = "+4915550101001";
    const COMPANY: &str = "+15550100";
    pub(crate) const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test]
    async fn the_stand_in_answers_every_operation_as_twilios_documents_say() {
        let mut twilio = Asked::start();
        twilio.account().await;
        twilio.workspace().await;
        let task = twilio.workers_and_tasks().await;
        twilio.calls_and_conferences(&task).await;
        twilio.events().await;
        twilio.verify().await;
        twilio.chats().await;
        twilio.event_streams().await;
        twilio.sync().await;
        // No document of Twilio's describes files.
        let described = |operation: &&Operation| !matches!(operation, Operation::CreateMedia | Operation::FetchMedia);
        let known: BTreeSet<_> = Operation::ALL.iter().filter(described).map(|one| one.as_str().to_owned()).collect();
        assert_eq!(twilio.operations, known);
    }

    /// The stand-in, its judge, and the operations that were asked.
    pub(crate) struct Asked {
        pub(crate) sandbox: Handle,
        pub(crate) facts: Facts,
        pub(crate) client: reqwest::Client,
        oracle: Oracle,
        operations: BTreeSet<String>,
    }

    impl Asked {
        fn start() -> Self {
            // Another test of this process may have been first.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            let agents = vec![
                AgentSeed::new("Ada", ADA, "Available on Mobile"),
                AgentSeed::new("Bo", "+4915550101002", "Offline"),
            ];
            let data = json!({ "name": "Ada", "role": "agent" });
            let sync_documents = vec![DocumentSeed { unique_name: format!("user-{ADA}"), data }];
            let sandbox = Sandbox::start(Options { agents, sync_documents, ..Options::default() }).unwrap();
            // Each request has a connection of its own: the judge may take longer than an idle one is kept.
            let client = reqwest::Client::builder().timeout(LIMIT).pool_max_idle_per_host(0).build().unwrap();
            let facts = sandbox.facts().clone();
            Self { facts, sandbox, client, oracle: Oracle::start(), operations: BTreeSet::new() }
        }

        async fn workspace(&mut self) {
            self.get("taskrouter", "/v1/Workspaces").await;
            self.get("flex", "/v1/Configuration").await;
            self.get("taskrouter", &self.in_workspace("")).await;
            self.post("taskrouter", &self.in_workspace(""), &[("EventsFilter", "reservation.created,task.created")])
                .await;
            self.get("taskrouter", &self.in_workspace("/Activities")).await;
            let lunch = [("FriendlyName", "Lunch"), ("Available", "false")];
            let activity = self.post("taskrouter", &self.in_workspace("/Activities"), &lunch).await;
            let activity = self.in_workspace(&format!("/Activities/{}", sid(&activity)));
            self.get("taskrouter", &activity).await;
            self.ask(Method::DELETE, "taskrouter", &activity, &[]).await;
            let workflows = self.get("taskrouter", &self.in_workspace("/Workflows")).await;
            let workflow = sid(&workflows["workflows"][0]);
            self.get("taskrouter", &self.in_workspace(&format!("/Workflows/{workflow}"))).await;
        }

        /// Returns the task of a call that rings at Ada's.
        async fn workers_and_tasks(&mut self) -> String {
            let workers = self.get("taskrouter", &self.in_workspace("/Workers")).await;
            let worker = self.in_workspace(&format!("/Workers/{}", sid(&workers["workers"][0])));
            self.get("taskrouter", &worker).await;
            let other = sid(&workers["workers"][1]);
            self.ask(Method::DELETE, "taskrouter", &self.in_workspace(&format!("/Workers/{other}")), &[]).await;
            self.post("taskrouter", &worker, &[("Attributes", "{}")]).await;
            let call = self.sandbox.place_call("+15550123");
            let tasks = self.in_workspace("/Tasks");
            let task = format!("{tasks}/{}", call.task_sid);
            self.get("taskrouter", &tasks).await;
            self.get("taskrouter", &task).await;
            self.post("taskrouter", &task, &[("Priority", "1")]).await;
            let workflow = self.facts.workflow_sid.to_string();
            self.post("taskrouter", &tasks, &[("WorkflowSid", &workflow), ("Attributes", "{}")]).await;
            let offered = self.get("taskrouter", &format!("{worker}/Reservations")).await;
            let reservation = format!("/Reservations/{}", sid(&offered["reservations"][0]));
            self.get("taskrouter", &format!("{task}/Reservations")).await;
            self.get("taskrouter", &format!("{task}{reservation}")).await;
            self.get("taskrouter", &format!("{worker}{reservation}")).await;
            let instruction = [("Instruction", "conference"), ("To", ADA), ("From", COMPANY), ("Timeout", "15")];
            self.post("taskrouter", &format!("{task}{reservation}"), &instruction).await;
            self.sandbox.wait_until(LIMIT, |state| state.is_ringing(ADA)).await.unwrap();
            self.sandbox.answer(ADA).unwrap();
            self.post("taskrouter", &format!("{worker}{reservation}"), &[("ReservationStatus", "wrapping")]).await;
            call.task_sid.to_string()
        }

        async fn calls_and_conferences(&mut self, task: &str) {
            let named = self.in_account(&format!("/Conferences.json?FriendlyName={task}"));
            let conferences = self.get("api", &named).await;
            let conference = self.in_account(&format!("/Conferences/{}", sid(&conferences["conferences"][0])));
            self.get("api", &format!("{conference}.json")).await;
            let participants = format!("{conference}/Participants");
            self.get("api", &format!("{participants}.json")).await;
            let added = [("From", COMPANY), ("To", "+15550199")];
            let added = self.post("api", &format!("{participants}.json"), &added).await;
            let participant = format!("{participants}/{}.json", added["call_sid"].as_str().unwrap());
            self.get("api", &participant).await;
            self.post("api", &participant, &[("Muted", "true")]).await;
            self.ask(Method::DELETE, "api", &participant, &[]).await;
            self.post("api", &format!("{conference}.json"), &[("Status", "completed")]).await;
            let calls = self.in_account("/Calls.json");
            self.get("api", &calls).await;
            let spoken = [("From", COMPANY), ("To", ADA), ("Twiml", "<Response><Hangup/></Response>")];
            let call = self.post("api", &calls, &spoken).await;
            let call = self.in_account(&format!("/Calls/{}.json", sid(&call)));
            self.get("api", &call).await;
            self.post("api", &call, &[("Status", "completed")]).await;
        }

        async fn events(&mut self) {
            let events = self.get("taskrouter", &self.in_workspace("/Events?Minutes=5")).await;
            self.get("taskrouter", &self.in_workspace(&format!("/Events/{}", sid(&events["events"][0])))).await;
        }

        async fn verify(&mut self) {
            let services = "/v2/Services";
            self.get("verify", services).await;
            let made = self.post("verify", services, &[("FriendlyName", "Offdesk"), ("CodeLength", "6")]).await;
            let service = format!("{services}/{}", sid(&made));
            self.get("verify", &service).await;
            let limits = format!("{service}/RateLimits");
            let limit = self.post("verify", &limits, &[("UniqueName", "phone"), ("Description", "one number")]).await;
            self.get("verify", &limits).await;
            let buckets = format!("{limits}/{}/Buckets", sid(&limit));
            self.post("verify", &buckets, &[("Max", "5"), ("Interval", "600")]).await;
            self.get("verify", &buckets).await;
            let verifications = format!("{service}/Verifications");
            for channel in ["sms", "whatsapp", "call"] {
                let wanted = [("To", ADA), ("Channel", channel), ("Locale", "de"), ("RateLimits", r#"{"phone":"a"}"#)];
                self.post("verify", &verifications, &wanted).await;
            }
            let code = self.sandbox.last_code(ADA).unwrap();
            let check = format!("{service}/VerificationCheck");
            self.post("verify", &check, &[("To", ADA), ("Code", &code)]).await;
            let sent = self.post("verify", &verifications, &[("To", ADA), ("Channel", "sms")]).await;
            let verification = format!("{verifications}/{}", sid(&sent));
            self.get("verify", &verification).await;
            self.post("verify", &verification, &[("Status", "canceled")]).await;
            self.ask(Method::DELETE, "verify", &format!("{limits}/{}", sid(&limit)), &[]).await;
            self.ask(Method::DELETE, "verify", &service, &[]).await;
        }

        async fn account(&mut self) {
            for path in [".json", "/IncomingPhoneNumbers.json", "/OutgoingCallerIds.json"] {
                self.get("api", &self.in_account(path)).await;
            }
        }

        async fn sync(&mut self) {
            let documents = format!("/v1/Services/{}/Documents", self.facts.sync_service_sid);
            let listed = self.get("sync", &format!("{documents}?PageSize=100")).await;
            self.get("sync", &format!("{documents}/{}", sid(&listed["documents"][0]))).await;
            let named = self.get("sync", &format!("{documents}/user-{}", ADA.replace('+', "%2B"))).await;
            assert_eq!(named["data"]["name"], "Ada");
        }

        pub(crate) async fn get(&mut self, product: &str, path: &str) -> Value {
            self.ask(Method::GET, product, path, &[]).await
        }

        pub(crate) async fn post(&mut self, product: &str, path: &str, form: &[(&str, &str)]) -> Value {
            self.ask(Method::POST, product, path, form).await
        }

        /// Asks, has the exchange judged, and returns the answer.
        pub(crate) async fn ask(&mut self, method: Method, product: &str, path: &str, form: &[(&str, &str)]) -> Value {
            let request = self.client.request(method.clone(), format!("{}/{product}{path}", self.sandbox.url()));
            let request = request.basic_auth(&self.facts.account_sid, Some(&self.facts.auth_token));
            let request = if method == Method::POST { request.form(form) } else { request };
            let response = request.send().await.unwrap();
            let status = response.status();
            let answer: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap_or(Value::Null);
            assert!(status.is_success(), "{method} {path}: {status} {answer}");
            let exchange = json!({
                "product": product, "method": method.as_str(), "path": path, "form": form,
                "status": status.as_u16(), "answer": answer,
            });
            let verdict = self.oracle.judge(&exchange);
            assert_eq!(verdict.violations, Vec::<String>::new(), "{exchange:#}");
            self.operations.extend(verdict.operation);
            answer
        }

        fn in_workspace(&self, path: &str) -> String {
            format!("/v1/Workspaces/{}{path}", self.facts.workspace_sid)
        }

        fn in_account(&self, path: &str) -> String {
            format!("/2010-04-01/Accounts/{}{path}", self.facts.account_sid)
        }
    }

    pub(crate) fn sid(resource: &Value) -> String {
        resource["sid"].as_str().unwrap_or_else(|| panic!("no sid: {resource:#}")).to_owned()
    }
}
