//! The names of headers.

macro_rules! names {
    ($($name:ident $text:literal $($compact:literal)?;)*) => {
        /// A header's name. Its case does not count, and a compact form (RFC 3261 §7.3.3) is the same name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Name {
            $(#[doc = $text] $name,)*
            /// One that Offdesk has no use for.
            Other,
        }

        const LONG: &[(Name, &str)] = &[$((Name::$name, $text),)*];

        impl Name {
            /// As it is written; the text of [`Name::Other`] stands in the message only.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                    Self::Other => "",
                }
            }

            const fn compact(letter: u8) -> Self {
                match letter {
                    $($($compact => Self::$name,)?)*
                    _ => Self::Other,
                }
            }
        }
    };
}

// By length, so that a name is compared with the few of its own length only.
names! {
    To "To" b't';
    Via "Via" b'v';
    From "From" b'f';
    CSeq "CSeq";
    Date "Date";
    Path "Path";
    RAck "RAck";
    RSeq "RSeq";
    Allow "Allow";
    Event "Event" b'o';
    Route "Route";
    MinSe "Min-SE";
    Accept "Accept";
    Reason "Reason";
    Server "Server";
    CallId "Call-ID" b'i';
    Contact "Contact" b'm';
    Expires "Expires";
    Privacy "Privacy";
    Require "Require";
    Subject "Subject" b's';
    Warning "Warning";
    ReferTo "Refer-To" b'r';
    Identity "Identity" b'y';
    Replaces "Replaces";
    Diversion "Diversion";
    Supported "Supported" b'k';
    FlowTimer "Flow-Timer";
    UserAgent "User-Agent";
    MinExpires "Min-Expires";
    ReferredBy "Referred-By" b'b';
    RetryAfter "Retry-After";
    Unsupported "Unsupported";
    AllowEvents "Allow-Events" b'u';
    ContentType "Content-Type" b'c';
    FeatureCaps "Feature-Caps";
    MaxForwards "Max-Forwards";
    RecordRoute "Record-Route";
    ServiceRoute "Service-Route";
    Authorization "Authorization";
    ProxyRequire "Proxy-Require";
    AcceptContact "Accept-Contact" b'a';
    ContentLength "Content-Length" b'l';
    RejectContact "Reject-Contact" b'j';
    AcceptEncoding "Accept-Encoding";
    SessionExpires "Session-Expires" b'x';
    WwwAuthenticate "WWW-Authenticate";
    ContentEncoding "Content-Encoding" b'e';
    ProxyAuthenticate "Proxy-Authenticate";
    SubscriptionState "Subscription-State";
    AuthenticationInfo "Authentication-Info";
    ContentDisposition "Content-Disposition";
    PAssertedIdentity "P-Asserted-Identity";
    ProxyAuthorization "Proxy-Authorization";
    RequestDisposition "Request-Disposition" b'd';
    PPreferredIdentity "P-Preferred-Identity";
}

const LONGEST: usize = 20;

/// Where in `LONG` the names of each length begin.
const BY_LENGTH: [u8; LONGEST + 2] = {
    let mut begin = [0; LONGEST + 2];
    let mut length = 0;
    let mut at = 0;
    while length < LONGEST + 2 {
        while at < LONG.len() && LONG[at].1.len() < length {
            at += 1;
        }
        #[allow(clippy::cast_possible_truncation, reason = "there are fewer than 256 names")]
        let first = at as u8;
        begin[length] = first;
        length += 1;
    }
    begin
};

impl Name {
    /// The name that `text` is, in its long or its compact form.
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        if let [letter] = bytes {
            return Self::compact(letter.to_ascii_lowercase());
        }
        let (Some(&from), Some(&to)) = (BY_LENGTH.get(bytes.len()), BY_LENGTH.get(bytes.len() + 1)) else {
            return Self::Other;
        };
        let of_that_length = LONG.get(usize::from(from)..usize::from(to)).unwrap_or_default();
        let found = of_that_length.iter().find(|(_, long)| long.as_bytes().eq_ignore_ascii_case(bytes));
        found.map_or(Self::Other, |(name, _)| *name)
    }

    /// Whether it may stand in a message once only, and is one value (RFC 3261 §7.3.1).
    pub const fn is_single(self) -> bool {
        matches!(
            self,
            Self::To
                | Self::From
                | Self::CallId
                | Self::CSeq
                | Self::MaxForwards
                | Self::ContentLength
                | Self::ContentType
                | Self::Expires
                | Self::MinExpires
                | Self::Event
                | Self::ReferTo
                | Self::Replaces
                | Self::SessionExpires
                | Self::MinSe
                | Self::RAck
                | Self::RSeq
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        for (name, text) in LONG {
            assert!(text.len() <= LONGEST, "{text}");
            assert_eq!(Name::of(text), *name);
            assert_eq!(Name::of(&text.to_ascii_uppercase()), *name);
            assert_eq!(Name::of(&text.to_ascii_lowercase()), *name);
            assert_eq!(name.as_str(), *text);
        }
    }

    #[test]
    fn compact_forms_are_the_same_names() {
        for (letters, name) in
            [("vV", Name::Via), ("iI", Name::CallId), ("lL", Name::ContentLength), ("cC", Name::ContentType)]
        {
            for letter in letters.chars() {
                assert_eq!(Name::of(&letter.to_string()), name);
            }
        }
        for other in ["", "z", "1", "C%6Fntact", "Vias", "X-A-Very-Long-Name-That-Nobody-Knows"] {
            assert_eq!(Name::of(other), Name::Other, "{other}");
        }
    }
}
