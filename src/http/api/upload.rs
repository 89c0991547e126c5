//! A message with a file, as a form of several parts (RFC 7578): a part with a file name, and perhaps a part `body`.

use std::future::ready;

use super::{Api, failure::Failure};
use crate::domain::MediaSid;
use actix_multipart::{Field, Multipart, MultipartError};
use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, http::header, web};
use futures_util::{TryStreamExt, future::LocalBoxFuture};
use serde::de::DeserializeOwned;

/// A file's largest size, in bytes: what the phone networks and WhatsApp carry is less.
const MAX_FILE: usize = 10 * 1024 * 1024;
/// A text's, in such a form.
const MAX_TEXT: usize = 32 * 1024;
/// Parts at most.
const MAX_PARTS: usize = 4;

/// A form that was not read yet.
pub(super) struct Upload(Multipart);

/// A file that an agent sends.
pub(super) struct File {
    content_type: String,
    name: Option<String>,
    bytes: web::Bytes,
}

/// A message as it comes: a text as JSON, or a form, which is read later and part by part.
pub(super) enum Posted<T> {
    Json(web::Json<T>),
    Form(Upload),
}

impl<T: DeserializeOwned + 'static> FromRequest for Posted<T> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        const NEITHER: Failure =
            Failure::Malformed("expected JSON with a \"body\", or multipart/form-data with a file");
        let kind = request.headers().get(header::CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
        match kind {
            Some(kind) if kind.starts_with(b"multipart/") => {
                let form = Self::Form(Upload(Multipart::new(request.headers(), payload.take())));
                Box::pin(ready(Ok(form)))
            }
            Some(_) => {
                let json = web::Json::from_request(request, payload);
                Box::pin(async move { json.await.map(Self::Json) })
            }
            None => Box::pin(ready(Err(NEITHER.into()))),
        }
    }
}

impl File {
    /// What makes it this file: its type, its name, and what is in it.
    pub(super) fn parts(&self) -> (&str, &str, &[u8]) {
        (&self.content_type, self.name.as_deref().unwrap_or_default(), &self.bytes)
    }
}

impl Upload {
    /// The text and the file, as far as they are there.
    pub(super) async fn read(mut self) -> Result<(Option<String>, Option<File>), Failure> {
        let (mut text, mut file) = (None, None);
        for _ in 0..MAX_PARTS {
            let Some(mut part) = self.0.try_next().await.map_err(|error| broken(&error))? else {
                return Ok((text, file));
            };
            let disposition = part.content_disposition().cloned();
            let name = disposition.as_ref().and_then(|one| one.get_filename()).map(str::to_owned);
            match (name, disposition.as_ref().and_then(|one| one.get_name())) {
                (Some(name), _) if file.is_none() => file = Some(read_file(&mut part, name).await?),
                (None, Some("body")) if text.is_none() => text = Some(read_text(&mut part).await?),
                _ => return Err(Failure::Invalid("expected one file, and perhaps one text called \"body\"")),
            }
        }
        Err(Failure::Invalid("the form has too many parts"))
    }
}

async fn read_file(part: &mut Field, name: String) -> Result<File, Failure> {
    let content_type = part.content_type().map_or_else(|| "application/octet-stream".to_owned(), ToString::to_string);
    let bytes = whole(part, MAX_FILE, "a file has 10 MB at most").await?;
    if bytes.is_empty() {
        return Err(Failure::Invalid("the file is empty"));
    }
    Ok(File { content_type, name: Some(name).filter(|name| !name.is_empty()), bytes })
}

async fn read_text(part: &mut Field) -> Result<String, Failure> {
    let bytes = whole(part, MAX_TEXT, "a message has 32 KB at most").await?;
    String::from_utf8(bytes.into()).map_err(|_| Failure::Invalid("the text is not UTF-8"))
}

async fn whole(part: &mut Field, limit: usize, too_large: &'static str) -> Result<web::Bytes, Failure> {
    match part.bytes(limit).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => Err(broken(&error)),
        Err(_) => Err(Failure::TooLarge(too_large)),
    }
}

fn broken(_: &MultipartError) -> Failure {
    Failure::Malformed("the form did not arrive whole, or is none")
}

/// Hands a file to Twilio; a message then names it.
pub(super) async fn to_twilio(api: &Api, file: File) -> Result<MediaSid, Failure> {
    let service = api.facts.chat_service_sid().await?;
    Ok(api.twilio.upload_media(&service, &file.content_type, file.name.as_deref(), file.bytes).await?)
}
