//! A Google service account: whose name FCM is asked in.

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::json;

use crate::{config::BaseUrl, domain::Timestamp};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
/// The longest that Google takes.
const ASSERTED_FOR: u64 = 3600;

/// Why a service account's key is of no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    #[error("it is not the JSON of a service account's key")]
    NotAnAccount,
    #[error("its private_key is no RSA key as PKCS#8 in PEM")]
    NotAKey,
    #[error("its token_uri is neither https nor in a closed network")]
    TokenUri,
    #[error("its project_id is none")]
    Project,
}

/// The key, as Google hands it out.
#[derive(Deserialize)]
struct KeyFile {
    project_id: String,
    private_key_id: String,
    private_key: String,
    client_email: String,
    token_uri: String,
}

pub(super) struct Account {
    project: String,
    key_id: String,
    email: String,
    token_uri: BaseUrl,
    key: RsaKeyPair,
}

impl Account {
    pub(super) fn from_json(json: &str) -> Result<Self, AccountError> {
        let file: KeyFile = serde_json::from_str(json).map_err(|_| AccountError::NotAnAccount)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.as_bytes()).map_err(|_| AccountError::NotAKey)?;
        let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| AccountError::NotAKey)?;
        let token_uri: BaseUrl = file.token_uri.parse().map_err(|_| AccountError::TokenUri)?;
        if !token_uri.is_https() && !token_uri.is_private() {
            return Err(AccountError::TokenUri);
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | ':');
        if file.project_id.is_empty() || !file.project_id.chars().all(plain) {
            return Err(AccountError::Project);
        }
        Ok(Self { project: file.project_id, key_id: file.private_key_id, email: file.client_email, token_uri, key })
    }

    pub(super) fn project(&self) -> &str {
        &self.project
    }

    pub(super) const fn token_uri(&self) -> &BaseUrl {
        &self.token_uri
    }

    /// A JSON Web Token that says who asks (RFC 7523); none if the key does not sign.
    pub(super) fn assertion(&self, now: Timestamp) -> Option<String> {
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let issued = now.as_secs();
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri.as_str(),
            "iat": issued,
            "exp": issued + ASSERTED_FOR,
        });
        let encoded = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}
