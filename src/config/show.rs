//! The configuration that is in effect, as TOML without its secrets.

use std::fmt::Write;

use super::Effective;

/// One line a key, with the source of each that is not a default.
pub fn show(effective: &[Effective]) -> String {
    let mut text = String::new();
    let mut table = "";
    for Effective { path, shown, origin } in effective {
        let (parent, key) = path.rsplit_once('.').unwrap_or(("", path));
        if parent != table {
            let _ = writeln!(text, "\n[{parent}]");
            table = parent;
        }
        let _ = match origin {
            Some(origin) => writeln!(text, "{key} = {shown}  # {origin}"),
            None => writeln!(text, "{key} = {shown}"),
        };
    }
    text
}
