//! Answers to challenges (RFC 3261 §22, RFC 7616, RFC 8760): the client's part of digest authentication.

use std::fmt;

use crate::{
    digest::Algorithm,
    message::{Code, Message, Method, Name, Quoted, scan::Scanner, unquote},
};

/// Who we are to a peer that asks.
pub struct Login {
    user: Box<str>,
    password: Box<str>,
}

impl Login {
    pub fn new(user: &str, password: &str) -> Self {
        Self { user: user.into(), password: password.into() }
    }

    /// The header line that answers the first challenge that we can: what the response is, to a request of `method` for `uri`.
    pub(super) fn answer(
        &self,
        response: &Message,
        method: Method<'_>,
        uri: &str,
        cnonce: u64,
    ) -> Option<(Name, Box<str>)> {
        let (asks, answers) = match response.code()? {
            Code::UNAUTHORIZED => (Name::WwwAuthenticate, Name::Authorization),
            Code::PROXY_AUTHENTICATION_REQUIRED => (Name::ProxyAuthenticate, Name::ProxyAuthorization),
            _ => return None,
        };
        let challenge = response.head().all(asks).find_map(Challenge::parse)?;
        Some((answers, self.credentials(&challenge, method, uri, cnonce).into()))
    }

    fn credentials(&self, challenge: &Challenge<'_>, method: Method<'_>, uri: &str, cnonce: u64) -> String {
        let Challenge { realm, nonce, opaque, algorithm, named, auth } = challenge;
        let hash = |parts: &[&[u8]]| algorithm.hash(parts);
        let (raw_realm, raw_nonce) = (unquote(realm), unquote(nonce));
        let ha1 = hash(&[self.user.as_bytes(), raw_realm.as_bytes(), self.password.as_bytes()]);
        let ha2 = hash(&[method.as_str().as_bytes(), uri.as_bytes()]);
        let cnonce = format!("{cnonce:016x}");
        let response = if *auth {
            let counted: [&[u8]; 3] = [b"00000001", cnonce.as_bytes(), b"auth"];
            let [count, cnonce, quality] = counted;
            hash(&[ha1.as_bytes(), raw_nonce.as_bytes(), count, cnonce, quality, ha2.as_bytes()])
        } else {
            hash(&[ha1.as_bytes(), raw_nonce.as_bytes(), ha2.as_bytes()])
        };
        let response = String::from_utf8_lossy(response.as_bytes());
        let user = Quoted(&self.user);
        let mut text =
            format!("Digest username={user}, realm={realm}, nonce={nonce}, uri=\"{uri}\", response=\"{response}\"");
        if *named {
            text += &format!(", algorithm={algorithm}");
        }
        if let Some(opaque) = opaque {
            text += &format!(", opaque={opaque}");
        }
        if *auth {
            text += &format!(", cnonce=\"{cnonce}\", qop=auth, nc=00000001");
        }
        text
    }
}

/// A challenge; texts keep their quotes.
struct Challenge<'a> {
    realm: &'a str,
    nonce: &'a str,
    opaque: Option<&'a str>,
    algorithm: Algorithm,
    /// Whether it named its algorithm.
    named: bool,
    /// Whether it offers `qop=auth`; else it is of RFC 2069.
    auth: bool,
}

impl<'a> Challenge<'a> {
    /// None: it is not of digest, or asks for what we cannot do.
    fn parse(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner::new(text);
        scanner.token().filter(|scheme| scheme.eq_ignore_ascii_case("Digest"))?;
        let (mut realm, mut nonce, mut opaque, mut algorithm, mut qop) = (None, None, None, None, None);
        loop {
            scanner.blanks();
            let name = scanner.token()?;
            scanner.separator(b'=').then_some(())?;
            let value = match scanner.quoted() {
                Some(quoted) => quoted,
                None => scanner.take_while(|byte| !matches!(byte, b',' | b' ' | b'\t')),
            };
            match () {
                () if name.eq_ignore_ascii_case("realm") => realm = Some(value),
                () if name.eq_ignore_ascii_case("nonce") => nonce = Some(value),
                () if name.eq_ignore_ascii_case("opaque") => opaque = Some(value),
                () if name.eq_ignore_ascii_case("algorithm") => algorithm = Some(unquote(value)),
                () if name.eq_ignore_ascii_case("qop") => qop = Some(unquote(value)),
                () => {}
            }
            if !scanner.separator(b',') {
                break;
            }
        }
        let named = algorithm.is_some();
        let algorithm = algorithm.map_or(Some(Algorithm::Md5), |name| name.parse().ok())?;
        let offers_auth = |qop: &str| qop.split(',').any(|one| one.trim_ascii().eq_ignore_ascii_case("auth"));
        let auth = match qop.as_deref() {
            Some(qop) => offers_auth(qop).then_some(true)?,
            None => false,
        };
        Some(Self { realm: realm?, nonce: nonce?, opaque, algorithm, named, auth })
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(…)")
    }
}
