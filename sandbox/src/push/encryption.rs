//! What a browser does with a message's body: Message Encryption for Web Push (RFC 8291), in the content coding
//! `aes128gcm` (RFC 8188).

use aws_lc_rs::{
    aead::{AES_128_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    agreement::{ECDH_P256, PrivateKey, UnparsedPublicKey, agree},
    error::Unspecified,
    hkdf::{HKDF_SHA256, KeyType, Prk, Salt},
    rand,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

const SALT: usize = 16;
/// Salt, record size, and the length of the key id (RFC 8188, section 2.1).
const HEADER: usize = SALT + 4 + 1;
/// An uncompressed point of P-256.
const POINT: usize = 65;
/// The last record's padding delimiter; RFC 8291 wants a message to be one record.
const LAST_RECORD: u8 = 2;

/// A subscription's key pair and authentication secret.
pub(crate) struct Keys {
    private: PrivateKey,
    public: Vec<u8>,
    auth: [u8; 16],
}

impl Keys {
    pub(super) fn generate() -> Result<Self, Unspecified> {
        let mut auth = [0; 16];
        rand::fill(&mut auth)?;
        Self::new(PrivateKey::generate(&ECDH_P256)?, auth)
    }

    fn new(private: PrivateKey, auth: [u8; 16]) -> Result<Self, Unspecified> {
        let public = private.compute_public_key()?.as_ref().to_vec();
        Ok(Self { private, public, auth })
    }

    /// `keys.p256dh` of the Push API: base64url without padding.
    pub(super) fn p256dh(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.public)
    }

    /// `keys.auth` of the Push API: base64url without padding.
    pub(super) fn auth(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.auth)
    }

    /// The text of a message; an error if it was not made for these keys, or not as the RFCs say.
    pub(crate) fn decrypt(&self, body: &[u8]) -> Result<Vec<u8>, Unspecified> {
        let (header, rest) = body.split_at_checked(HEADER).ok_or(Unspecified)?;
        let (salt, sizes) = header.split_at_checked(SALT).ok_or(Unspecified)?;
        let [size @ .., key_length] = sizes else { return Err(Unspecified) };
        let record_size = u32::from_be_bytes(size.try_into().map_err(|_| Unspecified)?);
        let (sender, record) = rest.split_at_checked(usize::from(*key_length)).ok_or(Unspecified)?;
        if sender.len() != POINT || u32::try_from(record.len()).map_err(|_| Unspecified)? > record_size {
            return Err(Unspecified);
        }
        let (key, nonce) = content_keys(salt, &self.input_key(sender)?)?;
        let mut text = record.to_vec();
        let length = key.open_in_place(nonce, Aad::empty(), &mut text)?.len();
        text.truncate(length);
        without_padding(text)
    }

    /// RFC 8291, section 3.4: what both sides know, bound to both public keys.
    fn input_key(&self, sender: &[u8]) -> Result<[u8; 32], Unspecified> {
        let info: [&[u8]; 3] = [b"WebPush: info\0", &self.public, sender];
        agree(&self.private, UnparsedPublicKey::new(&ECDH_P256, sender), Unspecified, |shared| {
            expand(&Salt::new(HKDF_SHA256, &self.auth).extract(shared), &info)
        })
    }
}

/// RFC 8188, sections 2.2 and 2.3: the content-encryption key, and the nonce of the first record.
fn content_keys(salt: &[u8], input_key: &[u8]) -> Result<(LessSafeKey, Nonce), Unspecified> {
    let secret = Salt::new(HKDF_SHA256, salt).extract(input_key);
    let key: [u8; 16] = expand(&secret, &[b"Content-Encoding: aes128gcm\0"])?;
    let nonce: [u8; 12] = expand(&secret, &[b"Content-Encoding: nonce\0"])?;
    Ok((LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key)?), Nonce::assume_unique_for_key(nonce)))
}

fn expand<const N: usize>(secret: &Prk, info: &[&[u8]]) -> Result<[u8; N], Unspecified> {
    let mut key = [0; N];
    secret.expand(info, Length(N))?.fill(&mut key)?;
    Ok(key)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn without_padding(mut text: Vec<u8>) -> Result<Vec<u8>, Unspecified> {
    let end = text.iter().rposition(|byte| *byte != 0).ok_or(Unspecified)?;
    if text.get(end) != Some(&LAST_RECORD) {
        return Err(Unspecified);
    }
    text.truncate(end);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8291, appendix A.
    const PRIVATE: &str = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94";
    const PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const AUTH: &str = "BTBZMqHH6r4Tts7J_aSIgg";
    const BODY: &str = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz\
                        AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";

    fn decode(text: &str) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    fn keys() -> Keys {
        let private = PrivateKey::from_private_key(&ECDH_P256, &decode(PRIVATE)).unwrap();
        Keys::new(private, decode(AUTH).try_into().unwrap()).unwrap()
    }

    #[test]
    fn the_message_of_the_rfc_is_read() {
        assert_eq!((keys().p256dh().as_str(), keys().auth().as_str()), (PUBLIC, AUTH));
        assert_eq!(keys().decrypt(&decode(BODY)).unwrap(), b"When I grow up, I want to be a watermelon");
    }

    #[test]
    fn a_message_with_any_byte_changed_is_not_read() {
        let keys = keys();
        // The record size alone is not authenticated; it only must not be too small.
        for place in (0..decode(BODY).len()).filter(|place| !(16..20).contains(place)) {
            let mut body = decode(BODY);
            body[place] ^= 1;
            assert!(keys.decrypt(&body).is_err(), "byte {place}");
        }
    }

    #[test]
    fn a_message_that_is_cut_is_not_read() {
        let body = decode(BODY);
        assert!((0..body.len()).all(|length| keys().decrypt(&body[..length]).is_err()));
    }

    #[test]
    fn a_message_for_other_keys_is_not_read() {
        assert!(Keys::generate().unwrap().decrypt(&decode(BODY)).is_err());
    }

    #[test]
    fn padding_must_end_the_last_record() {
        assert_eq!(without_padding(b"text\x02\0\0".to_vec()).unwrap(), b"text");
        assert!(without_padding(b"text\x01\0\0".to_vec()).is_err());
        assert!(without_padding(vec![0; 3]).is_err());
    }
}
