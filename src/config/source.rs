//! Where values come from, and the text of a configuration file as a flat list of them.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use toml::{
    Spanned, Value,
    de::{DeTable, DeValue},
};

use super::problem::{Fault, Problem};

/// What begins each environment variable of ours; between the parts of a key stand two underscores as well.
pub const ENV_PREFIX: &str = "OFFDESK__";

/// Everything that a configuration is read from. Nothing else is looked at but the files that it names.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    pub file: Option<FileText>,
    /// Variables by name; those that do not begin with [`ENV_PREFIX`] are somebody else's.
    pub env: BTreeMap<String, String>,
    /// The folder in which systemd's `LoadCredential=` puts secrets (systemd.exec(5), `$CREDENTIALS_DIRECTORY`).
    pub credentials: Option<PathBuf>,
}

/// A configuration file that has been read.
#[derive(Clone, Debug)]
pub struct FileText {
    pub path: PathBuf,
    pub text: String,
}

/// Who said what a value is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    File { path: Arc<Path>, line: usize },
    Environment(String),
    Credential(PathBuf),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, line } => write!(f, "{}, line {line}", path.display()),
            Self::Environment(name) => f.write_str(name),
            Self::Credential(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A value as it was given.
#[derive(Clone, Debug)]
pub(super) enum Given {
    Toml(Value),
    /// From the environment: what it means depends on the key's type.
    Text(String),
}

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) given: Given,
    pub(super) origin: Origin,
}

/// Values by the path of their key, such as `http.tls.mode`.
pub(super) type Layer = BTreeMap<String, Entry>;

/// The values of a file. Inline tables are tables; a table without keys stands as itself.
pub(super) fn layer_of_file(file: &FileText) -> Result<Layer, Problem> {
    let path: Arc<Path> = file.path.as_path().into();
    let line_at = |offset: usize| {
        let before = file.text.as_bytes().get(..offset).unwrap_or_default();
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    };
    // The error's own text quotes the line, which may hold a secret.
    let table = DeTable::parse(&file.text).map_err(|error| Problem {
        path: String::new(),
        origin: Some(Origin::File { path: path.clone(), line: line_at(error.span().map_or(0, |span| span.start)) }),
        fault: Fault::Syntax(error.message().to_owned()),
    })?;
    let mut layer = Layer::new();
    flatten("", table.get_ref(), &mut |key, offset, value| {
        let origin = Origin::File { path: path.clone(), line: line_at(offset) };
        layer.insert(key, Entry { given: Given::Toml(value), origin });
    });
    Ok(layer)
}

fn flatten(prefix: &str, table: &DeTable<'_>, add: &mut dyn FnMut(String, usize, Value)) {
    for (key, value) in table {
        let path = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        match value.get_ref() {
            DeValue::Table(inner) if !inner.is_empty() => flatten(&path, inner, add),
            _ => add(path, key.span().start, plain(value)),
        }
    }
}

fn plain(value: &Spanned<DeValue<'_>>) -> Value {
    match value.get_ref() {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => {
            let parsed = i64::from_str_radix(number.as_str(), number.radix());
            parsed.map_or_else(|_| Value::String(number.as_str().to_owned()), Value::Integer)
        }
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Datetime(datetime) => Value::Datetime(*datetime),
        DeValue::Array(items) => Value::Array(items.iter().map(plain).collect()),
        DeValue::Table(_) => Value::Table(toml::Table::new()),
    }
}

/// The values of the environment.
pub(super) fn layer_of_environment(env: &BTreeMap<String, String>) -> Layer {
    let ours = env.iter().filter_map(|(name, text)| Some((name, name.strip_prefix(ENV_PREFIX)?, text)));
    ours.map(|(name, key, text)| {
        let entry = Entry { given: Given::Text(text.clone()), origin: Origin::Environment(name.clone()) };
        (key.to_lowercase().replace("__", "."), entry)
    })
    .collect()
}

/// How a key is spelled in the environment.
pub(super) fn variable(path: &str) -> String {
    format!("{ENV_PREFIX}{}", path.replace('.', "__").to_uppercase())
}
