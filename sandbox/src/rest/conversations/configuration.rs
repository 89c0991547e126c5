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
        conversations::{FILTERS, chat_service, messaging_service},
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

pub(super) fn webhook(world: &World, request: &Request) -> Answer {
    Answer::ok(shape(world, request))
}

pub(super) fn update_webhook(world: &mut World, request: &Request) -> Reply {
    let form = &request.form;
    let filters = form.words("Filters");
    if let Some(unknown) = filters.iter().find(|filter| !FILTERS.contains(&filter.as_str())) {
        return Err(Refusal::invalid(format!("Invalid Filters: {unknown}")));
    }
    let method = form.word("Method", |method| ["GET", "POST"].contains(&method).then(|| method.to_owned()))?;
    let target = form.word("Target", |target| ["webhook", "flex"].contains(&target).then(|| target.to_owned()))?;
    let row = &mut world.conversations_webhook;
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
    Ok(webhook(world, request))
}

fn shape(world: &World, request: &Request) -> Value {
    let row = &world.conversations_webhook;
    json!({
        "account_sid": world.fixed.account,
        "method": row.method,
        "filters": row.filters,
        "pre_webhook_url": row.pre_url,
        "post_webhook_url": row.post_url,
        "target": row.target,
        "url": format!("{}/v1/Configuration/Webhooks", request.base),
    })
}
