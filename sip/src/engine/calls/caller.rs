//! Who calls, as a phone shows it: the address in From.

use crate::{engine::Caller, message::Quoted, user::User};

/// More of a name fits on no display.
const MOST_NAME: usize = 80;

impl Caller {
    /// A name-addr. Without a number it is anonymous (RFC 3323 §4.1.1.3).
    pub(super) fn address(&self, domain: &str) -> Box<str> {
        let number = self.number.as_deref().and_then(User::unescaped);
        let name = self.name.as_deref().map(shown).filter(|name| !name.is_empty());
        match (name, number) {
            (Some(name), Some(number)) => format!("{} <sip:{number}@{domain}>", Quoted(&name)).into(),
            (None, Some(number)) => format!("<sip:{number}@{domain}>").into(),
            (Some(name), None) => format!("{} <sip:anonymous@anonymous.invalid>", Quoted(&name)).into(),
            (None, None) => "\"Anonymous\" <sip:anonymous@anonymous.invalid>".into(),
        }
    }
}

/// The beginning of a name, in one line.
fn shown(name: &str) -> String {
    let words = name.split(|character: char| character.is_control() || character.is_whitespace());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    line.chars().take(MOST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::message::NameAddr;

    fn caller(name: Option<&str>, number: Option<&str>) -> Caller {
        Caller { name: name.map(Into::into), number: number.map(Into::into) }
    }

    #[test]
    fn a_phone_shows_what_is_known_of_the_caller() {
        for (name, number, address) in [
            (Some("Anna"), Some("+15550100"), "\"Anna\" <sip:+15550100@gw.example.com>"),
            (Some("A \"B\" \\ C"), Some("+1"), r#""A \"B\" \\ C" <sip:+1@gw.example.com>"#),
            (Some(" \r\nVia:\tx"), Some("+1"), "\"Via: x\" <sip:+1@gw.example.com>"),
            (None, Some("+15550100"), "<sip:+15550100@gw.example.com>"),
            (Some("\n"), Some("a@b"), "<sip:a%40b@gw.example.com>"),
            (Some("Anna"), None, "\"Anna\" <sip:anonymous@anonymous.invalid>"),
            (None, Some(""), "\"Anonymous\" <sip:anonymous@anonymous.invalid>"),
            (None, None, "\"Anonymous\" <sip:anonymous@anonymous.invalid>"),
        ] {
            assert_eq!(&*caller(name, number).address("gw.example.com"), address);
        }
    }

    proptest! {
        #[test]
        fn whatever_the_name_is_it_is_one_address(name: String, number: String) {
            let address = caller(Some(&name), Some(&number)).address("gw.example.com");
            let parsed = NameAddr::parse(&address).unwrap();
            prop_assert!(parsed.tag().is_none() && !address.contains(['\r', '\n']));
            let name = shown(&name);
            prop_assert!(name.is_empty() || parsed.display_name() == name);
        }
    }
}
