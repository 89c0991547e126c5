//! The service account, whose key signs the requests for access tokens.

use aws_lc_rs::{
    digest,
    encoding::{AsDer, Pkcs8V1Der},
    error::Unspecified,
    rsa::{KeyPair, KeySize},
    signature::KeyPair as _,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use super::PROJECT;

/// RFC 7468, section 2: a line of a PEM has 64 characters.
const PEM_LINE: usize = 64;

/// Making one takes a while: it is made when it is first asked for.
pub(crate) struct ServiceAccount {
    key: KeyPair,
    token_uri: String,
}

impl ServiceAccount {
    pub(crate) fn generate(token_uri: String) -> Result<Self, Unspecified> {
        Ok(Self { key: KeyPair::generate(KeySize::Rsa2048)?, token_uri })
    }

    pub(super) fn email() -> String {
        format!("push@{PROJECT}.iam.gserviceaccount.com")
    }

    /// What `aud` of a request for a token must be.
    pub(super) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    pub(super) fn public_key(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    fn key_id(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.public_key());
        hash.as_ref().iter().take(20).map(|byte| format!("{byte:02x}")).collect()
    }

    /// The file that the Google Cloud console gives out.
    pub(crate) fn json(&self) -> Result<String, Unspecified> {
        let account = json!({
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": self.key_id(),
            "private_key": pem(self.key.as_der()?),
            "client_email": Self::email(),
            "client_id": "100000000000000000001",
            "token_uri": self.token_uri,
        });
        Ok(account.to_string())
    }
}

fn pem(der: Pkcs8V1Der<'_>) -> String {
    let mut text = "-----BEGIN PRIVATE KEY-----\n".to_owned();
    let encoded = BASE64_STANDARD.encode(der.as_ref());
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(PEM_LINE));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END PRIVATE KEY-----\n");
    text
}
