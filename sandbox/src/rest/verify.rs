//! Verify v2 (<https://www.twilio.com/docs/verify/api>).

use serde_json::{Value, json};

use super::{
    Reply,
    date::iso8601,
    error::Refusal,
    list,
    request::{Answer, Params, Request},
    route::Operation,
};
use crate::world::{
    World,
    sid::Sid,
    verify::{self, CodeChannel, NewVerification, Verification, VerificationStatus},
};

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    let Some(service) = path.first() else {
        return match operation {
            Operation::CreateService => create_service(world, request),
            _ => Ok(list_services(world, request)),
        };
    };
    world.verify.services.get(service).ok_or_else(Refusal::not_found)?;
    match (operation, path.get(1)) {
        (Operation::FetchService, None) => found(service_shape(world, request, service)),
        (Operation::DeleteService, None) => world.remove_verify_service(service).map(|()| Answer::no_content()),
        (Operation::CreateVerification, None) => create_verification(world, request, service),
        (Operation::CreateVerificationCheck, None) => check(world, request, service),
        (Operation::FetchVerification, Some(wanted)) => fetch_verification(world, request, service, wanted),
        (Operation::UpdateVerification, Some(wanted)) => update_verification(world, request, service, wanted),
        (Operation::ListRateLimit, None) => Ok(list_limits(world, request, service)),
        (Operation::CreateRateLimit, None) => create_limit(world, request, service),
        (Operation::DeleteRateLimit, Some(limit)) => {
            own_limit(world, service, limit)?;
            world.remove_rate_limit(limit);
            Ok(Answer::no_content())
        }
        (Operation::ListBucket, Some(limit)) => list_buckets(world, request, service, limit),
        (Operation::CreateBucket, Some(limit)) => create_bucket(world, request, service, limit),
        _ => Err(Refusal::not_found()),
    }
}

fn found(body: Option<Value>) -> Reply {
    body.map(Answer::ok).ok_or_else(Refusal::not_found)
}

fn made(body: Option<Value>) -> Reply {
    body.map(Answer::created).ok_or_else(Refusal::not_found)
}

fn required(form: &Params, name: &str) -> Result<String, Refusal> {
    form.text(name).ok_or_else(|| verify::invalid(name))
}

fn list_services(world: &World, request: &Request) -> Answer {
    let all = world.verify.services.iter().map(|row| row.sid.clone()).collect();
    list::v1(request, "services", all, |sid| service_shape(world, request, sid))
}

fn create_service(world: &mut World, request: &Request) -> Reply {
    let name = required(&request.form, "FriendlyName")?;
    let length = request.form.number("CodeLength")?.unwrap_or(verify::CODE_LENGTH);
    let sid = world.create_verify_service(&name, length)?;
    made(service_shape(world, request, &sid))
}

fn create_verification(world: &mut World, request: &Request, service: &Sid) -> Reply {
    let form = &request.form;
    let channel = CodeChannel::parse(&required(form, "Channel")?).ok_or_else(|| verify::invalid("Channel"))?;
    let wanted = NewVerification {
        to: required(form, "To")?,
        channel,
        locale: form.text("Locale"),
        rate_limits: rate_limits(form)?,
    };
    let sid = world.send_code(service, wanted)?;
    made(world.verify.verifications.get(&sid).map(|row| verification_shape(world, request, row)))
}

/// `{"unique_name":"value"}`.
fn rate_limits(form: &Params) -> Result<Vec<(String, String)>, Refusal> {
    let Some(text) = form.text("RateLimits") else { return Ok(Vec::new()) };
    let value: Value = serde_json::from_str(&text).map_err(|_| verify::invalid("RateLimits"))?;
    let pairs = value.as_object().ok_or_else(|| verify::invalid("RateLimits"))?;
    let pair = |(name, value): (&String, &Value)| {
        value.as_str().map(|value| (name.clone(), value.to_owned())).ok_or_else(|| verify::invalid("RateLimits"))
    };
    pairs.iter().map(pair).collect()
}

fn fetch_verification(world: &World, request: &Request, service: &Sid, wanted: &Sid) -> Reply {
    let row = world.find_verification(service, wanted.as_str());
    found(row.map(|row| verification_shape(world, request, row)))
}

fn update_verification(world: &mut World, request: &Request, service: &Sid, wanted: &Sid) -> Reply {
    let status = VerificationStatus::parse(&required(&request.form, "Status")?)
        .filter(|status| matches!(status, VerificationStatus::Canceled | VerificationStatus::Approved))
        .ok_or_else(|| verify::invalid("Status"))?;
    let row = world.find_verification(service, wanted.as_str());
    let sid = row.map(|row| row.sid.clone()).ok_or_else(Refusal::not_found)?;
    world.settle_verification(&sid, status)?;
    found(world.verify.verifications.get(&sid).map(|row| verification_shape(world, request, row)))
}

fn check(world: &mut World, request: &Request, service: &Sid) -> Reply {
    let form = &request.form;
    let code = required(form, "Code")?;
    if !(4..=10).contains(&code.len()) {
        return Err(verify::invalid("Code"));
    }
    let wanted = form.text("VerificationSid").or_else(|| form.text("To")).ok_or_else(|| verify::invalid("To"))?;
    let row = world.find_verification(service, &wanted);
    let sid = row.map(|row| row.sid.clone()).ok_or_else(Refusal::not_found)?;
    world.check_code(&sid, &code)?;
    found(world.verify.verifications.get(&sid).map(|row| check_shape(world, row)))
}

fn list_limits(world: &World, request: &Request, service: &Sid) -> Answer {
    let rows = world.verify.limits.iter().filter(|row| row.service == *service);
    let all = rows.map(|row| row.sid.clone()).collect();
    list::v1(request, "rate_limits", all, |sid| limit_shape(world, request, sid))
}

fn create_limit(world: &mut World, request: &Request, service: &Sid) -> Reply {
    let name = required(&request.form, "UniqueName")?;
    let sid = world.create_rate_limit(service, &name, request.form.text("Description"))?;
    made(limit_shape(world, request, &sid))
}

fn list_buckets(world: &World, request: &Request, service: &Sid, limit: &Sid) -> Reply {
    own_limit(world, service, limit)?;
    let all = world.verify.buckets.iter().filter(|row| row.limit == *limit).map(|row| row.sid.clone()).collect();
    Ok(list::v1(request, "buckets", all, |sid| bucket_shape(world, request, sid)))
}

fn create_bucket(world: &mut World, request: &Request, service: &Sid, limit: &Sid) -> Reply {
    own_limit(world, service, limit)?;
    let number = |name: &str| {
        let number = request.form.number(name).map_err(|_| verify::invalid(name))?;
        number.filter(|number| *number > 0).ok_or_else(|| verify::invalid(name))
    };
    let sid = world.create_bucket(limit, number("Max")?, number("Interval")?)?;
    made(bucket_shape(world, request, &sid))
}

fn own_limit(world: &World, service: &Sid, limit: &Sid) -> Result<(), Refusal> {
    let own = world.verify.limits.get(limit).filter(|row| row.service == *service);
    own.map(|_| ()).ok_or_else(Refusal::not_found)
}

fn service_url(request: &Request, service: &Sid) -> String {
    format!("{}/v2/Services/{service}", request.base)
}

fn service_shape(world: &World, request: &Request, sid: &Sid) -> Option<Value> {
    let row = world.verify.services.get(sid)?;
    let url = service_url(request, sid);
    Some(json!({
        "sid": sid,
        "account_sid": world.fixed.account,
        "friendly_name": row.name,
        "code_length": row.code_length,
        "lookup_enabled": false,
        "psd2_enabled": false,
        "skip_sms_to_landlines": false,
        "dtmf_input_required": true,
        "tts_name": null,
        "do_not_share_warning_enabled": false,
        "custom_code_enabled": false,
        "push": { "apn_credential_sid": null, "fcm_credential_sid": null, "include_date": true },
        "totp": { "issuer": row.name, "time_step": 30, "code_length": 6, "skew": 1 },
        "default_template_sid": null,
        "whatsapp": null,
        "passkeys": null,
        "verify_event_subscription_enabled": false,
        "date_created": iso8601(row.created),
        "date_updated": iso8601(row.created),
        "links": {
            "verification_checks": format!("{url}/VerificationCheck"),
            "verifications": format!("{url}/Verifications"),
            "rate_limits": format!("{url}/RateLimits"),
        },
        "url": url,
    }))
}

fn verification_shape(world: &World, request: &Request, row: &Verification) -> Value {
    let attempts: Vec<_> = row
        .sendings
        .iter()
        .map(|(at, channel, sid)| {
            // In capitals, as the document's examples have it; WhatsApp alone is not.
            let channel = match channel {
                CodeChannel::Whatsapp => channel.as_str().to_owned(),
                _ => channel.as_str().to_ascii_uppercase(),
            };
            json!({ "time": iso8601(*at), "channel": channel, "attempt_sid": sid })
        })
        .collect();
    json!({
        "sid": row.sid,
        "service_sid": row.service,
        "account_sid": world.fixed.account,
        "to": row.to,
        "channel": row.channel,
        "status": row.status(world.now),
        "valid": row.status(world.now) == VerificationStatus::Approved,
        "lookup": {},
        "amount": null,
        "payee": null,
        "send_code_attempts": attempts,
        "date_created": iso8601(row.created),
        "date_updated": iso8601(row.updated),
        "sna": null,
        "url": format!("{}/Verifications/{}", service_url(request, &row.service), row.sid),
    })
}

fn check_shape(world: &World, row: &Verification) -> Value {
    json!({
        "sid": row.sid,
        "service_sid": row.service,
        "account_sid": world.fixed.account,
        "to": row.to,
        "channel": row.channel,
        "status": row.status(world.now),
        "valid": row.status(world.now) == VerificationStatus::Approved,
        "amount": null,
        "payee": null,
        "sna_attempts_error_codes": [],
        "date_created": iso8601(row.created),
        "date_updated": iso8601(row.updated),
    })
}

fn limit_shape(world: &World, request: &Request, sid: &Sid) -> Option<Value> {
    let row = world.verify.limits.get(sid)?;
    let url = format!("{}/RateLimits/{sid}", service_url(request, &row.service));
    Some(json!({
        "sid": sid,
        "service_sid": row.service,
        "account_sid": world.fixed.account,
        "unique_name": row.name,
        "description": row.description,
        "date_created": iso8601(row.created),
        "date_updated": iso8601(row.created),
        "links": { "buckets": format!("{url}/Buckets") },
        "url": url,
    }))
}

fn bucket_shape(world: &World, request: &Request, sid: &Sid) -> Option<Value> {
    let row = world.verify.buckets.get(sid)?;
    let service = &world.verify.limits.get(&row.limit)?.service;
    Some(json!({
        "sid": sid,
        "rate_limit_sid": row.limit,
        "service_sid": service,
        "account_sid": world.fixed.account,
        "max": row.max,
        "interval": row.interval_s,
        "date_created": iso8601(row.created),
        "date_updated": iso8601(row.created),
        "url": format!("{}/RateLimits/{}/Buckets/{sid}", service_url(request, service), row.limit),
    }))
}
