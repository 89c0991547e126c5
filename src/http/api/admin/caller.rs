//! Who manages, and from where.

use std::future::ready;

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};

use futures_util::future::LocalBoxFuture;

use super::{
    super::{Api, auth},
    Refusal,
};
use crate::{
    access::{Access, Caller},
    http::client,
    roster::By,
};

/// Of what a device calls itself, so many characters are kept.
const LONGEST: usize = 100;

/// Somebody who may manage agents, as far as [`Access`] reaches.
#[derive(Clone, Debug)]
pub(super) struct Manager {
    pub(super) by: By,
    pub(super) access: Access,
}

impl FromRequest for Manager {
    type Error = Refusal;
    type Future = LocalBoxFuture<'static, Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let Some(api) = request.app_data::<web::Data<Api>>().cloned() else {
            return Box::pin(ready(Err(Refusal::NotStored)));
        };
        let address = Some(client::address(request, &api.trusted_proxies));
        let (bootstrap, device) = (holds_bootstrap_token(request, &api), device(request));
        let signed_in = auth::Caller::from_request(request, payload);
        Box::pin(async move {
            let caller = if bootstrap { Caller::Bootstrap } else { Caller::Agent(signed_in.await?.0) };
            let access = api.book.access(caller)?;
            Ok(Self { by: By { caller, address, device }, access })
        })
    }
}

fn holds_bootstrap_token(request: &HttpRequest, api: &Api) -> bool {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    api.bootstrap.as_ref().zip(given.and_then(auth::bearer)).is_some_and(|(bootstrap, token)| bootstrap.is(token))
}

/// What the device calls itself (RFC 9110 §10.1.5), as far as it can be printed.
fn device(request: &HttpRequest) -> Option<String> {
    let agent = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect())
}
