//! The certificate of the TLS port.

use std::{fmt, sync::Arc};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// A certificate chain and its key, found to fit. A new one is used for connections that begin after it was given.
#[derive(Clone)]
pub struct Certificate(pub(super) Arc<ServerConfig>);

#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("there are no certificates in PEM")]
    Chain,
    #[error("there is no private key in PEM")]
    Key,
    #[error("the certificate and the key do not serve: {0}")]
    Unfit(#[from] rustls::Error),
}

impl Certificate {
    /// From PEM. TLS 1.2 and 1.3 with the process's provider; phones show no certificates.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let chain: Vec<_> =
            CertificateDer::pem_slice_iter(chain).collect::<Result<_, _>>().map_err(|_| CertificateError::Chain)?;
        if chain.is_empty() {
            return Err(CertificateError::Chain);
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| CertificateError::Key)?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
        Ok(Self(Arc::new(config)))
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}
