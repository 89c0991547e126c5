//! The token of the configuration, which may do everything here.

use std::fmt;

use aws_lc_rs::{constant_time, digest};
use secrecy::{ExposeSecret, SecretString};

/// Characters that a token should have.
const SHORT: usize = 24;

/// `admin.bootstrap_token`: its hash. To compare hashes takes equally long whatever was guessed, and of whatever length.
pub struct BootstrapToken(digest::Digest);

impl BootstrapToken {
    /// A short one is taken, but warned of: whoever finds it may do everything.
    pub fn new(token: &SecretString) -> Self {
        if token.expose_secret().len() < SHORT {
            tracing::warn!(
                "admin.bootstrap_token is short and could be guessed: `openssl rand -hex 32` makes a good one"
            );
        }
        Self(hash(token.expose_secret()))
    }

    pub(super) fn is(&self, token: &str) -> bool {
        constant_time::verify_slices_are_equal(self.0.as_ref(), hash(token).as_ref()).is_ok()
    }
}

impl fmt::Debug for BootstrapToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BootstrapToken")
    }
}

fn hash(token: &str) -> digest::Digest {
    digest::digest(&digest::SHA256, token.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_is_the_token_and_it_does_not_print() {
        let token = BootstrapToken::new(&"hunter2".into());
        assert!(token.is("hunter2"));
        for wrong in ["", "hunter", "hunter22", "Hunter2", " hunter2"] {
            assert!(!token.is(wrong), "{wrong}");
        }
        assert_eq!(format!("{token:?}"), "BootstrapToken");
    }
}
