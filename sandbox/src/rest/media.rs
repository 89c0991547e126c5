//! The Media Content Service v1 (<https://www.twilio.com/docs/conversations/api/media-resource>), which no OpenAPI document
//! describes.

use serde_json::{Value, json};

use super::{
    Reply,
    date::iso8601,
    error::Refusal,
    request::{Answer, Request},
    route::Operation,
};
use crate::world::{World, conversations::chat_service, media::NewMedia, sid::Sid};

pub(super) fn answer(world: &mut World, request: &Request, operation: Operation, path: &[Sid]) -> Reply {
    if path.first().is_none_or(|service| *service != chat_service()) {
        return Err(Refusal::not_found());
    }
    if operation == Operation::CreateMedia {
        return create(world, request);
    }
    let sid = path.get(1).ok_or_else(Refusal::not_found)?;
    Ok(Answer::ok(shape(world, request, sid)?))
}

/// The body is the file itself.
fn create(world: &mut World, request: &Request) -> Reply {
    let upload = request.upload.as_ref().ok_or_else(|| Refusal::invalid("Content-Type must name the file's type"))?;
    let sid = world.store_media(NewMedia {
        content_type: upload.content_type.clone(),
        filename: request.query.text("filename").or_else(|| request.query.text("Filename")),
        bytes: upload.bytes.clone(),
    })?;
    Ok(Answer::created(shape(world, request, &sid)?))
}

fn shape(world: &World, request: &Request, sid: &Sid) -> Result<Value, Refusal> {
    let file = world.media.get(sid).ok_or_else(Refusal::not_found)?;
    let service = chat_service();
    let path = format!("/v1/Services/{service}/Media/{sid}");
    let (expires, signature) = world.sign_media_link(sid);
    let (conversation, message) = file.shown.clone().unzip();
    Ok(json!({
        "sid": file.sid,
        "account_sid": world.fixed.account,
        "service_sid": service,
        "channel_sid": conversation,
        "message_sid": message,
        "category": "media",
        "content_type": file.content_type,
        "filename": file.filename,
        "size": file.bytes.len(),
        "author": null,
        "is_multipart_upstream": false,
        "date_created": iso8601(file.created),
        "date_updated": iso8601(file.created),
        "date_upload_updated": iso8601(file.created),
        "url": path,
        "links": {
            "content": format!("{path}/Content"),
            "content_direct_temporary":
                format!("{}{path}/Content?Expires={expires}&Signature={signature}", request.base),
        },
    }))
}
