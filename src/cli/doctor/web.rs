//! Asks the daemon through the public URL, as Twilio would, and at home, as an operator would.

use std::{error::Error, io, time::Duration};

use aws_lc_rs::{hmac, rand};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Client, Response, header, redirect::Policy};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::finding::{Finding, fail, ok, warn};
use crate::{config::Config, twilio::signature::SIGNATURE};

const CHECK: &str = "public url";
/// Twilio waits for 15 s at most; an answer that takes this long is none.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct Told {
    instance: String,
    #[serde(default)]
    nonce: String,
}

/// Whether the daemon runs, and is what the public URL leads to.
pub(super) async fn public_url(config: &Config) -> Vec<Finding> {
    // The roots that Twilio does not know of are left out here.
    let client = Client::builder().no_proxy().redirect(Policy::none()).timeout(PATIENCE).build();
    let Ok(client) = client else {
        return vec![fail(CHECK, "no HTTP client can be made", "see the system's certificates")];
    };
    let home = at_home(&client, config).await;
    let found = match &home {
        Ok(instance) => through_the_door(&client, config, instance).await,
        Err(finding) => return vec![finding.clone()],
    };
    let runs = ok("daemon", format!("it runs, and answers at {}", config.http.admin_listen));
    let loopback = config.public_url.is_loopback().then(|| {
        warn(
            CHECK,
            "it is of this machine alone: Twilio cannot reach it",
            "set public_url to what leads here from outside",
        )
    });
    [Some(runs), Some(found), loopback].into_iter().flatten().collect()
}

async fn at_home(client: &Client, config: &Config) -> Result<String, Finding> {
    let address = config.http.admin_listen;
    let told = match client.get(format!("http://{address}/readyz")).send().await {
        Ok(response) => response.json::<Told>().await.ok(),
        Err(_) => None,
    };
    told.map(|told| told.instance).ok_or_else(|| {
        let what = format!("nothing of Offdesk's answers at {address} (http.admin_listen)");
        fail("daemon", what, "start it: systemctl start offdesk; then run offdesk doctor again")
    })
}

async fn through_the_door(client: &Client, config: &Config, instance: &str) -> Finding {
    let nonce = nonce();
    let url = config.public_url.join("/webhooks/self-test");
    let signature = sign(config, &format!("{url}nonce{nonce}"));
    let sent = client
        .post(&url)
        .header(SIGNATURE, signature)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(format!("nonce={nonce}"))
        .send()
        .await;
    match sent {
        Ok(response) => answered(response, &nonce, instance, config).await,
        Err(error) if is_tls(&error) => fail(
            CHECK,
            "its certificate is not trusted: a wrong name, out of date, or a chain that is not whole",
            "have the proxy, or http.tls.cert, give the whole chain of a public authority, the intermediates included",
        ),
        Err(error) => {
            let why = if error.is_timeout() { "does not answer in time" } else { "cannot be reached from here" };
            let cure = "see that its name leads to this machine, that the reverse proxy runs, and that the firewall lets it in";
            fail(CHECK, format!("{} {why}", config.public_url), cure)
        }
    }
}

async fn answered(response: Response, nonce: &str, instance: &str, config: &Config) -> Finding {
    let status = response.status();
    let told = response.text().await.unwrap_or_default();
    match (status.as_u16(), serde_json::from_str::<Told>(&told)) {
        (200, Ok(told)) if told.instance == instance && told.nonce == nonce => {
            ok(CHECK, format!("{} leads to this daemon, signatures are taken", config.public_url))
        }
        (200, Ok(_)) => fail(
            CHECK,
            format!("{} leads to another daemon of Offdesk's", config.public_url),
            "have the name or the reverse proxy lead to this one, or set public_url to its own",
        ),
        (403, _) if told.contains("_signature") => fail(
            CHECK,
            "the daemon does not take what is signed with this auth token over this public_url",
            "restart the daemon if its configuration has changed; else see that public_url is what the proxy passes on, path included",
        ),
        (status @ 300..400, _) => fail(
            CHECK,
            format!("it answers with a redirect (HTTP {status}), which no signature survives"),
            "set public_url to where it leads to",
        ),
        (status, _) => fail(
            CHECK,
            format!("something else answers there (HTTP {status})"),
            "have the reverse proxy pass everything on to http.listen, as docs/install.md shows",
        ),
    }
}

/// As Twilio signs (<https://www.twilio.com/docs/usage/security#validating-requests>).
fn sign(config: &Config, text: &str) -> String {
    let token = config.twilio.auth_token.expose_secret();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    BASE64_STANDARD.encode(hmac::sign(&key, text.as_bytes()))
}

fn nonce() -> String {
    let mut bytes = [0; 16];
    // Without random numbers the nonce is a poor one, and the answer as good.
    let _ = rand::fill(&mut bytes);
    format!("{:032x}", u128::from_le_bytes(bytes))
}

fn is_tls(error: &reqwest::Error) -> bool {
    let mut source = error.source();
    while let Some(cause) = source {
        if cause.is::<rustls::Error>() || cause.downcast_ref::<io::Error>().is_some_and(holds_tls) {
            return true;
        }
        source = cause.source();
    }
    false
}

/// An I/O error wraps others without giving them as its source.
fn holds_tls(error: &io::Error) -> bool {
    error
        .get_ref()
        .is_some_and(|inner| inner.is::<rustls::Error>() || inner.downcast_ref::<io::Error>().is_some_and(holds_tls))
}
