//! A Sync service and its documents (<https://www.twilio.com/docs/sync/api/document-resource>). Nobody changes them.

use serde_json::Value;

use super::{
    sid::{Sid, named},
    table::Table,
};
use crate::options::Options;

#[derive(Debug)]
pub(crate) struct Sync {
    pub(crate) service: Sid,
    pub(crate) documents: Table<Document>,
}

#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) sid: Sid,
    pub(crate) unique_name: String,
    pub(crate) data: Value,
    pub(crate) created: u64,
}

impl Sync {
    pub(super) fn seeded(options: &Options, now: u64) -> Self {
        let mut documents = Table::default();
        for seed in &options.sync_documents {
            documents.add(Document {
                sid: named("ET", &seed.unique_name),
                unique_name: seed.unique_name.clone(),
                data: seed.data.clone(),
                created: now,
            });
        }
        Self { service: options.sync_service_sid.as_str().into(), documents }
    }

    /// By sid or unique name, as the API has it.
    pub(crate) fn document(&self, name: &str) -> Option<&Document> {
        self.documents.iter().find(|document| document.sid == *name || document.unique_name == name)
    }
}
