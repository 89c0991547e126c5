//! Sync v1 (<https://www.twilio.com/docs/sync/api>): reading documents.

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::{
    Reply,
    date::iso8601,
    error::Refusal,
    list,
    request::{Answer, Request},
    route::Operation,
};
use crate::world::{World, sid::Sid, sync::Document};

/// `PageSize`, at most.
const MAX_SIZE: u64 = 100;

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    let sync = &world.sync;
    if path.first().is_none_or(|service| *service != sync.service) {
        return Err(Refusal::not_found());
    }
    let shape = |document: &Document| shape(world, request, document);
    if operation == Operation::ListDocument {
        let all = sync.documents.iter().map(|document| document.sid.clone()).collect();
        return Ok(list::v1_of(request, "documents", all, MAX_SIZE, |sid| sync.documents.get(sid).map(shape)));
    }
    let named = path.get(1).and_then(|name| percent_decode_str(name.as_str()).decode_utf8().ok());
    let document = named.and_then(|name| sync.document(&name)).ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(shape(document)))
}

fn shape(world: &World, request: &Request, document: &Document) -> Value {
    let Document { sid, unique_name, data, created } = document;
    let url = format!("{}/v1/Services/{}/Documents/{sid}", request.base, world.sync.service);
    json!({
        "sid": sid,
        "unique_name": unique_name,
        "account_sid": world.fixed.account,
        "service_sid": world.sync.service,
        "url": url,
        "links": { "permissions": format!("{url}/Permissions") },
        "revision": "0",
        "data": data,
        "date_expires": null,
        "date_created": iso8601(*created),
        "date_updated": iso8601(*created),
        "created_by": "system",
    })
}
