//! The account's default service, and where its conversations' events go.

use serde_json::{Value, json};

use crate::{
    rest::{
        Reply,
        error::Refusal,
        request::{Answer, Request},
    },
    world::{
        World,
        conversations::{FILTERS, WebhookTarget, chat_service, messaging_service},
        sid::Sid,
    },
};

pub(super) fn fetch(world: &World, request: &Request) -> Answer {
    let (base, service) = (&request.base, chat_service());
    Answer::ok(json!({
        "account_sid": world.fixed.account,
        "default_chat_service_sid": service,
        "default_messaging_service_sid": messaging_service(),
        "default_inactive_timer": null,
        "default_closed_timer": null,
        "url": format!("{base}/v1/Configuration"),
        "links": {
            "service": format!("{base}/v1/Services/{service}/Configuration"),
            "webhooks": format!("{base}/v1/Configuration/Webhooks"),
        },
    }))
}

/// Whose webhook.
#[derive(Clone, Copy)]
pub(super) enum Whose {
    Account,
    /// The only service's: its webhook is used in place of the account's.
    Service,
}

impl Whose {
    pub(super) fn of_service(sid: &Sid) -> Result<Self, Refusal> {
        if *sid == chat_service() { Ok(Self::Service) } else { Err(Refusal::not_found()) }
    }

    const fn of(self, world: &mut World) -> &mut WebhookTarget {
        match self {
            Self::Account => &mut world.conversations_webhook,
            Self::Service => &mut world.service_webhook,
        }
    }
}

pub(super) fn webhook(world: &World, request: &Request, whose: Whose) -> Answer {
    let base = &request.base;
    match whose {
        Whose::Account => {
            let mut shape = shape(world, &world.conversations_webhook, &format!("{base}/v1"));
            shape["target"] = world.conversations_webhook.target.as_str().into();
            Answer::ok(shape)
        }
        Whose::Service => {
            let service = chat_service();
            let mut shape = shape(world, &world.service_webhook, &format!("{base}/v1/Services/{service}"));
            shape["chat_service_sid"] = json!(service);
            Answer::ok(shape)
        }
    }
}

pub(super) fn update_webhook(world: &mut World, request: &Request, whose: Whose) -> Reply {
    let form = &request.form;
    let filters: Vec<_> = form.words("Filters").into_iter().filter(|filter| !filter.is_empty()).collect();
    if let Some(unknown) = filters.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        return Err(Refusal::invalid(format!("Invalid Filters: {unknown}")));
    }
    let method = form.word("Method", |method| ["GET", "POST"].contains(&method).then(|| method.to_owned()))?;
    let target = form.word("Target", |target| ["webhook", "flex"].contains(&target).then(|| target.to_owned()))?;
    let row = whose.of(world);
    if form.get("Filters").is_some() {
        row.filters = filters;
    }
    for (name, url) in [("PreWebhookUrl", &mut row.pre_url), ("PostWebhookUrl", &mut row.post_url)] {
        if form.get(name).is_some() {
            *url = form.text(name);
        }
    }
    row.method = method.unwrap_or_else(|| row.method.clone());
    row.target = target.unwrap_or_else(|| row.target.clone());
    Ok(webhook(world, request, whose))
}

fn shape(world: &World, row: &WebhookTarget, base: &str) -> Value {
    json!({
        "account_sid": world.fixed.account,
        "method": row.method,
        "filters": row.filters,
        "pre_webhook_url": row.pre_url,
        "post_webhook_url": row.post_url,
        "url": format!("{base}/Configuration/Webhooks"),
    })
}
