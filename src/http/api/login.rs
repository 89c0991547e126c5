//! Signing in and out.

use actix_web::{HttpResponse, http::header, web};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Answer, Api,
    auth::{self, By, Client, SignedIn, origin},
    failure::Failure,
    shape::rfc3339,
};
use crate::{
    domain::{Profile, Role},
    login::{Attempt, CodeRequest},
    roster::phone,
    sessions::{Begun, End},
    twilio::verify::CodeChannel,
};

/// A device's longest name, in characters.
const LONGEST_NAME: usize = 64;

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/login/otp", web::post().to(request_code))
        .route("/login", web::post().to(log_in))
        .route("/login/refresh", web::post().to(refresh))
        .route("/logout", web::post().to(log_out));
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CodeWish {
    /// An international number; blanks and brackets are allowed.
    #[schema(example = "+49 151 12345678")]
    phone: String,
    #[serde(default)]
    channel: Channel,
    /// The language of the message; without it, that of the number's country.
    #[schema(example = "de", pattern = "^[a-z]{2}(-[A-Z]{2})?$")]
    locale: Option<String>,
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Channel {
    #[default]
    Sms,
    Call,
    Whatsapp,
}

impl From<Channel> for CodeChannel {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Sms => Self::Sms,
            Channel::Call => Self::Call,
            Channel::Whatsapp => Self::Whatsapp,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct CodeSent {
    /// To be given back with the code. It binds the two to one device.
    #[schema(example = "5f0c2a9be1d34f7c8a6b0d9e2c1f4a37")]
    login_id: String,
    /// Seconds.
    #[schema(example = 600)]
    expires_in: u64,
}

/// Ask for a one-time code. The answer is the same whether or not the number is an agent's.
#[utoipa::path(
    post, operation_id = "requestCode", path = "/login/otp", tag = "login", request_body = CodeWish, security(()),
    responses(
        (status = 202, description = "If the number is an agent's, a code is on its way", body = CodeSent),
        (status = 400, description = "The body is not JSON"),
        (status = 422, description = "That is no phone number, channel or locale"),
        (status = 503, description = "Signing in is not set up"),
    ),
)]
pub(super) async fn request_code(api: web::Data<Api>, Client(address): Client, wish: web::Json<CodeWish>) -> Answer {
    let CodeWish { phone, channel, locale } = wish.into_inner();
    let phone = phone::read(&phone).map_err(Failure::Invalid)?;
    if locale.as_deref().is_some_and(|locale| !is_locale(locale)) {
        return Err(Failure::Invalid("expected a locale such as \"de\" or \"pt-BR\""));
    }
    let challenge = api.login.request(CodeRequest { phone, channel: channel.into(), locale, address })?;
    let body = CodeSent { login_id: challenge.login_id, expires_in: challenge.expires_in.as_secs() };
    Ok(HttpResponse::Accepted().insert_header((header::CACHE_CONTROL, "no-store")).json(body))
}

/// A language, and perhaps a region.
fn is_locale(text: &str) -> bool {
    let (language, region) = text.split_once('-').unwrap_or((text, "XX"));
    let of = |part: &str, is: fn(&u8) -> bool| part.len() == 2 && part.as_bytes().iter().all(is);
    of(language, u8::is_ascii_lowercase) && of(region, u8::is_ascii_uppercase)
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginWish {
    #[schema(example = "5f0c2a9be1d34f7c8a6b0d9e2c1f4a37")]
    login_id: String,
    /// The number that the code was asked for with.
    #[schema(example = "+49 151 12345678")]
    phone: String,
    #[schema(example = "123456")]
    code: String,
    /// What the device is called in lists.
    #[schema(example = "Ada's phone", max_length = 64)]
    device_name: Option<String>,
    /// Put the token into a cookie that no script can read, and leave it out of the answer.
    #[serde(default)]
    cookie: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct LoggedIn {
    #[serde(flatten)]
    session: NewToken,
    agent: Me,
}

#[derive(Serialize, ToSchema)]
pub(super) struct NewToken {
    /// The bearer token, unless it is in the cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// RFC 3339; use puts it off.
    #[schema(example = "2026-12-02T09:00:00Z")]
    expires_at: String,
}

/// Who is signed in.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    #[schema(example = "00000000000000a1")]
    id: String,
    #[schema(example = "Ada Okafor")]
    name: String,
    #[schema(value_type = Vec<String>, example = json!(["agent"]))]
    roles: Vec<Role>,
    department: Option<String>,
}

impl Me {
    pub(super) fn new(profile: &Profile) -> Self {
        Self {
            id: profile.id.to_string(),
            name: profile.name.clone(),
            roles: profile.roles.iter().copied().collect(),
            department: profile.department.clone(),
        }
    }
}

/// Sign in with the code. Whatever is wrong, the answer is the same 401.
#[utoipa::path(
    post, operation_id = "logIn", path = "/login", tag = "login", request_body = LoginWish, security(()),
    responses(
        (status = 200, description = "Signed in", body = LoggedIn),
        (status = 400, description = "The body is not JSON"),
        (status = 401, description = "`bad_code`"),
        (status = 422, description = "The body is not of this form"),
        (status = 429, description = "Too many tries from this address; see Retry-After"),
        (status = 503, description = "Twilio cannot be reached"),
    ),
)]
pub(super) async fn log_in(
    api: web::Data<Api>,
    before: Option<SignedIn>,
    Client(address): Client,
    wish: web::Json<LoginWish>,
) -> Answer {
    let wish = wish.into_inner();
    let device_name = wish.device_name.map(device_name).transpose()?.flatten();
    let attempt = Attempt { login_id: &wish.login_id, phone: &wish.phone, code: &wish.code, device_name, address };
    let (begun, profile) = api.login.finish(attempt).await?;
    if let Some(SignedIn { who, .. }) = before {
        // Whoever was signed in on this device is not any more: its notifications are another's to see now.
        api.sessions.end(who, End::LoggedOut, origin(&api, who.agent, address)).await?;
    }
    let by = if wish.cookie { By::Cookie } else { By::Bearer };
    Ok(token_answer(&api, &begun, by, |session| LoggedIn { session, agent: Me::new(&profile) }))
}

/// A name is a text that is shown as it is; an empty one is none.
pub(super) fn device_name(name: String) -> Result<Option<String>, Failure> {
    let name = name.trim();
    if name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(Failure::Invalid("a device's name has 64 characters at most, and no control characters"));
    }
    Ok(Some(name.to_owned()).filter(|name| !name.is_empty()))
}

fn token_answer<T: Serialize>(api: &Api, begun: &Begun, by: By, body: impl FnOnce(NewToken) -> T) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    let token = match by {
        By::Bearer => Some(begun.token.expose_secret().to_owned()),
        By::Cookie => {
            answer.insert_header((header::SET_COOKIE, auth::set_cookie(begun, api.clock.now())));
            None
        }
    };
    answer.json(body(NewToken { token, expires_at: rfc3339(begun.expires_at) }))
}

/// Get a new token. The old one works until the new one is first used, for a minute at most; used after that, it ends the
/// session.
#[utoipa::path(
    post, operation_id = "refreshToken", path = "/login/refresh", tag = "login",
    responses(
        (status = 200, description = "The new token, or the cookie for whoever came with one", body = NewToken),
    ),
)]
pub(super) async fn refresh(api: web::Data<Api>, signed_in: SignedIn, Client(address): Client) -> Answer {
    let origin = origin(&api, signed_in.who.agent, address);
    let begun = api.sessions.refresh(signed_in.who, origin).await?;
    Ok(token_answer(&api, &begun, signed_in.by, |session| session))
}

/// Sign out.
#[utoipa::path(
    post, operation_id = "logOut", path = "/logout", tag = "login",
    responses(
        (status = 204, description = "Signed out"),
    ),
)]
pub(super) async fn log_out(api: web::Data<Api>, signed_in: SignedIn, Client(address): Client) -> Answer {
    let origin = origin(&api, signed_in.who.agent, address);
    api.sessions.end(signed_in.who, End::LoggedOut, origin).await?;
    let mut answer = HttpResponse::NoContent();
    if signed_in.by == By::Cookie {
        answer.insert_header((header::SET_COOKIE, auth::clear_cookie()));
    }
    Ok(answer.finish())
}
