//! Lists, page by page (<https://www.twilio.com/docs/usage/twilios-response#pagination>).

use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use url::Url;

use super::{Twilio, call::Call, error::TwilioError};

/// A list of which not all is read yet.
pub(in crate::twilio) struct Pages {
    next: Option<Call>,
    operation: &'static str,
    key: &'static str,
}

impl Pages {
    /// `key` is the name under which a page holds its items.
    pub(in crate::twilio) fn new(first: Call, key: &'static str) -> Self {
        Self { operation: first.operation, next: Some(first), key }
    }

    /// The next page; `None` after the last one.
    pub(in crate::twilio) async fn next<T: DeserializeOwned>(
        &mut self,
        twilio: &Twilio,
    ) -> Result<Option<Vec<T>>, TwilioError> {
        let Some(call) = self.next.take() else { return Ok(None) };
        let malformed = || TwilioError::Malformed { operation: self.operation };
        let mut page: Map<String, Value> = twilio.send(call.clone()).await?;
        let items = page.remove(self.key).ok_or_else(malformed)?;
        if let Some(url) = next_url(&page, &call.url).map_err(|NotOurs| malformed())? {
            self.next = Some(call.at(url));
        }
        serde_json::from_value(items).map(Some).map_err(|_| malformed())
    }

    /// The items of at most `pages` pages, and whether that is all.
    pub(in crate::twilio) async fn collect<T: DeserializeOwned>(
        mut self,
        twilio: &Twilio,
        pages: usize,
    ) -> Result<(Vec<T>, bool), TwilioError> {
        let mut items = Vec::new();
        for _ in 0..pages {
            match self.next(twilio).await? {
                Some(page) => items.extend(page),
                None => break,
            }
        }
        Ok((items, self.next.is_none()))
    }
}

/// A list that may be long, a page at a time.
pub struct Listing<T> {
    pages: Pages,
    /// How many pages it may still have.
    left: usize,
    items: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Listing<T> {
    /// `most`: more pages than the list can have; one that goes on is taken for malformed.
    pub(in crate::twilio) fn new(pages: Pages, most: usize) -> Self {
        Self { pages, left: most, items: PhantomData }
    }

    /// The next page; `None` after the last one.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn next(&mut self, twilio: &Twilio) -> Result<Option<Vec<T>>, TwilioError> {
        if self.left == 0 && self.pages.next.is_some() {
            return Err(TwilioError::Malformed { operation: self.pages.operation });
        }
        self.left = self.left.saturating_sub(1);
        self.pages.next(twilio).await
    }
}

/// The next page is somewhere else than this one.
struct NotOurs;

/// Credentials go where the answer says only if that is where they went before.
fn next_url(page: &Map<String, Value>, this: &Url) -> Result<Option<Url>, NotOurs> {
    let next = page.get("meta").and_then(|meta| meta.get("next_page_url")).or_else(|| page.get("next_page_uri"));
    let Some(next) = next.and_then(Value::as_str) else { return Ok(None) };
    let url = this.join(next).map_err(|_| NotOurs)?;
    if url.origin() == this.origin() { Ok(Some(url)) } else { Err(NotOurs) }
}
