//! The account and its numbers.

use serde_json::{Value, json};

use crate::{
    rest::{
        date::rfc2822,
        list,
        request::{Answer, Request},
        route::Operation,
    },
    world::{
        World,
        sid::{Sid, named},
    },
};

pub(super) fn answer(world: &World, request: &Request, operation: Operation) -> Answer {
    match operation {
        Operation::ListIncomingPhoneNumber => list_numbers(world, request),
        // Nobody has verified a number of another provider's.
        Operation::ListOutgoingCallerId => list::v2010(request, "outgoing_caller_ids", Vec::new(), |_| None),
        _ => Answer::ok(account(world)),
    }
}

fn account(world: &World) -> Value {
    let account = &world.fixed.account;
    json!({
        "sid": account,
        "owner_account_sid": account,
        "friendly_name": "Offdesk's sandbox",
        "auth_token": "",
        "status": "active",
        "type": "Full",
        "date_created": rfc2822(world.born),
        "date_updated": rfc2822(world.born),
        "subresource_uris": { "calls": format!("/2010-04-01/Accounts/{account}/Calls.json") },
        "uri": format!("/2010-04-01/Accounts/{account}.json"),
    })
}

fn list_numbers(world: &World, request: &Request) -> Answer {
    let wanted = request.query.get("PhoneNumber");
    let numbers = world.rules.numbers.iter().filter(|number| wanted.is_none_or(|wanted| wanted == **number));
    let all = numbers.map(|number| Sid::from(number.as_str())).collect();
    list::v2010(request, "incoming_phone_numbers", all, |number| Some(shape(world, number)))
}

fn shape(world: &World, number: &Sid) -> Value {
    let (account, sid) = (&world.fixed.account, named("PN", number.as_str()));
    json!({
        "sid": sid,
        "account_sid": account,
        "friendly_name": number,
        "phone_number": number,
        "api_version": "2010-04-01",
        "capabilities": { "voice": true, "sms": true, "mms": false, "fax": false },
        "date_created": rfc2822(world.born),
        "date_updated": rfc2822(world.born),
        "status": "in-use",
        "uri": format!("/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{sid}.json"),
    })
}
