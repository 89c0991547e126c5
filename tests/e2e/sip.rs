//! Softphones: accounts, registrations, and what agents and administrators see of them.

mod asking;
pub(crate) mod calls;
mod phone;
mod restart;
mod ringing;
mod softphones;
mod talk;

use std::{net::SocketAddr, time::Duration};

use offdesk::{
    domain::{Profile, SipSecret},
    store::Batch,
};
use reqwest::Method;
use serde_json::{Value, json};

use self::phone::Phone;
use crate::house::{ADA, AgentApp, House, Plan, free_address};

/// How long the machine may take.
const LIMIT: Duration = Duration::from_secs(20);

/// A field of an account's.
fn text<'a>(account: &'a Value, field: &str) -> &'a str {
    account[field].as_str().unwrap()
}

/// A house with SIP on a port of its own, which is the same after a restart.
pub(super) struct SipHouse {
    pub(super) house: House,
    pub(super) at: SocketAddr,
    pub(super) tls: SocketAddr,
}

impl SipHouse {
    pub(super) async fn build() -> Self {
        Self::of(Plan::default()).await
    }

    async fn of(plan: Plan) -> Self {
        Self::with(plan, "").await
    }

    /// `more`: lines of the `[sip]` table.
    async fn with(plan: Plan, more: &str) -> Self {
        let (at, tls) = (free_address(), free_address());
        let file = |name: &str| format!("{}/tests/e2e/sip/{name}", env!("CARGO_MANIFEST_DIR"));
        let house = plan
            .sip(&format!(
                "domain = \"{domain}\"\nudp = \"{at}\"\ntcp = \"{at}\"\ntls = \"{tls}\"\ntls_cert = \"{cert}\"\n\
                 tls_key = \"{key}\"\nregistration = {{ min = \"1s\" }}\n{more}",
                domain = at.ip(),
                cert = file("cert.pem"),
                key = file("key.pem"),
            ))
            .build()
            .await;
        Self { house, at, tls }
    }

    pub(super) fn ada(&self) -> AgentApp {
        self.house.app(ADA)
    }

    /// Ada's account, with the password that was just drawn.
    pub(super) async fn account(&self) -> Value {
        let answer = self.ada().post("/me/sip/password", json!({})).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body
    }

    /// A phone with Ada's account.
    async fn phone(&self) -> Phone {
        let account = self.account().await;
        Phone::new(self.at, account["username"].as_str().unwrap(), account["password"].as_str().unwrap())
    }

    /// Waits until Ada sees her phones so.
    pub(super) async fn until(&self, mut so: impl FnMut(&[Value]) -> bool) -> Vec<Value> {
        let app = self.ada();
        let mut seen = Vec::new();
        let looking = async {
            loop {
                let body = app.get("/me/sip").await.body;
                seen = body["bindings"].as_array().unwrap().clone();
                if so(&seen) {
                    return;
                }
            }
        };
        let in_time = tokio::time::timeout(LIMIT, looking).await.is_ok();
        assert!(in_time, "Ada's phones stay as they are");
        app.get("/me/sip").await.body["bindings"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn an_agent_draws_a_password_and_a_phone_registers_with_it() {
    let house = SipHouse::build().await;
    let before = house.ada().get("/me/sip").await.body;
    assert_eq!((&before["enabled"], &before["aor"], &before["bindings"]), (&json!(false), &Value::Null, &json!([])));
    let account = house.account().await;
    let (user, password) = (account["username"].as_str().unwrap(), account["password"].as_str().unwrap());
    assert_eq!(account["aor"], format!("sip:{user}@{}", house.at.ip()));
    assert!(password.len() == 32 && account["qr_code"].as_str().unwrap().contains("<svg"));
    let port = house.tls.port();
    let link = format!("sip:{user}:{password}@{}:{port};transport=tls", house.at.ip());
    assert_eq!(account["links"], json!([link]));
    let mut phone = Phone::new(house.at, user, password);
    assert_eq!(phone.registers(300), 200);
    let phones = house.until(|phones| phones.len() == 1).await;
    assert_eq!(phones[0]["state"], "registered");
    assert_eq!(phones[0]["address"], phone.address().to_string());
    assert_eq!(phone.registers(0), 200);
    house.until(<[Value]>::is_empty).await;
    let again = house.ada().get("/me/sip").await.body;
    assert!(again["enabled"] == json!(true) && again.get("password").is_none(), "it is shown once");
}

#[tokio::test]
async fn a_wrong_password_and_a_user_nobody_has_are_challenged_again() {
    let house = SipHouse::build().await;
    let account = house.account().await;
    let user = account["username"].as_str().unwrap();
    assert_eq!(Phone::new(house.at, user, "wrong").registers(300), 401);
    assert_eq!(Phone::new(house.at, "nobody", "wrong").registers(300), 401);
}

#[tokio::test]
async fn another_password_cuts_the_phones_off() {
    let house = SipHouse::build().await;
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(300), 200);
    house.until(|phones| phones.len() == 1).await;
    let again = house.account().await;
    assert_eq!(again["bindings"], json!([]), "once it is answered");
    assert_eq!(phone.registers(300), 401);
    let user = again["username"].as_str().unwrap();
    assert_eq!(user, phone.user(), "the user stays");
    assert_eq!(Phone::new(house.at, user, again["password"].as_str().unwrap()).registers(300), 200);
}

#[tokio::test]
async fn an_administrator_sees_an_agents_phones_and_cuts_them_off() {
    let house = SipHouse::build().await;
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(300), 200);
    house.until(|phones| phones.len() == 1).await;
    let boss = house.house.bootstrap();
    let path = format!("/admin/agents/{}", house.ada().get("/me").await.body["agent"]["id"].as_str().unwrap());
    let seen = boss.get(&format!("{path}/sip")).await.body;
    assert_eq!(seen["bindings"].as_array().unwrap().len(), 1);
    assert!(seen.get("password").is_none());
    assert_eq!(boss.call(Method::DELETE, &format!("{path}/sip"), None).await.status, 204);
    assert_eq!(boss.get(&format!("{path}/sip")).await.body["bindings"], json!([]), "once it is answered");
    assert_eq!(phone.registers(300), 401);
}

#[tokio::test]
async fn an_administrator_chooses_user_and_password() {
    let house = SipHouse::build().await;
    let boss = house.house.bootstrap();
    let path = format!("/admin/agents/{}", house.ada().get("/me").await.body["agent"]["id"].as_str().unwrap());
    let chosen = json!({ "sip_username": "ada", "sip_password": "correct-horse-battery" });
    let answer = boss.patch(&path, chosen).await;
    assert_eq!((answer.status, answer.body.get("sip_password")), (200, None));
    assert_eq!(Phone::new(house.at, "ada", "correct-horse-battery").registers(300), 200);
    let short = boss.patch(&path, json!({ "sip_password": "short" })).await;
    assert!(short.status == 422 && !short.body.to_string().contains("\"short\""));
}

#[tokio::test]
async fn a_disabled_agents_phones_are_cut_off_and_a_removed_ones_too() {
    let house = SipHouse::build().await;
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(300), 200);
    let boss = house.house.bootstrap();
    let path = format!("/admin/agents/{}", house.ada().get("/me").await.body["agent"]["id"].as_str().unwrap());
    assert_eq!(boss.patch(&path, json!({ "disabled": true })).await.status, 200);
    assert_eq!(phone.registers(300), 401, "at once");
    assert_eq!(boss.patch(&path, json!({ "disabled": false })).await.status, 200);
    assert_eq!(phone.registers(300), 200);
    assert_eq!(boss.call(Method::DELETE, &path, None).await.status, 200);
    assert_eq!(phone.registers(300), 401);
}

#[tokio::test]
async fn registrations_survive_a_restart_and_are_suspect_until_the_phone_is_heard_of() {
    let mut house = SipHouse::build().await;
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(300), 200);
    house.until(|phones| phones.len() == 1).await;
    house.house.restart().await;
    let phones = house.until(|phones| phones.len() == 1).await;
    assert_eq!(phones[0]["state"], "suspect");
    phone.answers_a_question();
    house.until(|phones| phones[0]["state"] == "registered").await;
    assert_eq!(phone.registers(300), 200);
    assert_eq!(house.until(|phones| phones.len() == 1).await.len(), 1, "it is the same binding");
}

#[tokio::test]
async fn a_registration_ends_with_its_password_also_while_the_daemon_is_stopped() {
    let mut house = SipHouse::build().await;
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(300), 200);
    house.until(|phones| phones.len() == 1).await;
    house.house.stop();
    let realm = house.at.ip().to_string();
    house
        .house
        .in_store(async |store| {
            let mut batch = Batch::new();
            for row in store.scan::<Profile>(None, 100).await.unwrap() {
                let mut profile = row.record;
                let password = "correct-horse-battery".parse().unwrap();
                profile.sip_secret = profile.sip_secret.map(|secret| SipSecret::new(secret.user(), &realm, &password));
                batch.put(&profile.id, &profile).unwrap();
            }
            store.commit(batch).await.unwrap();
        })
        .await;
    house.house.start().await;
    assert_eq!(house.ada().get("/me/sip").await.body["bindings"], json!([]));
    assert_eq!(phone.registers(300), 401);
    let user = phone.user().to_owned();
    assert_eq!(Phone::new(house.at, &user, "correct-horse-battery").registers(300), 200);
}

#[tokio::test]
async fn a_registration_ends_with_its_time() {
    let house = SipHouse::build().await;
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(1), 200);
    house.until(|phones| phones.len() == 1).await;
    house.until(<[Value]>::is_empty).await;
}

#[tokio::test]
async fn operators_see_how_sip_stands() {
    let house = SipHouse::build().await;
    assert_eq!((house.house.ready.sip_udp, house.house.ready.sip_tls), (Some(house.at), Some(house.tls)));
    let mut phone = house.phone().await;
    assert_eq!(phone.registers(300), 200);
    house.until(|phones| phones.len() == 1).await;
    let admin = format!("http://{}", house.house.ready.admin);
    let client = crate::house::client();
    let state: Value = client.get(format!("{admin}/debug/state")).send().await.unwrap().json().await.unwrap();
    assert_eq!((&state["sip"]["accounts"], &state["sip"]["bindings"]), (&json!(1), &json!(1)));
    let metrics = client.get(format!("{admin}/metrics")).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("offdesk_sip_registers_total{outcome=\"granted\"}"), "{metrics}");
}

#[tokio::test]
async fn without_sip_there_are_no_softphones() {
    let house = Plan::default().build().await;
    let app = house.app(ADA);
    assert_eq!(app.get("/me/sip").await.status, 404);
    assert_eq!(app.post("/me/sip/password", json!({})).await.status, 404);
    assert_eq!(app.get("/me").await.body["sip"], Value::Null);
}
