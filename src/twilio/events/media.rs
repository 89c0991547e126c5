//! The files of a message, as webhooks (`Sid`), CloudEvents (`MediaSid`) and REST (`sid`) spell them
//! (<https://www.twilio.com/docs/conversations/api/conversation-message-resource>).

use serde_json::{Map, Value};

use super::{MAX_NESTING, ParseError, fields::Fields, nesting};
use crate::domain::Media;

/// More files than a message can have (<https://www.twilio.com/docs/conversations/media-support-conversations>); further
/// ones are left out.
const MAX_FILES: usize = 10;
/// The most that is kept of a file's type and of its name, in bytes.
const MAX_CONTENT_TYPE: usize = 64;
const MAX_FILENAME: usize = 100;

/// The files in a text that holds a JSON array; an empty text holds none.
pub(super) fn of_text(text: &str) -> Result<Vec<Media>, ParseError> {
    const MALFORMED: ParseError = ParseError::Malformed { field: "Media" };
    if text.is_empty() {
        return Ok(Vec::new());
    }
    if nesting(text.as_bytes()) > MAX_NESTING {
        return Err(MALFORMED);
    }
    let list: Vec<Value> = serde_json::from_str(text).map_err(|_| MALFORMED)?;
    Ok(of_list(&list))
}

/// The files that a list describes. What is no file's description is passed over: the message is worth more.
pub(in crate::twilio) fn of_list(list: &[Value]) -> Vec<Media> {
    list.iter().filter_map(Value::as_object).filter_map(file).take(MAX_FILES).collect()
}

fn file(described: &Map<String, Value>) -> Option<Media> {
    let fields = Fields::of_object(described);
    let sid = fields.get("sid").or_else(|| fields.get("mediasid"))?;
    Some(Media {
        sid: sid.parse().ok()?,
        content_type: clip(&fields.get("contenttype").unwrap_or_default(), MAX_CONTENT_TYPE).to_owned(),
        filename: fields.get("filename").map(|name| clip(&name, MAX_FILENAME).to_owned()),
        size: fields.get("size").and_then(|size| size.parse().ok()).unwrap_or_default(),
    })
}

/// At most so many bytes from the beginning of a text, in whole characters.
pub(super) fn clip(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
