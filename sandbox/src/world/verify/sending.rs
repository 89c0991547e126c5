//! A code is sent, tried, and given up.

use aws_lc_rs::digest;

use super::{
    CodeChannel, CodeDelivery, CodeSent, VERIFICATIONS_KEPT, Verification, VerificationStatus as Status, invalid,
};
use crate::{
    rest::error::Refusal,
    world::{Done, World, sid::Sid},
};

/// One code is sent so often, and tried so often.
const SENDINGS: usize = 5;
const CHECKS: u32 = 5;

/// What a verification is asked for with.
pub(crate) struct NewVerification {
    pub(crate) to: String,
    pub(crate) channel: CodeChannel,
    pub(crate) locale: Option<String>,
    /// Unique names of rate limits, and the values that are counted by.
    pub(crate) rate_limits: Vec<(String, String)>,
}

impl World {
    /// Sends a code; while an earlier one for the same number is open, that one again.
    pub(crate) fn send_code(&mut self, service: &Sid, wanted: NewVerification) -> Done<Sid> {
        if !is_e164(&wanted.to) {
            return Err(invalid("To"));
        }
        if wanted.locale.as_deref().is_some_and(|locale| !is_locale(locale)) {
            return Err(invalid("Locale"));
        }
        match (self.verify.troubled.get(&wanted.to).copied().unwrap_or_default(), wanted.channel) {
            (CodeDelivery::Blocked, _) => {
                let message = "The destination phone number has been temporarily blocked by Twilio";
                return Err(Refusal::new(403, 60410, message));
            }
            (CodeDelivery::Landline, CodeChannel::Sms | CodeChannel::Whatsapp) => {
                return Err(Refusal::new(403, 60205, "SMS is not supported by landline phone number"));
            }
            _ => {}
        }
        let open = self.open_verification(service, &wanted.to).map(|row| (row.sid.clone(), row.sendings.len()));
        if open.as_ref().is_some_and(|(_, sendings)| *sendings >= SENDINGS) {
            return Err(Refusal::new(429, 60203, "Max send attempts reached"));
        }
        self.count_sending(service, wanted.rate_limits)?;
        let sid = match open {
            Some((sid, _)) => sid,
            None => self.new_verification(service, &wanted.to, wanted.channel),
        };
        let attempt = self.make_sid("VL");
        if let Some(row) = self.verify.verifications.get_mut(&sid) {
            row.channel = wanted.channel;
            row.locale.clone_from(&wanted.locale);
            row.updated = self.now;
            row.sendings.push((self.now, wanted.channel, attempt));
            let (to, code) = (wanted.to, row.code.clone());
            self.verify.sent.push(CodeSent { to, channel: wanted.channel, locale: wanted.locale, code });
        }
        Ok(sid)
    }

    fn new_verification(&mut self, service: &Sid, to: &str, channel: CodeChannel) -> Sid {
        let oldest = self.verify.verifications.iter().next().map(|row| row.sid.clone());
        if let Some(oldest) = oldest.filter(|_| self.verify.verifications.len() >= VERIFICATIONS_KEPT) {
            self.verify.verifications.remove(&oldest);
        }
        let sid = self.make_sid("VE");
        let length = self.verify.services.get(service).map_or(super::CODE_LENGTH, |row| row.code_length);
        self.verify.verifications.add(Verification {
            code: code_of(&sid, length),
            sid: sid.clone(),
            service: service.clone(),
            to: to.to_owned(),
            channel,
            locale: None,
            status: Status::Pending,
            sendings: Vec::new(),
            checks: 0,
            created: self.now,
            updated: self.now,
        });
        sid
    }

    /// Tries a code. Whether it was right is in the row that is returned.
    pub(crate) fn check_code(&mut self, verification: &Sid, code: &str) -> Done {
        let now = self.now;
        let row = self.verify.verifications.get_mut(verification).filter(|row| row.is_open(now));
        let row = row.ok_or_else(Refusal::not_found)?;
        if row.checks >= CHECKS {
            row.status = Status::MaxAttemptsReached;
            return Err(Refusal::new(429, 60202, "Max check attempts reached"));
        }
        row.checks += 1;
        row.updated = now;
        if row.code == code {
            row.status = Status::Approved;
        }
        Ok(())
    }

    /// A client cancels or approves a verification.
    pub(crate) fn settle_verification(&mut self, verification: &Sid, to: Status) -> Done {
        let now = self.now;
        let row = self.verify.verifications.get_mut(verification).filter(|row| row.is_open(now));
        let row = row.ok_or_else(Refusal::not_found)?;
        row.status = to;
        row.updated = now;
        Ok(())
    }

    /// The verification that is under way for a number.
    pub(crate) fn open_verification(&self, service: &Sid, to: &str) -> Option<&Verification> {
        let fits = |row: &&Verification| row.service == *service && row.to == to && row.is_open(self.now);
        self.verify.verifications.iter().rfind(fits)
    }

    /// One that is under way, by its sid or its number.
    pub(crate) fn find_verification(&self, service: &Sid, sid_or_number: &str) -> Option<&Verification> {
        let by_sid = self.verify.verifications.get(&Sid::from(sid_or_number));
        let by_sid = by_sid.filter(|row| row.service == *service && row.is_open(self.now));
        by_sid.or_else(|| self.open_verification(service, sid_or_number))
    }
}

/// Digits that follow from the verification's sid, and look as random.
fn code_of(sid: &Sid, length: u64) -> String {
    let hash = digest::digest(&digest::SHA256, format!("code of {sid}").as_bytes());
    let digits = hash.as_ref().iter().map(|byte| char::from(b'0' + byte % 10));
    digits.take(usize::try_from(length).unwrap_or(usize::MAX)).collect()
}

fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `de` or `pt-BR`.
fn is_locale(locale: &str) -> bool {
    let (language, region) = locale.split_once('-').unwrap_or((locale, "XX"));
    let of = |word: &str, is: fn(&u8) -> bool| word.len() == 2 && word.as_bytes().iter().all(is);
    of(language, u8::is_ascii_lowercase) && of(region, u8::is_ascii_uppercase)
}
