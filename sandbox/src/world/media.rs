//! Files in conversations, as the Media Content Service keeps them
//! (<https://www.twilio.com/docs/conversations/api/media-resource>).

use std::sync::Arc;

use aws_lc_rs::hmac;

use super::{Done, World, sid::Sid};
use crate::rest::error::Refusal;

/// The largest file. Twilio takes up to 150 MB; this is enough for tests.
pub(crate) const MAX_FILE: usize = 16 * 1024 * 1024;
/// So many files are kept, and so many bytes: the oldest are forgotten, whether a message shows them or not.
const FILES_KEPT: usize = 1_000;
const BYTES_KEPT: usize = 128 * 1024 * 1024;
/// How long a link to a file's content is good.
const LINK_MS: u64 = 300_000;

#[derive(Debug)]
pub(crate) struct MediaFile {
    /// `ME…`
    pub(crate) sid: Sid,
    pub(crate) content_type: String,
    pub(crate) filename: Option<String>,
    pub(crate) bytes: Arc<[u8]>,
    /// The conversation and the message that show it; each file is shown once.
    pub(crate) shown: Option<(Sid, Sid)>,
    pub(crate) created: u64,
}

#[derive(Debug)]
pub(crate) struct NewMedia {
    pub(crate) content_type: String,
    pub(crate) filename: Option<String>,
    pub(crate) bytes: Arc<[u8]>,
}

impl World {
    pub(crate) fn store_media(&mut self, new: NewMedia) -> Done<Sid> {
        if new.bytes.is_empty() || new.bytes.len() > MAX_FILE {
            return Err(Refusal::invalid("The file is empty or too large"));
        }
        self.make_room_for_media(new.bytes.len());
        let sid = self.make_sid("ME");
        self.media.add(MediaFile {
            sid: sid.clone(),
            content_type: new.content_type,
            filename: new.filename,
            bytes: new.bytes,
            shown: None,
            created: self.now,
        });
        Ok(sid)
    }

    fn make_room_for_media(&mut self, size: usize) {
        let mut bytes: usize = self.media.iter().map(|file| file.bytes.len()).sum();
        while self.media.len() >= FILES_KEPT || bytes + size > BYTES_KEPT {
            let Some(oldest) = self.media.iter().next().map(|file| file.sid.clone()) else { return };
            bytes -= self.media.remove(&oldest).map_or(0, |file| file.bytes.len());
        }
    }

    /// Binds files to the message that shows them.
    pub(super) fn attach_media(&mut self, media: &[Sid], conversation: &Sid, message: &Sid) -> Done {
        let free = |sid: &Sid| self.media.get(sid).is_some_and(|file| file.shown.is_none());
        if !media.iter().all(free) {
            return Err(Refusal::invalid("Invalid MediaSid: there is no such file, or a message shows it already"));
        }
        for sid in media {
            if let Some(file) = self.media.get_mut(sid) {
                file.shown = Some((conversation.clone(), message.clone()));
            }
        }
        Ok(())
    }

    /// Until when a link made now is good, and what proves that it was made here.
    pub(crate) fn sign_media_link(&self, sid: &Sid) -> (u64, String) {
        let expires = self.now + LINK_MS;
        (expires, hex(hmac::sign(&self.media_key, link_text(sid, expires).as_bytes()).as_ref()))
    }

    /// The file that a link means, if the link is good.
    pub(crate) fn media_by_link(&self, sid: &Sid, expires: u64, signature: &str) -> Option<&MediaFile> {
        let wanted = hmac::sign(&self.media_key, link_text(sid, expires).as_bytes());
        let genuine =
            aws_lc_rs::constant_time::verify_slices_are_equal(hex(wanted.as_ref()).as_bytes(), signature.as_bytes());
        self.media.get(sid).filter(|_| genuine.is_ok() && self.now < expires)
    }
}

fn link_text(sid: &Sid, expires: u64) -> String {
    format!("media {sid} until {expires}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
