//! Secrets: inline, from a file that a key names, or from systemd's credentials.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use secrecy::SecretString;
use toml::Value;

use super::{
    problem::{Fault, Problem},
    reader::Reader,
    source::{Given, Origin},
    value::Setting,
};

/// A secret's largest size in bytes: whoever names a log file by mistake hears of it.
const MAX_SECRET: u64 = 8 * 1024;

/// Where a secret was found within one layer.
enum Found {
    Inline(String, Origin),
    InFile(String, Origin),
}

impl Reader {
    /// A secret that may be left out or empty. A credential is stronger than the environment, that than the file.
    pub(super) fn secret(&mut self, path: &'static str) -> Option<SecretString> {
        self.known.extend([path.to_owned(), format!("{path}_file")]);
        let before = self.problems.len();
        let secret = self.credential(path).or_else(|| self.given_secret(path));
        let refused = self.problems.len() > before;
        let (shown, origin) = match &secret {
            Some((_, origin)) if !refused => ("***", Some(origin.clone())),
            _ => ("", None),
        };
        self.note(path, Value::from(shown), origin);
        secret.filter(|_| !refused).map(|(secret, _)| secret)
    }

    /// A secret without which nothing works.
    pub(super) fn required_secret(&mut self, path: &'static str) -> Option<SecretString> {
        let before = self.problems.len();
        let secret = self.secret(path);
        if secret.is_none() && self.problems.len() == before {
            self.problems.push(Problem { path: path.into(), origin: None, fault: Fault::missing(path, true) });
        }
        secret
    }

    /// A file of several lines, such as a private key: a credential, or the one that the key names. Who needs it reads it.
    pub(super) fn secret_file(&mut self, path: &'static str) -> Option<PathBuf> {
        let named = self.optional::<PathBuf>(path);
        let secret = path.trim_end_matches("_file");
        let Some(file) = self.credential_file(secret).or_else(|| self.credential_file(path)) else { return named };
        self.effective.retain(|row| row.path != path);
        self.note(path, file.show(), Some(Origin::Credential(file.clone())));
        Some(file)
    }

    /// `<folder>/twilio.auth_token` or `<folder>/auth_token`. One that may not be looked at counts as there, so that reading it
    /// says why.
    fn credential_file(&self, path: &str) -> Option<PathBuf> {
        let folder = self.credentials.as_ref()?;
        let last = path.rsplit('.').next().unwrap_or(path);
        [path, last].map(|name| folder.join(name)).into_iter().find(|file| file.try_exists().unwrap_or(true))
    }

    fn credential(&mut self, path: &'static str) -> Option<(SecretString, Origin)> {
        let file = self.credential_file(path)?;
        self.read_secret(path, &file, Origin::Credential(file.clone()))
    }

    fn given_secret(&mut self, path: &'static str) -> Option<(SecretString, Origin)> {
        let file_key = format!("{path}_file");
        for number in 0..self.layers.len() {
            match self.found_in(number, path, &file_key) {
                Some(Found::Inline(text, origin)) => return self.checked(path, text, origin),
                Some(Found::InFile(file, origin)) => return self.read_secret(&file_key, file.as_ref(), origin),
                None => {}
            }
        }
        None
    }

    fn found_in(&mut self, layer: usize, path: &str, file_key: &str) -> Option<Found> {
        let inline = self.text_in(layer, path);
        let in_file = self.text_in(layer, file_key);
        if let (Some(_), Some((_, origin))) = (&inline, &in_file) {
            let why = format!("{path} is set beside it; leave one of the two out");
            let fault = Fault::Invalid(why);
            self.problems.push(Problem { path: file_key.into(), origin: Some(origin.clone()), fault });
        }
        let inline = inline.map(|(text, origin)| Found::Inline(text, origin));
        inline.or_else(|| in_file.map(|(text, origin)| Found::InFile(text, origin)))
    }

    fn text_in(&mut self, layer: usize, path: &str) -> Option<(String, Origin)> {
        let entry = self.layers[layer].get(path)?.clone();
        match entry.given {
            Given::Text(text) | Given::Toml(Value::String(text)) => {
                Some((text, entry.origin)).filter(|(text, _)| !text.is_empty())
            }
            Given::Toml(_) => {
                let fault = Fault::Invalid("expected a text".into());
                self.problems.push(Problem { path: path.into(), origin: Some(entry.origin), fault });
                None
            }
        }
    }

    fn read_secret(&mut self, path: &str, file: &Path, origin: Origin) -> Option<(SecretString, Origin)> {
        match read_capped(file) {
            Ok(text) => self.checked(path, text.trim_end_matches(['\r', '\n']).to_owned(), origin),
            Err(error) => {
                let fault = Fault::Invalid(format!("{} cannot be read: {error}", file.display()));
                self.problems.push(Problem { path: path.into(), origin: Some(origin), fault });
                None
            }
        }
    }

    fn checked(&mut self, path: &str, text: String, origin: Origin) -> Option<(SecretString, Origin)> {
        if text.is_empty() || text.contains(|letter: char| !letter.is_ascii_graphic()) {
            let fault = Fault::Invalid("expected a secret: printable ASCII without blanks, not empty".into());
            self.problems.push(Problem { path: path.into(), origin: Some(origin), fault });
            return None;
        }
        Some((text.into(), origin))
    }
}

fn read_capped(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(MAX_SECRET + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_SECRET {
        return Err(io::Error::other(format!("it is larger than {MAX_SECRET} bytes")));
    }
    Ok(text)
}
