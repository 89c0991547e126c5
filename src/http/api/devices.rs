//! Where an agent's notifications go.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::{
    Answer, Api,
    auth::{Caller, SignedIn},
    failure::Failure,
    login::device_name,
    shape::{Page, rfc3339},
    wishes::{QuietHoursShape, WishesView},
};
use crate::{
    actors::{
        ask,
        devices::{self, DeviceChange, Registered, Registration},
    },
    domain::{Device, DeviceId, Language, NewsKind, Privacy, PushTarget, QuietHours, SessionId, WishChange},
    push::{LastDelivery, Tested},
};

pub(super) fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/me/devices", web::get().to(list))
        .route("/me/devices", web::post().to(register))
        .route("/me/devices/{device}", web::patch().to(change))
        .route("/me/devices/{device}", web::delete().to(remove))
        .route("/me/devices/{device}/test", web::post().to(test));
}

/// Where notifications go.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeviceView {
    #[schema(example = "00000000000000d1")]
    id: String,
    name: Option<String>,
    /// `webpush` or `fcm`.
    kind: &'static str,
    added_at: String,
    /// The session that registered it, and that it goes with.
    #[schema(value_type = Option<String>)]
    session: Option<SessionId>,
    /// What its push service last took; none: nothing yet.
    last_delivered: Option<Delivered>,
    /// What is wished for it alone; `null` is as for all of the agent's devices.
    #[serde(flatten)]
    wishes: WishesView,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Delivered {
    at: String,
    #[schema(value_type = String, example = "task.offered")]
    r#type: NewsKind,
}

impl DeviceView {
    pub(super) fn new(device: Device, last: Option<LastDelivery>) -> Self {
        Self {
            id: device.id.to_string(),
            name: device.name,
            kind: device.target.label(),
            added_at: rfc3339(device.added_at),
            session: device.session,
            last_delivered: last.map(|last| Delivered { at: rfc3339(last.at), r#type: last.kind }),
            wishes: WishesView::new(device.wishes),
        }
    }
}

/// A device to be pushed to: a browser's subscription, or an installation that Firebase reaches.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
#[schema(example = json!({
    "kind": "webpush",
    "subscription": {
        "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAA",
        "keys": {
            "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        },
    },
    "name": "Ada's phone",
}))]
pub(super) enum Wish {
    WebPush {
        subscription: Subscription,
        #[schema(max_length = 64)]
        name: Option<String>,
    },
    /// With either `token` or `fid`.
    Fcm {
        /// A registration token.
        token: Option<String>,
        /// A Firebase installation's id.
        fid: Option<String>,
        #[schema(max_length = 64)]
        name: Option<String>,
    },
}

/// As `PushSubscription.toJSON()` gives it; what else is in there is not looked at.
#[derive(Deserialize, ToSchema)]
pub(super) struct Subscription {
    endpoint: String,
    keys: SubscriptionKeys,
}

#[derive(Deserialize, ToSchema)]
pub(super) struct SubscriptionKeys {
    p256dh: String,
    auth: String,
}

impl Wish {
    fn read(self) -> Result<(PushTarget, Option<String>), Failure> {
        match self {
            Self::WebPush { subscription: Subscription { endpoint, keys }, name } => {
                Ok((PushTarget::WebPush { endpoint, p256dh: keys.p256dh, auth: keys.auth }, name))
            }
            Self::Fcm { token: Some(token), fid: None, name } => Ok((PushTarget::Fcm { token, is_fid: false }, name)),
            Self::Fcm { token: None, fid: Some(token), name } => Ok((PushTarget::Fcm { token, is_fid: true }, name)),
            Self::Fcm { .. } => Err(Failure::Invalid("expected either \"token\" or \"fid\"")),
        }
    }
}

/// What is to be otherwise of a device. `null` takes a wish back.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({ "privacy": "none", "mute": ["activity"] }))]
pub(super) struct Change {
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, max_length = 64)]
    name: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "sender")]
    privacy: Option<Option<Privacy>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<QuietHoursShape>)]
    quiet_hours: Option<Option<QuietHours>>,
    #[serde(deserialize_with = "given")]
    #[schema(value_type = Option<String>, example = "de")]
    language: Option<Option<Language>>,
    /// Types of notifications that do not go here: `task.offered`, `message`, `call.missed`, `activity`.
    #[schema(value_type = Option<Vec<String>>)]
    mute: Option<BTreeSet<NewsKind>>,
}

/// A field that is there, be it `null`.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TestResult {
    delivered: bool,
    /// `webpush` or `fcm`.
    provider: &'static str,
    /// The status of the push service's answer; none: there was none.
    #[schema(example = 201)]
    status: Option<u16>,
    /// Why it was not delivered.
    #[schema(example = "gone")]
    reason: Option<&'static str>,
    /// The push service does not know the device any more: it is removed.
    gone: bool,
    /// How long the push service took, in milliseconds.
    took_ms: u64,
}

impl TestResult {
    fn new(tested: Tested) -> Self {
        let Tested { delivered, provider, status, reason, gone, took } = tested;
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        Self { delivered, provider, status, reason, gone, took_ms }
    }
}

/// The agent's devices, with what was last delivered to each.
pub(super) async fn of_agent(api: &Api, agent: crate::domain::AgentId, devices: Vec<Device>) -> Vec<DeviceView> {
    // When the store does not say, nobody knows.
    let last = api.push.last_deliveries(agent, &devices).await.unwrap_or_else(|_| vec![None; devices.len()]);
    devices.into_iter().zip(last).map(|(device, last)| DeviceView::new(device, last)).collect()
}

/// Where do my notifications go?
#[utoipa::path(
    get, operation_id = "listDevices", path = "/me/devices", tag = "push",
    responses(
        (status = 200, description = "The devices, the one registered first first", body = Page<DeviceView>),
    ),
)]
pub(super) async fn list(api: web::Data<Api>, Caller(agent): Caller) -> Answer {
    let view = ask::see(&api.directory, agent).await?;
    Ok(HttpResponse::Ok().json(Page { items: of_agent(&api, agent, view.devices.clone()).await, next: None }))
}

/// Have notifications pushed to this device, for as long as I am signed in here.
///
/// The same subscription or token again is the same device, which goes with this session from then on.
#[utoipa::path(
    post, operation_id = "addDevice", path = "/me/devices", tag = "push", request_body = Wish,
    responses(
        (status = 201, description = "It is registered", body = DeviceView),
        (status = 200, description = "It was, and is what it is now", body = DeviceView),
        (status = 400, description = "The body is not JSON"),
        (status = 409, description = "`too_many_devices`: remove one first"),
        (status = 422, description = "It is no push service that may be used, or not of this form"),
    ),
)]
pub(super) async fn register(api: web::Data<Api>, SignedIn { who, .. }: SignedIn, wish: web::Json<Wish>) -> Answer {
    let (target, name) = wish.into_inner().read()?;
    let target = api.push.check_target(&target)?;
    let name = name.map(device_name).transpose()?.flatten();
    let registration = Registration { target, name, session: who.session };
    let Registered { device, is_new } = devices::register(&api.directory, who.agent, registration).await??;
    if !api.sessions.list(who.agent).iter().any(|session| session.id == who.session) {
        // It has ended meanwhile, and its end may have passed this device by.
        ask::let_go(&api.directory, who.agent, who.session, false).await?;
        return Err(crate::sessions::NoSession::Unknown.into());
    }
    let mut answer = if is_new { HttpResponse::Created() } else { HttpResponse::Ok() };
    let view = of_agent(&api, who.agent, vec![device]).await.pop().ok_or(Failure::NoAnswer)?;
    Ok(answer.json(view))
}

/// Change a device: its name, and what is wished for it alone.
#[utoipa::path(
    patch, operation_id = "changeDevice", path = "/me/devices/{device}", tag = "push", request_body = Change,
    params(("device" = String, Path, description = "The device's id", example = "00000000000000d1")),
    responses(
        (status = 200, description = "It is changed", body = DeviceView),
        (status = 400, description = "The body is not JSON"),
        (status = 404, description = "You have no such device"),
        (status = 422, description = "The body is not of this form"),
    ),
)]
pub(super) async fn change(
    api: web::Data<Api>,
    Caller(agent): Caller,
    path: web::Path<String>,
    change: web::Json<Change>,
) -> Answer {
    let id = id_of(&path)?;
    let Change { name, privacy, quiet_hours, language, mute } = change.into_inner();
    let name = name.map(|name| name.map(device_name).transpose().map(Option::flatten)).transpose()?;
    let wishes = WishChange { privacy, quiet_hours, language, mute };
    let changed = devices::adjust(&api.directory, agent, id, DeviceChange { name, wishes }).await?;
    let device = changed.ok_or(Failure::NotFound)?;
    let view = of_agent(&api, agent, vec![device]).await.pop().ok_or(Failure::NoAnswer)?;
    Ok(HttpResponse::Ok().json(view))
}

/// Let go of a device: nothing more is pushed to it, not even what waits.
#[utoipa::path(
    delete, operation_id = "removeDevice", path = "/me/devices/{device}", tag = "push",
    params(("device" = String, Path, description = "The device's id", example = "00000000000000d1")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "You have no such device"),
    ),
)]
pub(super) async fn remove(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    let known = devices::unregister(&api.directory, agent, id_of(&path)?).await?;
    if known { Ok(HttpResponse::NoContent().finish()) } else { Err(Failure::NotFound) }
}

/// Push a notification to a device now, and say what the push service makes of it.
#[utoipa::path(
    post, operation_id = "testDevice", path = "/me/devices/{device}/test", tag = "push",
    params(("device" = String, Path, description = "The device's id", example = "00000000000000d1")),
    responses(
        (status = 200, description = "What the push service said, be it good or bad", body = TestResult),
        (status = 404, description = "You have no such device"),
        (status = 429, description = "`too_many`: tests that are under way come first"),
    ),
)]
pub(super) async fn test(api: web::Data<Api>, Caller(agent): Caller, path: web::Path<String>) -> Answer {
    let id = id_of(&path)?;
    let view = ask::see(&api.directory, agent).await?;
    let device = view.devices.iter().find(|device| device.id == id).ok_or(Failure::NotFound)?;
    let tested = api.push.test(agent, device, &view.wishes, view.unread).await.ok_or(Failure::TooMany(SOON))?;
    if tested.gone {
        devices::unregister(&api.directory, agent, id).await?;
    }
    Ok(HttpResponse::Ok().json(TestResult::new(tested)))
}

/// Seconds after which another test is worth a try.
const SOON: u32 = 2;

fn id_of(path: &str) -> Result<DeviceId, Failure> {
    path.parse().map_err(|_| Failure::NotFound)
}
