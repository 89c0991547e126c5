//! Flex v1: what is read of its configuration (<https://www.twilio.com/docs/flex/developer/config>), and Interactions.

mod interactions;

use serde_json::json;

use super::{
    Reply,
    date::iso8601,
    request::{Answer, Request},
    route::Operation,
};
use crate::world::{World, conversations::chat_service, sid::Sid};

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    if operation == Operation::FetchConfiguration {
        return Ok(configuration(world, request));
    }
    interactions::answer(world, request, operation, path)
}

fn configuration(world: &World, request: &Request) -> Answer {
    let fixed = &world.fixed;
    Answer::ok(json!({
        "account_sid": fixed.account,
        "date_created": iso8601(world.born),
        "date_updated": iso8601(world.born),
        "status": "ok",
        "chat_service_instance_sid": chat_service(),
        "taskrouter_workspace_sid": fixed.workspace,
        "taskrouter_target_workflow_sid": fixed.workflow,
        "taskrouter_target_taskqueue_sid": fixed.queue,
        "taskrouter_offline_activity_sid": fixed.timeout_activity,
        "runtime_domain": "https://flex.twilio.com",
        "ui_language": "en",
        "call_recording_enabled": world.rules.recording,
        "call_recording_webhook_url": world.rules.recording_webhook,
        "outbound_call_flows": {
            "default": {
                "caller_id": world.rules.numbers.first(),
                "queue_sid": fixed.queue,
                "workflow_sid": fixed.workflow,
                "location": "US",
            },
        },
        "url": format!("{}/v1/Configuration", request.base),
    }))
}
