//! The TLS certificate, as it is renewed while the daemon runs.

use std::{fs, path::Path, time::Duration};

use offdesk_sip::driver::{Certificate, Handle};

use super::SipError;
use crate::{clock::Clock, config::SipTls};

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(60);

/// The files' bytes.
type Pem = (Vec<u8>, Vec<u8>);

fn pem(tls: &SipTls) -> Result<Pem, SipError> {
    let read = |key, path: &Path| {
        fs::read(path).map_err(|source| SipError::File { key, path: path.display().to_string(), source })
    };
    Ok((read("sip.tls_cert", &tls.cert)?, read("sip.tls_key", &tls.key)?))
}

pub(super) fn read(tls: &SipTls) -> Result<Certificate, SipError> {
    let (chain, key) = pem(tls)?;
    Ok(Certificate::from_pem(&chain, &key)?)
}

/// Gives the engine every new certificate. One that does not serve is told of, and the one before stays: it may be half
/// written.
pub(super) async fn keep_current(tls: SipTls, engine: Handle, clock: Clock) {
    let mut current = pem(&tls).ok();
    loop {
        clock.sleep(EVERY).await;
        let looked_at = tls.clone();
        let Ok(read) = tokio::task::spawn_blocking(move || pem(&looked_at)).await else { return };
        match read {
            Ok(new) if Some(&new) != current.as_ref() => {
                if put(&new, &engine) {
                    current = Some(new);
                }
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the SIP certificate cannot be looked at"),
        }
    }
}

fn put((chain, key): &Pem, engine: &Handle) -> bool {
    let read = Certificate::from_pem(chain, key);
    match read {
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
