//! Senders, written from the RFCs and from Google's pages, so that the stand-in is not its own judge.

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral},
    hmac::{HMAC_SHA256, Key, sign},
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256},
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use offdesk_sandbox::PushSubscription;
use serde_json::{Value, json};

/// An application server.
pub(crate) struct Server(EcdsaKeyPair);

impl Server {
    pub(crate) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn key(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.0.public_key())
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        let signed = unsigned("ES256", claims);
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    /// `Authorization` for a service.
    pub(crate) fn authorization(&self, origin: &str, now_s: u64) -> String {
        let claims = json!({ "aud": origin, "exp": now_s + 3600, "sub": "mailto:ops@example.com" });
        format!("vapid t={}, k={}", self.token(&claims), self.key())
    }
}

/// Encrypts as RFC 8291, section 3.4 says.
pub(crate) fn encrypt(subscription: &PushSubscription, text: &[u8]) -> Vec<u8> {
    let browser = BASE64_URL_SAFE_NO_PAD.decode(&subscription.p256dh).unwrap();
    let auth = BASE64_URL_SAFE_NO_PAD.decode(&subscription.auth).unwrap();
    let private = EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).unwrap();
    let public = private.compute_public_key().unwrap().as_ref().to_vec();
    let shared =
        agree_ephemeral(private, UnparsedPublicKey::new(&ECDH_P256, &browser), (), |shared| Ok(shared.to_vec()))
            .unwrap();
    let salt = [7; 16];
    let input = hkdf(&auth, &shared, &[b"WebPush: info\0", browser.as_slice(), &public].concat(), 32);
    let key = hkdf(&salt, &input, b"Content-Encoding: aes128gcm\0", 16);
    let nonce = hkdf(&salt, &input, b"Content-Encoding: nonce\0", 12);
    let mut record = [text, b"\x02"].concat();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).unwrap());
    let nonce = Nonce::try_assume_unique_for_key(&nonce).unwrap();
    key.seal_in_place_append_tag(nonce, Aad::empty(), &mut record).unwrap();
    [salt.as_slice(), &4096_u32.to_be_bytes(), &[65], &public, &record].concat()
}

/// RFC 5869, for outputs no longer than a hash.
fn hkdf(salt: &[u8], input: &[u8], info: &[u8], length: usize) -> Vec<u8> {
    let secret = sign(&Key::new(HMAC_SHA256, salt), input);
    let output = sign(&Key::new(HMAC_SHA256, secret.as_ref()), &[info, b"\x01"].concat());
    output.as_ref()[..length].to_vec()
}

/// A client of Google's, made from the service account's file.
pub(crate) struct Google {
    pub(crate) account: Value,
    key: RsaKeyPair,
}

impl Google {
    pub(crate) fn new(file: &str) -> Self {
        let account: Value = serde_json::from_str(file).unwrap();
        let pem = account["private_key"].as_str().unwrap();
        let lines: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let key = RsaKeyPair::from_pkcs8(&BASE64_STANDARD.decode(lines).unwrap()).unwrap();
        Self { account, key }
    }

    pub(crate) fn claims(&self, now_s: u64) -> Value {
        json!({
            "iss": self.account["client_email"],
            "scope": "https://www.googleapis.com/auth/firebase.messaging",
            "aud": self.account["token_uri"],
            "iat": now_s,
            "exp": now_s + 3600,
        })
    }

    pub(crate) fn assertion(&self, claims: &Value) -> String {
        let signed = unsigned("RS256", claims);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn unsigned(algorithm: &str, claims: &Value) -> String {
    let header = json!({ "typ": "JWT", "alg": algorithm });
    [header.to_string(), claims.to_string()].map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).join(".")
}
