//! The TLS certificate, as it is renewed while the daemon runs.

use std::{fs, path::Path, time::Duration};

use offdesk_sip::driver::{Certificate, CertificateError, Handle};

use super::SipError;
use crate::{clock::Clock, config::SipTls};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(60);

/// The files' bytes: the chain, and the key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pem(Vec<u8>, Vec<u8>);

fn pem(tls: &SipTls) -> Result<Pem, SipError> {
    let read = |key, path: &Path| {
        fs::read(path).map_err(|source| SipError::File { key, path: path.display().to_string(), source })
    };
    Ok(Pem(read("sip.tls_cert", &tls.cert)?, read("sip.tls_key", &tls.key)?))
}

/// The certificate, and what it was read from.
pub(super) fn read(tls: &SipTls) -> Result<(Certificate, Pem), SipError> {
    let pem = pem(tls)?;
    Ok((pem.certificate()?, pem))
}

impl Pem {
    fn certificate(&self) -> Result<Certificate, CertificateError> {
        Certificate::from_pem(&self.0, &self.1)
    }
}

/// Gives the engine every certificate that is not the one `in_use`. One that does not serve is told of, and the one before stays: it may be half
/// written.
pub(super) async fn keep_current(tls: SipTls, mut in_use: Pem, engine: Handle, clock: Clock) {
    loop {
        clock.sleep(EVERY).await;
        let looked_at = tls.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || pem(&looked_at)).await else { return };
        match read {
            Ok(new) if new != in_use => {
                if put(&new, &engine) {
                    in_use = new;
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the SIP certificate cannot be looked at"),
        }
    }
}

fn put(new: &Pem, engine: &Handle) -> bool {
    match new.certificate() {
        Ok(certificate) => {
            engine.set_certificate(certificate);
            tracing::info!("softphones get a new certificate");
            true
        }
        Err(error) => {
            tracing::warn!(%error, "the new SIP certificate does not serve");
            false
        }
    }
}
