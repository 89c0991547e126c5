//! Sync's REST API (<https://www.twilio.com/docs/sync/api>), as far as it is read: an application before this one may have
//! kept its agents there.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::client::{Listing, Pages, Product, Twilio, TwilioError};
use crate::domain::{SyncDocumentSid, SyncServiceSid};

/// Documents a page, Twilio's most.
const PAGE_SIZE: &str = "100";
/// A hundred thousand documents, and no end of them is in sight: that is no list of agents.
const MOST_PAGES: usize = 1_000;

/// <https://www.twilio.com/docs/sync/api/document-resource>
#[derive(Clone, PartialEq, Deserialize)]
pub struct SyncDocument {
    pub sid: SyncDocumentSid,
    /// What its application calls it.
    #[serde(default)]
    pub unique_name: Option<String>,
    /// Any JSON of at most 16 KiB; null where a list leaves it out.
    #[serde(default)]
    pub data: Value,
}

/// Name and data may hold anything, phone numbers and tokens included.
impl fmt::Debug for SyncDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncDocument").field("sid", &self.sid).finish_non_exhaustive()
    }
}

impl Twilio {
    /// All documents of a service
    /// (<https://www.twilio.com/docs/sync/api/document-resource#read-multiple-document-resources>).
    pub fn sync_documents(&self, service: &SyncServiceSid) -> Listing<SyncDocument> {
        let path = ["v1", "Services", service.as_str(), "Documents"];
        let call = self.get(Product::Sync, "list_document", &path).with("PageSize", PAGE_SIZE);
        Listing::new(Pages::new(call, "documents"), MOST_PAGES)
    }

    /// <https://www.twilio.com/docs/sync/api/document-resource#fetch-a-document-resource>
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn sync_document(
        &self,
        service: &SyncServiceSid,
        sid: &SyncDocumentSid,
    ) -> Result<SyncDocument, TwilioError> {
        let path = ["v1", "Services", service.as_str(), "Documents", sid.as_str()];
        self.send(self.get(Product::Sync, "fetch_document", &path)).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::twilio::{
        client::Refusal,
        testing::{Fake, Reply, page, parts, sid},
    };

    const SERVICE: &str = "IS0123456789abcdef0123456789abcdef";
    const DOCUMENT: &str = "ET0123456789abcdef0123456789abcdef";

    fn document(name: &str, data: &Value) -> Value {
        json!({ "sid": DOCUMENT, "unique_name": name, "data": data, "revision": "1" })
    }

    #[tokio::test]
    async fn documents_are_read_to_the_last_page() {
        let fake = Fake::start(|url| {
            let first = vec![document("user-+15550100", &json!({ "name": "Anna" }))];
            vec![page("documents", first, Some(format!("{url}v1/next"))), page("documents", vec![], None)]
        })
        .await;
        let (twilio, service) = (fake.client(), sid(SERVICE));
        let mut documents = twilio.sync_documents(&service);
        let first = documents.next(&twilio).await.unwrap().unwrap();
        assert_eq!((first.len(), &first[0].data["name"]), (1, &json!("Anna")));
        assert_eq!(documents.next(&twilio).await.unwrap(), Some(Vec::new()));
        assert_eq!(documents.next(&twilio).await.unwrap(), None);
        assert_eq!(parts(&fake.requests()[0]).0, format!("GET /v1/Services/{SERVICE}/Documents?PageSize=100"));
    }

    #[tokio::test]
    async fn a_document_without_name_or_data_is_one_and_none_shows_what_it_holds() {
        let bare = json!({ "sid": DOCUMENT });
        let full = document("user-+15550100", &json!({ "longTermToken": "hunter2" }));
        let fake = Fake::replying([page("documents", vec![bare, full], None)]).await;
        let twilio = fake.client();
        let read = twilio.sync_documents(&sid(SERVICE)).next(&twilio).await.unwrap().unwrap();
        assert_eq!((&read[0].unique_name, &read[0].data), (&None, &Value::Null));
        let shown = format!("{read:?}");
        assert!(!shown.contains("5550100") && !shown.contains("hunter2"), "{shown}");
    }

    #[tokio::test]
    async fn one_document_is_fetched_by_its_sid() {
        let fake = Fake::replying([Reply::ok(document("user-x", &json!([1])).to_string())]).await;
        let read = fake.client().sync_document(&sid(SERVICE), &sid(DOCUMENT)).await.unwrap();
        assert_eq!(read.data, json!([1]));
        assert_eq!(parts(&fake.requests()[0]).0, format!("GET /v1/Services/{SERVICE}/Documents/{DOCUMENT}"));
    }

    #[tokio::test]
    async fn a_service_that_is_not_there_is_not_found() {
        let fake = Fake::replying([Reply::status(404)]).await;
        let twilio = fake.client();
        let refused = twilio.sync_documents(&sid(SERVICE)).next(&twilio).await.unwrap_err();
        assert_eq!(refused.refusal(), Some(Refusal::NotFound));
    }

    #[tokio::test]
    async fn a_list_without_an_end_is_given_up() {
        let fake = Fake::start(|url| vec![page("documents", vec![], Some(format!("{url}v1/next")))]).await;
        let twilio = fake.client();
        let call = twilio.get(Product::Sync, "list_document", &["v1"]);
        let mut listing = Listing::<SyncDocument>::new(Pages::new(call, "documents"), 2);
        assert!(listing.next(&twilio).await.is_ok() && listing.next(&twilio).await.is_ok());
        assert_eq!(listing.next(&twilio).await, Err(TwilioError::Malformed { operation: "list_document" }));
    }
}
