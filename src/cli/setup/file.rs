//! Completing the configuration file: one key more, and every other byte as it was.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

/// A piece of the text that was put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cli) struct Edit {
    before: String,
    after: String,
}

impl Edit {
    /// The text with the change; none where the place for it is not there exactly once.
    pub(super) fn apply(&self, text: &str, at: usize) -> Option<String> {
        let (head, tail) = text.split_at_checked(at)?;
        Some(format!("{head}{}{}", self.after, tail.strip_prefix(self.before.as_str())?))
    }

    /// The text as it was before; none, if somebody has changed the place since.
    pub(super) fn undo(&self, text: &str) -> Option<String> {
        (text.matches(&self.after).count() == 1).then(|| text.replacen(&self.after, &self.before, 1))
    }
}

/// Sets a text in a table of a TOML file: in the place of an empty one, else below the line that mentions it, else below the
/// table's header. None, if nothing of this gives the file with this key more and no other difference.
pub(super) fn complete(text: &str, table: &str, key: &str, value: &Value) -> Option<(String, Edit)> {
    let (at, edit) = place(text, table, key, value);
    let completed = edit.apply(text, at)?;
    (completed.parse::<Table>().ok()? == expected(text, table, key, value)?).then_some((completed, edit))
}

fn expected(text: &str, table: &str, key: &str, value: &Value) -> Option<Table> {
    let mut tree = text.parse::<Table>().ok()?;
    let mut place = &mut tree;
    for name in table.split('.').filter(|name| !name.is_empty()) {
        place = place.entry(name).or_insert_with(|| Value::Table(Table::new())).as_table_mut()?;
    }
    place.insert(key.to_owned(), value.clone());
    Some(tree)
}

fn place(text: &str, table: &str, key: &str, value: &Value) -> (usize, Edit) {
    let assignment = format!("{key} = {value}");
    let insertion = |at| (at, Edit { before: String::new(), after: format!("{assignment}\n") });
    let (mut at, mut inside, mut header, mut mention) = (0, table.is_empty(), table.is_empty().then_some(0), None);
    for line in text.split_inclusive('\n') {
        let (start, bare) = (at, line.trim());
        at += line.len();
        if bare.starts_with('[') {
            inside = bare.split('#').next().unwrap_or_default().trim() == format!("[{table}]");
            header = header.or(inside.then_some(at));
        } else if inside && assigns(bare, key) {
            let end = line.find("\"\"").map_or(line.trim_end().len(), |place| place + 2);
            let indent = &line[..line.len() - line.trim_start().len()];
            let before = line.get(..end).unwrap_or_default().to_owned();
            return (start, Edit { before, after: format!("{indent}{assignment}") });
        } else if inside && bare.strip_prefix('#').is_some_and(|rest| assigns(rest.trim(), key)) {
            mention = mention.or(Some(at));
        }
    }
    match mention.or(header) {
        Some(at) => insertion(at),
        None => {
            let gap = if text.is_empty() || text.ends_with('\n') { "\n" } else { "\n\n" };
            (text.len(), Edit { before: String::new(), after: format!("{gap}[{table}]\n{assignment}\n") })
        }
    }
}

fn assigns(line: &str, key: &str) -> bool {
    line.strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(text: &str) -> Option<String> {
        let (completed, edit) = complete(text, "twilio", "verify_service_sid", &Value::from("VA1"))?;
        assert_eq!(edit.undo(&completed).as_deref(), Some(text), "it goes back byte for byte");
        Some(completed)
    }

    #[test]
    fn a_key_is_put_where_it_belongs_and_nothing_else_changes() {
        for (text, expected) in [
            ("", "\n[twilio]\nverify_service_sid = \"VA1\"\n"),
            ("a = 1", "a = 1\n\n[twilio]\nverify_service_sid = \"VA1\"\n"),
            ("[twilio] # ours\nx = 1\n[y]\n", "[twilio] # ours\nverify_service_sid = \"VA1\"\nx = 1\n[y]\n"),
            (
                "[twilio]\n  verify_service_sid = \"\"   # none yet\nx = 1\n",
                "[twilio]\n  verify_service_sid = \"VA1\"   # none yet\nx = 1\n",
            ),
            (
                "[twilio]\n#verify_service_sid = \"VA…\"  # hm\nx = 1\n",
                "[twilio]\n#verify_service_sid = \"VA…\"  # hm\nverify_service_sid = \"VA1\"\nx = 1\n",
            ),
        ] {
            assert_eq!(completed(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_file_that_says_it_in_another_way_is_left_alone() {
        for text in
            ["twilio.x = 1\n", "twilio = { x = 1 }\n", "[twilio]\nx = \"\"\"\n[twilio]\n\"\"\"\n[z]\n", "no toml"]
        {
            let completed = completed(text);
            assert!(completed.is_none_or(|text| text.parse::<Table>().is_ok()), "{text}");
        }
    }
}
