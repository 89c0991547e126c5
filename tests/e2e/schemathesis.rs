//! The API held against its own document: Schemathesis makes requests of it, good ones and bad ones, and judges every answer.

mod with_python {
    use std::time::Duration;

    use serde_json::Value;
    use tempfile::TempDir;

    use crate::{
        counterparts::schemathesis,
        house::{ADA, BOB, BOOTSTRAP, CUSTOMER, House, Plan},
    };

    /// What a schema cannot say, such as which numbers are phone numbers, may be refused although it fits the schema.
    const NOT_CHECKED: &str = "positive_data_acceptance";

    /// Requests of one kind, and who makes them.
    struct Requests<'a> {
        token: Option<&'a str>,
        /// Whether they are made to a path.
        to: fn(&str) -> bool,
        /// Names that exist: for `task`, `conversation` and `id`.
        names: &'a [(&'a str, String)],
    }

    /// Makes them, and shows what is wrong with the answers.
    async fn asks(house: &House, requests: Requests<'_>) {
        let document = offdesk::http::openapi().unwrap();
        let document: Value = serde_json::from_str(&document).unwrap();
        let asked = || document["paths"].as_object().unwrap().iter().filter(|(path, _)| (requests.to)(path));
        let folder = TempDir::new().unwrap();
        let names = requests.names.iter().map(|(name, value)| format!("\"path.{name}\" = \"{value}\"\n"));
        let config = folder.path().join("schemathesis.toml");
        std::fs::write(&config, format!("[parameters]\n{}", names.collect::<String>())).unwrap();
        let mut command = schemathesis();
        command.current_dir(folder.path()).env("NO_COLOR", "1").arg("--config-file").arg(&config).arg("run");
        command.arg(format!("http://{}/api/v1/openapi.json", house.ready.http));
        command.args(["--phases", "examples,coverage,fuzzing", "--max-examples", "20", "--continue-on-failure"]);
        command.args(["--seed", "1", "--generation-database", "none", "--exclude-checks", NOT_CHECKED]);
        command.args(asked().map(|(path, _)| format!("--include-path={path}")));
        if let Some(token) = requests.token {
            command.args(["--header", &format!("Authorization: Bearer {token}")]);
        }
        let run = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = house.meanwhile(run).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        let calls: usize = asked().map(|(_, calls)| calls.as_object().unwrap().len()).sum();
        assert!(text.contains(&format!("Tested: {calls}\n")), "not all {calls} calls were made: {text}");
    }

    fn is_of_signing_in(path: &str) -> bool {
        path.starts_with("/log") || path.starts_with("/me/sessions/")
    }

    #[tokio::test]
    async fn an_agents_calls_are_answered_as_the_document_says() {
        let house = Plan::default().build().await;
        let chat = house.twilio.start_chat(CUSTOMER, "Maria", "hello?");
        house.pass(Duration::from_secs(2)).await;
        let task = house.twilio.snapshot().reservation_of(&chat.task_sid).unwrap().sid.clone();
        let app = house.app(ADA);
        assert_eq!(house.meanwhile(app.accept(&task)).await.status, 200);
        let names = [("task", task.to_string()), ("conversation", chat.conversation_sid.to_string())];
        // The session that asks must outlive its requests.
        let to = |path: &str| !path.starts_with("/admin") && !is_of_signing_in(path);
        asks(&house, Requests { token: Some(&app.token), to, names: &names }).await;
    }

    #[tokio::test]
    async fn an_administrators_calls_are_answered_as_the_document_says() {
        let house = Plan::default().person(BOB, "{}").build().await;
        let names = [("id", offdesk::domain::AgentId::from_bits(2).to_string())];
        let to = |path: &str| path.starts_with("/admin");
        asks(&house, Requests { token: Some(BOOTSTRAP), to, names: &names }).await;
    }

    #[tokio::test]
    async fn whoever_is_not_signed_in_is_answered_as_the_document_says() {
        let house = Plan::default().build().await;
        asks(&house, Requests { token: None, to: is_of_signing_in, names: &[] }).await;
    }
}
