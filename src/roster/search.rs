//! Finding agents by what people remember of them.

use crate::domain::Profile;

/// Letters of a search that are looked at: no name is longer.
const LONGEST: usize = 254;

/// Words that are part of a name or an address, whatever their case, or digits that are part of a phone number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    text: String,
    /// Only where nothing else was written, so that "Ada 2" does not find everybody with a 2.
    digits: String,
}

impl Search {
    /// An empty text finds everybody.
    pub fn new(text: &str) -> Self {
        let text: String = text.trim().chars().take(LONGEST).collect();
        let is_number = text.chars().all(|letter| letter.is_ascii_digit() || "+-/(). ".contains(letter));
        let digits = text.chars().filter(|letter| is_number && letter.is_ascii_digit()).collect();
        Self { text: text.to_lowercase(), digits }
    }

    pub fn finds(&self, profile: &Profile) -> bool {
        self.text.is_empty()
            || contains(&profile.name, &self.text)
            || profile.email.as_deref().is_some_and(|email| contains(email, &self.text))
            || (!self.digits.is_empty() && profile.phone.as_str().contains(&self.digits))
    }
}

/// Whether a text holds a lower-case one, whatever its own case. Nothing is allocated for plain ASCII, as most names are: a
/// search looks at all of them.
fn contains(text: &str, lower: &str) -> bool {
    if text.is_ascii() {
        let (text, lower) = (text.as_bytes(), lower.as_bytes());
        text.windows(lower.len()).any(|window| window.eq_ignore_ascii_case(lower))
    } else {
        text.to_lowercase().contains(lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{AgentId, Timestamp},
        roster::Draft,
    };

    #[test]
    fn agents_are_found_by_name_mail_and_phone_whatever_the_case() {
        let json = r#"{"phone":"+4915112345678","name":"Zoë Okafor","email":"Z.Okafor@Example.com"}"#;
        let zoe = Draft::from_json(json).unwrap().into_profile(AgentId::from_bits(1), Timestamp::EPOCH);
        for (text, found) in [
            ("", true),
            ("  ", true),
            ("okafor", true),
            ("ZOË", true),
            ("oë ok", true),
            ("@example.COM", true),
            ("0 1511", false),
            ("1511", true),
            ("+49 (151) 123-456", true),
            ("+49 151 9", false),
            ("Zoe", false),
            ("Okafor 1", false),
            ("+", false),
            ("x", true),
            ("q", false),
        ] {
            assert_eq!(Search::new(text).finds(&zoe), found, "{text:?}");
        }
    }
}
