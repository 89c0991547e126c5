//! `POST /webhooks/self-test`: `offdesk doctor` asks through the public URL whether it is this daemon that Twilio would reach.
//! It answers only to what is signed as Twilio signs, and tells what the operator's listener tells too.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use super::webhooks::{Door, Webhooks, signed_form};
use crate::twilio::{
    events::{Ours, ParseError},
    form::Form,
};

/// This run of the daemon: 128 random bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance(u128);

impl Instance {
    /// A new one.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub fn new() -> std::io::Result<Self> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| std::io::Error::from(std::io::ErrorKind::Unsupported))?;
        Ok(Self(u128::from_le_bytes(bytes)))
    }
}

impl fmt::Display for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// The nonce comes back, so that no answer is one that was kept somewhere on the way.
pub(super) async fn answer(request: HttpRequest, body: web::Payload, hooks: web::Data<Webhooks>) -> HttpResponse {
    let read = |form: &Form<'_>, _: &Ours| {
        let nonce = form.get("nonce").filter(|nonce| !nonce.is_empty()).map(str::to_owned);
        nonce.ok_or(ParseError::Malformed { field: "nonce" })
    };
    match signed_form(&request, body, &hooks, Door::SelfTest, read).await {
        Ok(nonce) => HttpResponse::Ok()
            .insert_header(("cache-control", "no-store"))
            .json(json!({ "instance": hooks.instance.to_string(), "nonce": nonce })),
        Err(refused) => refused,
    }
}
