//! A form as Twilio posts it, decoded once: the signature and the event are both read from here.

use std::borrow::Cow;

/// More fields than any webhook of Twilio has: what is checked before the signature must stay cheap.
const MAX_FIELDS: usize = 512;

/// The body holds more than 512 fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a form of more than {MAX_FIELDS} fields")]
pub struct TooManyFields;

/// The fields of an `application/x-www-form-urlencoded` text, in their order. It has no `Debug`: they are personal data.
#[derive(Clone, Default)]
pub struct Form<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

impl<'a> Form<'a> {
    /// Reads a body, or the query of a URL. Bytes that are no UTF-8 become U+FFFD, as everywhere in this encoding
    /// (<https://url.spec.whatwg.org/#urlencoded-parsing>).
    ///
    /// # Errors
    /// [`TooManyFields`]; any other bytes are a form.
    pub fn parse(text: &'a [u8]) -> Result<Self, TooManyFields> {
        let fields = text.split(|byte| *byte == b'&').filter(|field| !field.is_empty());
        let pairs: Vec<_> = fields.take(MAX_FIELDS + 1).map(pair).collect();
        if pairs.len() > MAX_FIELDS { Err(TooManyFields) } else { Ok(Self { pairs }) }
    }

    /// The first value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// Every name with its value, repeated names included.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }
}

fn pair(field: &[u8]) -> (Cow<'_, str>, Cow<'_, str>) {
    match field.iter().position(|byte| *byte == b'=') {
        Some(at) => (decode(&field[..at]), decode(&field[at + 1..])),
        None => (decode(field), Cow::Borrowed("")),
    }
}

/// In one go over the bytes, where `form_urlencoded` takes three: a webhook's body is decoded before anybody knows
/// whether it is Twilio's.
fn decode(text: &[u8]) -> Cow<'_, str> {
    let Some(plain) = text.iter().position(|byte| matches!(byte, b'+' | b'%')) else {
        return String::from_utf8_lossy(text);
    };
    let mut decoded = Vec::with_capacity(text.len());
    decoded.extend_from_slice(&text[..plain]);
    let mut left = &text[plain..];
    while let [first, rest @ ..] = left {
        left = rest;
        match (first, rest) {
            (b'+', _) => decoded.push(b' '),
            (b'%', [high, low, behind @ ..]) if let (Some(high), Some(low)) = (digit(*high), digit(*low)) => {
                decoded.push(high << 4 | low);
                left = behind;
            }
            _ => decoded.push(*first),
        }
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()).into()
}

fn digit(hex: u8) -> Option<u8> {
    char::from(hex).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_field_is_decoded_and_keeps_its_place() {
        let form = Form::parse(b"To=%2B1555&Name=J+%C3%B6&Empty=&To=x").unwrap();
        assert_eq!(form.get("Name"), Some("J ö"));
        assert_eq!(form.get("Empty"), Some(""));
        assert_eq!(form.get("None"), None);
        assert_eq!(
            form.iter().filter(|(name, _)| *name == "To").map(|(_, value)| value).collect::<Vec<_>>(),
            ["+1555", "x"]
        );
    }

    #[test]
    fn a_form_with_too_many_fields_is_refused() {
        let fields = |count: usize| vec!["a"; count].join("&");
        assert!(Form::parse(fields(MAX_FIELDS).as_bytes()).is_ok());
        assert_eq!(Form::parse(fields(MAX_FIELDS + 1).as_bytes()).err(), Some(TooManyFields));
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_the_standard_says(text in "[a%&=+0-9fF\\PC]*", bytes: Vec<u8>) {
            for text in [text.as_bytes(), &bytes] {
                let form = Form::parse(text).unwrap();
                let expected: Vec<_> = form_urlencoded::parse(text).collect();
                prop_assert_eq!(form.pairs, expected);
            }
        }
    }
}
