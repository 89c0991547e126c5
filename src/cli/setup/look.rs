//! What there is, at Twilio and on this machine.

use super::{
    plan::{NAME, There, VERIFY_KEY, Verify, Wanted},
    record::{Change, Record},
};
use crate::{
    app,
    config::Config,
    domain::VerifyServiceSid,
    intake,
    twilio::{Refusal, Twilio, TwilioError},
};

pub(super) async fn look(
    twilio: &Twilio,
    config: &Config,
    wanted: &Wanted,
    record: &Record,
) -> Result<There, TwilioError> {
    let workspace = twilio.workspace_sid().await?.clone();
    let verify = verify(twilio, config, record).await?;
    let mut unset = Vec::new();
    if config.twilio.workspace_sid.is_none() {
        unset.push(("workspace_sid", Some(workspace.to_string())));
    }
    if config.twilio.verify_service_sid.is_none() {
        let sid = match &verify {
            Verify::Service { sid, .. } => Some(sid.to_string()),
            Verify::None | Verify::Missing(_) => None,
        };
        unset.push((VERIFY_KEY, sid));
    }
    Ok(There {
        activities: twilio.activities().await?,
        intake: intake::read(twilio, &wanted.doors).await?,
        verify,
        vapid_key: app::vapid_key(config).path().exists(),
        unset,
    })
}

/// The configured service, else the one that we have made, or that is called as ours would be.
async fn verify(twilio: &Twilio, config: &Config, record: &Record) -> Result<Verify, TwilioError> {
    let made = match record.verify_service() {
        Some(Change::VerifyService { sid, .. }) => sid.clone(),
        _ => None,
    };
    let sid = match config.twilio.verify_service_sid.clone().or(made) {
        Some(sid) => Some(sid),
        None => {
            let services = twilio.verify_services().await?;
            services.into_iter().find(|service| service.friendly_name == NAME).map(|service| service.sid)
        }
    };
    match sid {
        Some(sid) => match with_limits(twilio, sid).await? {
            // An undo that was cut short has deleted it.
            Verify::Missing(_) if config.twilio.verify_service_sid.is_none() => Ok(Verify::None),
            found => Ok(found),
        },
        None => Ok(Verify::None),
    }
}

async fn with_limits(twilio: &Twilio, sid: VerifyServiceSid) -> Result<Verify, TwilioError> {
    let name = match twilio.verify_service(&sid).await {
        Err(error) if error.refusal() == Some(Refusal::NotFound) => return Ok(Verify::Missing(sid)),
        found => found?.friendly_name,
    };
    let mut limits = Vec::new();
    for limit in twilio.rate_limits(&sid).await? {
        let has_bucket = twilio.has_bucket(&sid, &limit.sid).await?;
        limits.push((limit, has_bucket));
    }
    Ok(Verify::Service { sid, name, limits })
}
