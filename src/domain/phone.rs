//! Telephone numbers.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Why a text is no telephone number. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a phone number in E.164 form: a plus sign, the country code and the number, 7 to 15 digits in all, as in +4915112345678"
)]
pub struct PhoneError;

/// A number in E.164 form (ITU-T E.164, at most 15 digits). `Debug` shows its end alone: numbers are personal data and
/// stay out of logs; `Display` is for those who call it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(Box<str>);

impl E164 {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for E164 {
    type Err = PhoneError;

    fn from_str(text: &str) -> Result<Self, PhoneError> {
        let digits = text.strip_prefix('+').ok_or(PhoneError)?;
        let well_formed = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if well_formed { Ok(Self(text.into())) } else { Err(PhoneError) }
    }
}

impl TryFrom<String> for E164 {
    type Error = PhoneError;

    fn try_from(text: String) -> Result<Self, PhoneError> {
        text.parse()
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0.into()
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E164(…{})", &self.0[self.0.len() - 2..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_full_international_form_is_a_number() {
        for good in ["+15550100", "+4915112345678", "+123456789012345"] {
            assert_eq!(good.parse::<E164>().unwrap().as_str(), good);
        }
        for bad in
            ["", "+", "15550100", "+05550100", "+1555", "+1234567890123456", "+1 555 0100", "+1555010x", "+١٢٣٤٥٦٧٨"]
        {
            assert!(bad.parse::<E164>().is_err(), "{bad}");
        }
    }

    #[test]
    fn debug_output_keeps_the_number_to_itself() {
        assert_eq!(format!("{:?}", "+4915112345678".parse::<E164>().unwrap()), "E164(…78)");
    }
}
