//! The little of a command line that `cargo xtask` needs: flags, options with a value, and what follows `--`.
//!
//! Written by hand, so that the first `cargo xtask` on a fresh machine compiles nothing but this crate.

use std::fmt;

/// The words after the command's name, taken one by one.
#[derive(Debug)]
pub(crate) struct Args {
    words: Vec<String>,
}

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum UsageError {
    /// An option without the value that it needs.
    MissingValue(&'static str),
    /// Words that nobody asked for.
    Unknown(Vec<String>),
}

// === impl Args ===

impl Args {
    pub(crate) fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self { words: words.into_iter().collect() }
    }

    /// Takes the flag out, and tells whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let before = self.words.len();
        let end = self.own_words();
        let mut index = 0;
        self.words.retain(|word| {
            let own = index < end;
            index += 1;
            !(own && word == name)
        });
        self.words.len() < before
    }

    /// Takes out every `NAME VALUE` and `NAME=VALUE`, in order.
    pub(crate) fn values(&mut self, name: &'static str) -> Result<Vec<String>, UsageError> {
        let mut found = Vec::new();
        let mut rest = Vec::new();
        let end = self.own_words();
        let passed_on = self.words.split_off(end);
        let mut words = std::mem::take(&mut self.words).into_iter();
        while let Some(word) = words.next() {
            if word == name {
                found.push(words.next().ok_or(UsageError::MissingValue(name))?);
            } else if let Some(value) = word.strip_prefix(name).and_then(|tail| tail.strip_prefix('=')) {
                found.push(value.to_owned());
            } else {
                rest.push(word);
            }
        }
        rest.extend(passed_on);
        self.words = rest;
        Ok(found)
    }

    /// Everything that is left, for another program, whether `--` stands before it or not.
    pub(crate) fn rest(mut self) -> Vec<String> {
        if self.words.first().is_some_and(|word| word == "--") {
            self.words.remove(0);
        }
        self.words
    }

    /// What follows `--`, for another program; any other word that is left is refused.
    pub(crate) fn passed_on(mut self) -> Result<Vec<String>, UsageError> {
        let after = self.words.split_off(self.own_words());
        self.finish()?;
        Ok(after.into_iter().skip(1).collect())
    }

    /// Refuses what is left.
    pub(crate) fn finish(self) -> Result<(), UsageError> {
        if self.words.is_empty() { Ok(()) } else { Err(UsageError::Unknown(self.words)) }
    }

    /// How many words are ours: those before `--`.
    fn own_words(&self) -> usize {
        self.words.iter().position(|word| word == "--").unwrap_or(self.words.len())
    }
}

// === impl UsageError ===

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingValue(name) => write!(f, "{name} needs a value"),
            Self::Unknown(words) => write!(f, "not understood: {}", words.join(" ")),
        }
    }
}

impl std::error::Error for UsageError {}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Args {
        Args::new(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_flag_is_taken_once_and_told() {
        let mut args = args("--fix --now");
        assert!(args.flag("--fix"));
        assert!(!args.flag("--fix"));
        assert_eq!(args.rest(), ["--now"]);
    }

    #[test]
    fn values_are_read_in_both_spellings() {
        let mut args = args("--without node one --without=deny");
        assert_eq!(args.values("--without").unwrap(), ["node", "deny"]);
        assert_eq!(args.rest(), ["one"]);
    }

    #[test]
    fn an_option_at_the_end_lacks_its_value() {
        assert_eq!(args("--without").values("--without"), Err(UsageError::MissingValue("--without")));
    }

    #[test]
    fn what_follows_two_dashes_is_passed_on_untouched() {
        let mut args = args("-- --without node --fix");
        assert!(args.values("--without").unwrap().is_empty());
        assert!(!args.flag("--fix"));
        assert_eq!(args.rest(), ["--without", "node", "--fix"]);
    }

    #[test]
    fn words_before_two_dashes_are_not_passed_on() {
        assert_eq!(args("-- one --two").passed_on().unwrap(), ["one", "--two"]);
        assert_eq!(args("--one -- two").passed_on(), Err(UsageError::Unknown(vec!["--one".to_owned()])));
        assert!(args("").passed_on().unwrap().is_empty());
    }

    #[test]
    fn words_that_nobody_asked_for_are_refused() {
        assert_eq!(args("--nonsense").finish(), Err(UsageError::Unknown(vec!["--nonsense".to_owned()])));
    }
}
