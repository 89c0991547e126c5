//! The public listener's certificate, where no proxy in front of it has one.

use std::path::{Path, PathBuf};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("{} holds no certificates in PEM", .0.display())]
    Certificates(PathBuf),
    #[error("{} holds no private key in PEM", .0.display())]
    Key(PathBuf),
    #[error("the certificate and the key do not serve: {0}")]
    Unfit(#[from] rustls::Error),
}

/// TLS 1.2 and 1.3 with the process's provider, HTTP/1.1 alone.
pub fn server_config(cert: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let certificates = || TlsError::Certificates(cert.to_owned());
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(cert).map_err(|_| certificates())?.collect();
    let chain = chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(certificates)?;
    let key = PrivateKeyDer::from_pem_file(key).map_err(|_| TlsError::Key(key.to_owned()))?;
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
