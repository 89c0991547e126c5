//! Spellings that Twilio's answers share: dates as texts, and `null` for what was never set.

use serde::{Deserialize, Deserializer};

use crate::domain::Timestamp;

/// An answer of which nothing is needed.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// An ISO 8601 date; one that cannot be read, or is before 1970, is none.
pub(super) fn moment(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    at.as_millisecond().try_into().ok().map(Timestamp::from_millis)
}

/// A field with a date, or without one.
pub(super) fn optional_moment<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(text.as_deref().and_then(moment))
}

/// A field with a date of the older API, as in `Tue, 14 Nov 2023 22:13:20 +0000`, or without one.
pub(super) fn optional_rfc_2822<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    let at = text.and_then(|text| jiff::fmt::rfc2822::parse(&text).ok());
    Ok(at.and_then(|at| at.timestamp().as_millisecond().try_into().ok()).map(Timestamp::from_millis))
}

/// A field whose default stands for `null`.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_to_the_millisecond_and_nonsense_is_none() {
        for (text, millis) in [
            ("2023-11-14T22:13:20Z", Some(1_700_000_000_000)),
            ("2023-11-14T22:13:20.123Z", Some(1_700_000_000_123)),
            ("2023-11-14T23:13:20+01:00", Some(1_700_000_000_000)),
            ("1969-12-31T23:59:59Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(moment(text), millis.map(Timestamp::from_millis), "{text}");
        }
    }
}
