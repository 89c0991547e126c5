//! Who manages, and from where.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header, web};

use super::{super::Api, Refusal};
use crate::{
    access::{Access, Caller},
    http::api::auth,
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
    type Future = Ready<Result<Self, Refusal>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(manager(request))
    }
}

fn manager(request: &HttpRequest) -> Result<Manager, Refusal> {
    let api = request.app_data::<web::Data<Api>>().ok_or(Refusal::NotStored)?;
    let bootstrap = api.bootstrap.as_ref().zip(auth::bearer(request));
    let caller = match bootstrap {
        Some((bootstrap, token)) if bootstrap.is(token) => Caller::Bootstrap,
        _ => Caller::Agent(auth::caller(request)?),
    };
    let access = api.book.access(caller)?;
    let address = request.peer_addr().map(|address| address.ip());
    Ok(Manager { by: By { caller, address, device: device(request) }, access })
}

/// What the device calls itself (RFC 9110 §10.1.5), as far as it can be printed.
fn device(request: &HttpRequest) -> Option<String> {
    let agent = request.headers().get(header::USER_AGENT)?.to_str().ok()?;
    Some(agent.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect())
}
