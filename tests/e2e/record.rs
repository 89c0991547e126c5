//! What the daemon asked of the stand-in for Twilio and what that answered, written down for Twilio's own documents to
//! judge: neither of the two may drift from the real one.

use offdesk_sandbox::{FlowDirection, LogEntry};
use serde_json::{Value, json};

use crate::counterparts;

/// The products that have a document; the path begins with the product's name, since one stand-in serves them all.
const PRODUCTS: [&str; 6] = ["api", "taskrouter", "flex", "conversations", "verify", "events"];
/// The Media Content Service has none: what is asked of it is not judged.
const UNDOCUMENTED: &str = "media";

/// Writes down what was exchanged in the running test.
pub fn exchanges(log: &[LogEntry]) {
    let exchanges: Vec<_> = log.iter().filter_map(exchange).collect();
    let thread = std::thread::current();
    counterparts::record(thread.name().unwrap_or("unnamed"), &exchanges);
}

fn exchange(entry: &LogEntry) -> Option<Value> {
    let FlowDirection::Rest = entry.direction else { return None };
    let (product, path) = entry.url.strip_prefix('/')?.split_once('/')?;
    if product == UNDOCUMENTED {
        return None;
    }
    // An empty value empties a slot; the documents, which want a URI there, know no other way.
    let form: Vec<_> = entry.params.iter().filter(|(_, value)| !value.is_empty()).collect();
    let mut exchange = json!({ "method": entry.method, "path": format!("/{path}"), "form": form });
    if PRODUCTS.contains(&product) {
        exchange["product"] = product.into();
    }
    // Nothing was answered, or more than the log keeps: then the request alone is judged.
    let answer: Option<Value> = serde_json::from_str(&entry.answer).ok();
    if let (Some(status), Some(answer)) = (entry.status, answer) {
        exchange["status"] = status.into();
        exchange["answer"] = answer;
    }
    Some(exchange)
}
