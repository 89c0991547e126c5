//! The key that signs web pushes (RFC 8292): a browser's subscription is bound to it, so it must outlive everything.

use std::{fs, io, path::Path};

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString};

use super::VapidKeyFile;
use crate::files::write_durably;

/// A P-256 key.
pub(super) struct VapidKey {
    pem: SecretString,
    /// The uncompressed point in base64url.
    public: String,
}

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum VapidKeyError {
    #[error("{0}")]
    File(#[from] io::Error),
    #[error("it holds no P-256 private key as PKCS#8 in PEM")]
    NotAKey,
    #[error("no key can be made")]
    NotMade,
}

impl VapidKey {
    /// Reads the key, and makes it first if it is ours to make.
    pub(super) fn open(file: &VapidKeyFile) -> Result<Self, VapidKeyError> {
        match file {
            VapidKeyFile::Given(path) => Self::from_pem(fs::read_to_string(path)?),
            VapidKeyFile::Own(path) => match fs::read_to_string(path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Self::make(path),
                read => Self::from_pem(read?),
            },
        }
    }

    pub(super) fn pem(&self) -> &str {
        self.pem.expose_secret()
    }

    pub(super) fn public(&self) -> &str {
        &self.public
    }

    fn from_pem(pem: String) -> Result<Self, VapidKeyError> {
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| VapidKeyError::NotAKey)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der())
            .map_err(|_| VapidKeyError::NotAKey)?;
        Ok(Self { public: URL_SAFE_NO_PAD.encode(pair.public_key()), pem: pem.into() })
    }

    fn make(path: &Path) -> Result<Self, VapidKeyError> {
        let der = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
            .map_err(|_| VapidKeyError::NotMade)?;
        let pem = pem_of(der.as_ref());
        // Nobody else may read it.
        write_durably(path, pem.as_bytes(), 0o600, None)?;
        tracing::info!(path = %path.display(), "made the key that signs web pushes");
        Self::from_pem(pem)
    }
}

/// RFC 7468.
fn pem_of(pkcs8: &[u8]) -> String {
    let base64 = STANDARD.encode(pkcs8);
    let lines: String =
        base64.as_bytes().chunks(64).map(|line| format!("{}\n", String::from_utf8_lossy(line))).collect();
    format!("-----BEGIN PRIVATE KEY-----\n{lines}-----END PRIVATE KEY-----\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_of_ours_is_made_once_and_nobody_else_may_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vapid.pem");
        let made = VapidKey::open(&VapidKeyFile::Own(path.clone())).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
        for file in [VapidKeyFile::Own(path.clone()), VapidKeyFile::Given(path)] {
            assert_eq!(VapidKey::open(&file).unwrap().public(), made.public());
        }
        let point = URL_SAFE_NO_PAD.decode(made.public()).unwrap();
        assert_eq!((point.len(), point[0]), (65, 4));
    }

    #[test]
    fn a_file_that_a_crash_left_behind_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("vapid.pem.new"), "half").unwrap();
        VapidKey::open(&VapidKeyFile::Own(folder.path().join("vapid.pem"))).unwrap();
    }

    #[test]
    fn a_key_that_the_operator_names_is_never_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vapid.pem");
        let missing = VapidKey::open(&VapidKeyFile::Given(path.clone()));
        assert!(matches!(missing, Err(VapidKeyError::File(_))));
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_key_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vapid.pem");
        let p384 =
            EcdsaKeyPair::generate_pkcs8(&aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING, &SystemRandom::new());
        for text in [String::new(), "nonsense".into(), pem_of(b"nonsense"), pem_of(p384.unwrap().as_ref())] {
            fs::write(&path, &text).unwrap();
            assert!(matches!(VapidKey::open(&VapidKeyFile::Own(path.clone())), Err(VapidKeyError::NotAKey)));
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
    }
}
