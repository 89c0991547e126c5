//! What wakes a phone up, as its Contact has it.

use crate::{
    engine::{Core, Now, PushToken},
    message::SipUri,
    registrar::State,
    user::User,
};

impl Core {
    /// A phone that nothing wakes any more is not waited for.
    pub(in crate::engine) fn forget_asleep(&mut self, user: &User, token: &PushToken, now: Now) {
        let Some(aor) = self.accounts.aor(user.as_str()) else { return };
        let sleeping = self.registrar.bindings(aor).filter(|record| record.state == State::Asleep);
        let dead = sleeping.filter(|record| PushToken::of_contact(record.uri).as_ref() == Some(token));
        let dead: Vec<_> = dead.map(|record| record.id).collect();
        let mut changes = Vec::new();
        dead.into_iter().for_each(|id| self.registrar.end(aor, id, now.instant, &mut changes));
        self.news.add(changes, now.instant);
    }
}

impl PushToken {
    /// Of a contact's URI. None: nothing can wake that phone.
    pub(super) fn of_contact(uri: &str) -> Option<Self> {
        let params = SipUri::parse(uri)?.params;
        let value = |name| params.value(name).map(unescape);
        let prid = value("pn-prid").filter(|prid| !prid.is_empty())?;
        Some(Self { provider: value("pn-provider")?, param: value("pn-param").unwrap_or_default(), prid })
    }
}

/// The escapes of a URI's parameter resolved (RFC 3261 §19.1.2); what is no text then stays as it was.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, behind @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
                match (digit(*high), digit(*low)) {
                    (Some(high), Some(low)) => {
                        bytes.push(high << 4 | low);
                        rest = behind;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_with_its_escapes_resolved() {
        let token = PushToken::of_contact("sip:a@h;pn-provider=fcm;pn-param=p;pn-prid=ab%3Acd:%c3%a4?x=y").unwrap();
        assert_eq!((&*token.provider, &*token.param, &*token.prid), ("fcm", "p", "ab:cd:\u{e4}"));
        assert_eq!(PushToken::of_contact("sip:a@h;pn-provider=fcm;pn-param=p"), None);
        assert_eq!(PushToken::of_contact("tel:1"), None);
        assert!(!format!("{token:?}").contains("ab"));
        assert_eq!((unescape("%ff%"), unescape("%zz%4")), ("%ff%".into(), "%zz%4".into()));
    }
}
