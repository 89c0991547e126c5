//! Files in conversations, kept by the Media Content Service
//! (<https://www.twilio.com/docs/conversations/api/media-resource>).

use bytes::Bytes;
use serde::Deserialize;
use url::Url;

use super::client::{Product, Twilio, TwilioError};
use crate::domain::{ChatServiceSid, MediaSid};

#[derive(Deserialize)]
struct Uploaded {
    sid: MediaSid,
}

#[derive(Deserialize)]
struct Resource {
    links: Links,
}

#[derive(Deserialize)]
struct Links {
    content_direct_temporary: Url,
}

impl Twilio {
    /// Uploads a file; a message then names it. How large it may be, the caller decides: all of it is in memory, and it
    /// must be through within the client's timeout.
    ///
    /// The file's name goes as Twilio's own SDKs send it, in the query: the documents do not mention it.
    ///
    /// # Errors
    /// [`TwilioError`]. Doing it twice leaves a file that no message names, and does no harm.
    pub async fn upload_media(
        &self,
        service: &ChatServiceSid,
        content_type: &str,
        filename: Option<&str>,
        bytes: Bytes,
    ) -> Result<MediaSid, TwilioError> {
        let call = self
            .post(Product::Media, "create_media", &["v1", "Services", service.as_str(), "Media"])
            .of_file(content_type, bytes)
            .with_some("Filename", filename);
        let uploaded: Uploaded = self.send(call).await?;
        Ok(uploaded.sid)
    }

    /// Where a file can be fetched from for a few minutes, by anybody who knows the address: a secret.
    ///
    /// # Errors
    /// [`TwilioError`]; nothing is changed by it.
    pub async fn media_link(&self, service: &ChatServiceSid, media: &MediaSid) -> Result<Url, TwilioError> {
        let path = ["v1", "Services", service.as_str(), "Media", media.as_str()];
        let resource: Resource = self.send(self.get(Product::Media, "fetch_media", &path)).await?;
        Ok(resource.links.content_direct_temporary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twilio::testing::{Fake, Reply};

    const SERVICE: &str = "IS0123456789abcdef0123456789abcdef";
    const MEDIA: &str = "ME0123456789abcdef0123456789abcdef";

    async fn upload(content_type: &str, filename: Option<&str>) -> String {
        let fake = Fake::replying([Reply::ok(format!(r#"{{"sid":"{MEDIA}","links":{{}}}}"#))]).await;
        let service = SERVICE.parse().unwrap();
        let uploading = fake.client();
        let uploading = uploading.upload_media(&service, content_type, filename, Bytes::from_static(b"GIF89a&=%"));
        assert_eq!(uploading.await.unwrap().as_str(), MEDIA);
        fake.requests().remove(0)
    }

    #[tokio::test]
    async fn a_file_is_uploaded_as_it_is_under_its_name() {
        let request = upload("image/gif", Some("a b&c/é.gif")).await;
        let target = format!("/v1/Services/{SERVICE}/Media?Filename=a+b%26c%2F%C3%A9.gif");
        assert!(request.starts_with(&format!("POST {target} HTTP/1.1\r\n")), "{request}");
        assert!(request.contains("content-type: image/gif\r\n"), "{request}");
        assert!(request.ends_with("\r\n\r\nGIF89a&=%"), "{request}");
        assert!(!request.contains("x-twilio-webhook-enabled"), "{request}");
    }

    #[tokio::test]
    async fn a_type_that_is_none_is_that_of_any_bytes() {
        for content_type in ["", "gif", "image/gif\r\nX-Evil: 1", "image/gïf"] {
            let request = upload(content_type, None).await;
            assert!(request.starts_with(&format!("POST /v1/Services/{SERVICE}/Media HTTP/1.1\r\n")), "{request}");
            assert!(request.contains("content-type: application/octet-stream\r\n"), "{request}");
        }
    }

    #[tokio::test]
    async fn a_file_is_fetched_from_where_its_resource_says() {
        let link = "https://media.us1.twilio.com/ME1?Expires=1&Signature=x";
        let body = format!(r#"{{"sid":"{MEDIA}","links":{{"content":"/x","content_direct_temporary":"{link}"}}}}"#);
        let fake = Fake::replying([Reply::ok(body)]).await;
        let found = fake.client().media_link(&SERVICE.parse().unwrap(), &MEDIA.parse().unwrap()).await.unwrap();
        assert_eq!(found.as_str(), link);
        let request = fake.requests().remove(0);
        assert!(request.starts_with(&format!("GET /v1/Services/{SERVICE}/Media/{MEDIA} HTTP/1.1\r\n")), "{request}");
    }

    #[tokio::test]
    async fn a_resource_without_a_link_is_not_understood() {
        let fake = Fake::replying([Reply::ok(r#"{"links":{"content_direct_temporary":null}}"#)]).await;
        let error = fake.client().media_link(&SERVICE.parse().unwrap(), &MEDIA.parse().unwrap()).await.unwrap_err();
        assert_eq!(error, TwilioError::Malformed { operation: "fetch_media" });
    }
}
