//! What is read of Flex's own configuration (<https://www.twilio.com/docs/flex/developer/config>).

use serde_json::json;

use super::{
    date::iso8601,
    request::{Answer, Request},
};
use crate::world::World;

pub(super) fn configuration(world: &World, request: &Request) -> Answer {
    let fixed = &world.fixed;
    Answer::ok(json!({
        "account_sid": fixed.account,
        "date_created": iso8601(world.born),
        "date_updated": iso8601(world.born),
        "status": "ok",
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
