//! How a single value is read from TOML or from an environment variable, and shown again.

use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use ipnet::IpNet;
use offdesk_sip::media::PortRange;
use toml::Value;

use super::{
    BaseUrl,
    login::Rate,
    push::{AllowedHost, Subject},
    sip::{SipDomain, SipTarget},
};
use crate::domain::{AccountSid, ApiKeySid, E164, Privacy, RingTarget, VerifyServiceSid, WorkspaceSid};

/// A type that a key may have. What [`Setting::read`] says when it refuses completes "… : " and never repeats the value,
/// which may be a secret in the wrong place.
pub(super) trait Setting: Sized {
    fn read(value: &Value) -> Result<Self, String>;

    fn show(&self) -> Value;

    /// The TOML that an environment variable's text stands for.
    fn spelled(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

/// A setting that is one of a few words.
macro_rules! choices {
    ($($(#[$doc:meta])* $vis:vis $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $crate::config::value::Setting for $name {
            fn read(value: &toml::Value) -> Result<Self, String> {
                match value.as_str() {
                    $(Some($word) => Ok(Self::$variant),)+
                    _ => Err(format!("expected one of {}", [$(concat!("\"", $word, "\"")),+].join(", "))),
                }
            }

            fn show(&self) -> toml::Value {
                match self {
                    $(Self::$variant => toml::Value::from($word),)+
                }
            }
        }
    )+};
}
pub(super) use choices;

/// A setting that is a text which its type understands.
macro_rules! texts {
    ($($name:ty, $expected:literal;)+) => {$(
        impl Setting for $name {
            fn read(value: &Value) -> Result<Self, String> {
                let parsed = value.as_str().and_then(|text| <$name>::from_str(text).ok());
                parsed.ok_or_else(|| concat!("expected ", $expected).to_owned())
            }

            fn show(&self) -> Value {
                Value::String(self.to_string())
            }
        }
    )+};
}

texts! {
    SocketAddr, "an IP address and a port, as in \"127.0.0.1:8080\" or \"[::1]:0\"";
    IpAddr, "an IP address, as in \"203.0.113.10\"";
    SipTarget, "host[:port], and behind that ;transport=tcp or ;transport=tls, as in \"gw.example.com:5061;transport=tls\"; ;secure=true, which asks for SRTP, is not in this version";
    PortRange, "a range of ports from 1024 to 65535, as in \"20000-29999\", with room for two pairs";
    SipDomain, "a host name, as in \"gw.example.com\"";
    E164, "a phone number in E.164 form, as in \"+4915112345678\"";
    AccountSid, "an account sid: AC and 32 letters or digits";
    ApiKeySid, "the sid of an API key: SK and 32 letters or digits";
    VerifyServiceSid, "the sid of a Verify service: VA and 32 letters or digits";
    WorkspaceSid, "a workspace sid: WS and 32 letters or digits";
    AllowedHost, "hosts in lower case, as in \"push.example.com\" or \"*.example.com\", or origins that begin with their scheme";
    Subject, "an address that begins with mailto: or https://, as in \"mailto:ops@example.com\"";
    RingTarget, "\"sip\" or \"pstn\"";
    Privacy, "one of \"full\", \"sender\", \"none\"";
    Rate, "a number of times and a unit of time (s, min, h or d), as in \"5/h\"";
}

impl Setting for BaseUrl {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_str().ok_or("expected a URL")?.parse()
    }

    fn show(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Setting for String {
    fn read(value: &Value) -> Result<Self, String> {
        let text = value.as_str().ok_or("expected a text")?;
        if text.trim().is_empty() || text.contains(char::is_control) {
            return Err("expected a text that is not empty and has no control characters".into());
        }
        Ok(text.to_owned())
    }

    fn show(&self) -> Value {
        Value::from(self.as_str())
    }
}

impl Setting for PathBuf {
    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str() {
            Some(text) if !text.is_empty() && !text.contains('\0') => Ok(text.into()),
            _ => Err("expected the path of a file or folder".into()),
        }
    }

    fn show(&self) -> Value {
        Value::String(self.to_string_lossy().into_owned())
    }
}

/// Single addresses are networks of one.
impl Setting for IpNet {
    fn read(value: &Value) -> Result<Self, String> {
        let text = value.as_str().unwrap_or_default();
        let parsed = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(Self::from));
        parsed.ok_or_else(|| "expected networks in CIDR form, as in \"10.0.0.0/8\"".into())
    }

    fn show(&self) -> Value {
        Value::String(self.to_string())
    }
}

impl Setting for Duration {
    fn read(value: &Value) -> Result<Self, String> {
        let parsed = value.as_str().and_then(|text| humantime::parse_duration(text).ok());
        parsed.ok_or_else(|| "expected a duration with its unit, as in \"20s\" or \"7d\"".into())
    }

    fn show(&self) -> Value {
        Value::String(humantime::format_duration(*self).to_string())
    }
}

impl Setting for bool {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_bool().ok_or_else(|| "expected true or false".into())
    }

    fn show(&self) -> Value {
        Value::Boolean(*self)
    }

    fn spelled(text: &str) -> Value {
        text.parse().map_or_else(|_| Value::from(text), Value::Boolean)
    }
}

impl Setting for u32 {
    fn read(value: &Value) -> Result<Self, String> {
        let number = value.as_integer().and_then(|number| Self::try_from(number).ok());
        number.ok_or_else(|| "expected a whole number, not negative".into())
    }

    fn show(&self) -> Value {
        Value::Integer((*self).into())
    }

    fn spelled(text: &str) -> Value {
        text.parse().map_or_else(|_| Value::from(text), Value::Integer)
    }
}

/// In the environment: a TOML array, or its items with commas between them.
impl<T: Setting> Setting for Vec<T> {
    fn read(value: &Value) -> Result<Self, String> {
        value.as_array().ok_or("expected a list")?.iter().map(T::read).collect()
    }

    fn show(&self) -> Value {
        Value::Array(self.iter().map(T::show).collect())
    }

    fn spelled(text: &str) -> Value {
        if text.trim_start().starts_with('[') {
            let wrapped = format!("list = {text}").parse::<toml::Table>();
            return wrapped.ok().and_then(|mut table| table.remove("list")).unwrap_or_else(|| Value::from(text));
        }
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        Value::Array(items.map(T::spelled).collect())
    }
}
