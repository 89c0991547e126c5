//! The user part of a SIP URI: what stands before the `@` in `sip:anna@example.com`.

use std::{fmt, str::FromStr};

/// The longest user in bytes, unescaped. Twilio takes SIP addresses of at most 255 characters, host and parameters
/// included, and an escaped byte takes three.
pub const MAX_USER: usize = 64;

/// A user (RFC 3261 §25.1, `user`), held unescaped, as a registrar compares addresses-of-record (§10.3, step 5): `%61nna`
/// is `anna`, `Anna` is somebody else (§19.1.4). `Display` escapes what has to be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User(Box<str>);

/// Why a text is not the user part of a SIP URI. It never repeats the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserError {
    #[error("a SIP user is not empty")]
    Empty,
    #[error("a SIP user has at most {MAX_USER} bytes")]
    TooLong,
    #[error("a SIP user has letters, digits and -_.!~*'()&=+$,;?/ only, all else escaped as in %40")]
    Character,
    #[error("in a SIP user two hexadecimal digits follow a percent sign")]
    Escape,
    #[error("a SIP user is UTF-8 without control characters once it is unescaped")]
    Text,
}

impl User {
    /// A user as [`User::as_str`] gave it.
    pub fn unescaped(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= MAX_USER && !text.contains(char::is_control);
        fits.then(|| Self(text.into()))
    }

    /// The user without escapes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for User {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let mut user = Vec::with_capacity(text.len().min(MAX_USER));
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            if user.len() == MAX_USER {
                return Err(UserError::TooLong);
            }
            user.push(match byte {
                b'%' => escaped(bytes.next(), bytes.next()).ok_or(UserError::Escape)?,
                plain if is_plain(plain) => plain,
                _ => return Err(UserError::Character),
            });
        }
        let user = String::from_utf8(user).map_err(|_| UserError::Text)?;
        match user.as_str() {
            "" => Err(UserError::Empty),
            user if user.contains(char::is_control) => Err(UserError::Text),
            user => Ok(Self(user.into())),
        }
    }
}

fn escaped(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// RFC 3261 §25.1: `unreserved` and `user-unreserved`.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')')
        || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',' | b';' | b'?' | b'/')
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.bytes() {
            if is_plain(byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(text: &str) -> User {
        text.parse().unwrap()
    }

    #[test]
    fn every_character_that_the_grammar_allows_is_taken_as_it_is() {
        for text in ["anna", "+4915112345678", "a-_.!~*'()", "&=+$,;?/"] {
            assert_eq!(user(text).as_str(), text);
            assert_eq!(user(text).to_string(), text);
        }
    }

    #[test]
    fn whatever_else_stands_there_is_refused() {
        for (text, error) in [
            ("", UserError::Empty),
            ("a@b", UserError::Character),
            ("a:b", UserError::Character),
            ("a b", UserError::Character),
            ("änna", UserError::Character),
            ("<anna>", UserError::Character),
            ("a%", UserError::Escape),
            ("a%4", UserError::Escape),
            ("a%4g", UserError::Escape),
            ("a%+4", UserError::Escape),
            ("a%00", UserError::Text),
            ("a%0d%0ab", UserError::Text),
            ("a%ff", UserError::Text),
        ] {
            assert_eq!(text.parse::<User>(), Err(error), "{text}");
        }
    }

    #[test]
    fn users_are_compared_unescaped_and_by_case() {
        assert_eq!(user("%61nna"), user("anna"));
        assert_eq!(user("a%40b"), user("a%40b"));
        assert_eq!(user("%c3%a4nna").as_str(), "änna");
        assert_eq!(user("%c3%a4nna"), user("%C3%A4nna"));
        assert_ne!(user("Anna"), user("anna"));
    }

    #[test]
    fn the_limit_counts_unescaped_bytes() {
        assert!("%61".repeat(MAX_USER).parse::<User>().is_ok());
        assert_eq!("a".repeat(MAX_USER + 1).parse::<User>(), Err(UserError::TooLong));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_the_same_user(text in "[!-~]{1,30}|(%[0-9a-f]{2}){1,9}|\\PC{0,30}") {
            if let Ok(user) = text.parse::<User>() {
                prop_assert_eq!(user.to_string().parse::<User>(), Ok(user));
            }
        }

        /// rsip's opinion counts on where the user begins and ends: it keeps escapes as they are, and finds no user that
        /// has a dot in it.
        #[test]
        fn rsip_finds_the_same_user_in_a_uri(text in "[A-Za-z0-9+_~!*'()&=$,;?/-]{1,30}(%[46][0-9A-F]){0,3}") {
            let user = text.parse::<User>().unwrap();
            let uri = rsip::Uri::try_from(format!("sip:{user}@example.com").as_str()).unwrap();
            prop_assert_eq!(uri.user().map(str::parse::<User>), Some(Ok(user)));
        }
    }
}
