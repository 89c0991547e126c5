//! Parameters: `;name=value` behind an address, in a Via, or in a URI.

use std::borrow::Cow;

use super::scan::{Scanner, escapes_are_whole, is_token, is_uri_param};

/// Parameters that were found to be well formed. Names are compared without case; of two with one name the first counts.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Params<'a> {
    text: &'a str,
}

/// One parameter. A value in quotes keeps them: [`Param::unquoted`] takes them off.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    pub name: &'a str,
    /// None: the name stands alone, as in `;lr`.
    pub value: Option<&'a str>,
}

/// What a header's parameter has behind its `=` (`gen-value` of RFC 3261 §25.1), and what is seen there in the field.
const fn is_value(byte: u8) -> bool {
    is_token(byte) || matches!(byte, b'[' | b']' | b':' | b'/' | b'@' | b'&' | b'$')
}

impl<'a> Params<'a> {
    /// As they were read before.
    pub(crate) const fn known(text: &'a str) -> Self {
        Self { text }
    }

    /// Reads what follows an address or a Via: `*( SEMI generic-param )`, with white space wherever it may be.
    pub(crate) fn of_header(scanner: &mut Scanner<'a>) -> Option<Self> {
        let text = scanner.rest();
        while scanner.separator(b';') {
            scanner.token()?;
            if !scanner.separator(b'=') {
                continue;
            }
            if scanner.peek() == Some(b'"') {
                scanner.quoted()?;
            } else if scanner.take_while(is_value).is_empty() {
                return None;
            }
        }
        text.get(..text.len() - scanner.rest().len()).map(Self::known)
    }

    /// Reads what follows a URI's host: `*( ";" pname [ "=" pvalue ] )`, without white space.
    pub(crate) fn of_uri(scanner: &mut Scanner<'a>) -> Option<Self> {
        let text = scanner.rest();
        while scanner.eat(b';') {
            if scanner.take_while(is_uri_param).is_empty()
                || scanner.eat(b'=') && scanner.take_while(is_uri_param).is_empty()
            {
                return None;
            }
        }
        let text = text.get(..text.len() - scanner.rest().len())?;
        escapes_are_whole(text).then_some(Self { text })
    }

    /// As they stand in the message, from the first `;` on.
    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Every parameter, in order.
    pub fn iter(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut scanner = Scanner::new(self.text);
        std::iter::from_fn(move || {
            if !scanner.separator(b';') {
                return None;
            }
            let name = scanner.take_while(|byte| !matches!(byte, b'=' | b';' | b' ' | b'\t'));
            let value = scanner.separator(b'=').then(|| {
                let quoted = scanner.quoted();
                quoted.unwrap_or_else(|| scanner.take_while(|byte| !matches!(byte, b';' | b' ' | b'\t')))
            });
            Some(Param { name, value })
        })
    }

    pub fn get(&self, name: &str) -> Option<Param<'a>> {
        if self.text.is_empty() {
            return None;
        }
        self.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    /// The value of that name, with its quotes if it has some.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        self.get(name)?.value
    }

    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
}

impl<'a> Param<'a> {
    /// Whether it says how to wake a phone (RFC 8599 §4.1); names count in any case.
    pub(crate) fn is_push(&self) -> bool {
        self.name.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("pn-"))
    }

    /// The value without its quotes and the backslashes in them.
    pub fn unquoted(&self) -> Option<Cow<'a, str>> {
        self.value.map(unquote)
    }
}

/// What a quoted string says (RFC 3261 §25.1, `quoted-string`); other text is left as it is.
pub(crate) fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return Cow::Borrowed(text);
    };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut said = String::with_capacity(inner.len());
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        said.extend(if character == '\\' { characters.next() } else { Some(character) });
    }
    Cow::Owned(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_header(text: &str) -> Option<Params<'_>> {
        let mut scanner = Scanner::new(text);
        let params = Params::of_header(&mut scanner)?;
        scanner.is_done().then_some(params)
    }

    #[test]
    fn a_parameter_is_found_whatever_stands_round_it() {
        let params = of_header("; tag = 1;lr ;+SIP.instance=\"<urn:uuid:00;\\\"00>\";received=[::1]").unwrap();
        assert_eq!(params.value("TAG"), Some("1"));
        assert_eq!(params.get("lr"), Some(Param { name: "lr", value: None }));
        assert_eq!(params.get("+sip.instance").unwrap().unquoted().unwrap(), "<urn:uuid:00;\"00>");
        assert_eq!(params.value("received"), Some("[::1]"));
        assert!(!params.has("sip.instance"));
        assert_eq!(params.iter().count(), 4);
    }

    #[test]
    fn parameters_without_a_name_or_a_value_are_refused() {
        for text in [";", ";;", ";a;;b", ";a=", ";a=\"", ";a=;b", ";=1", ";a=<b>"] {
            assert_eq!(of_header(text), None, "{text}");
        }
        for text in [";", ";;", ";a=", "; a", ";a=\"b\"", ";a=%4", ";a =b"] {
            let mut scanner = Scanner::new(text);
            let whole = Params::of_uri(&mut scanner).is_some() && scanner.is_done();
            assert!(!whole, "{text}");
        }
    }
}
