//! Versions as programs print them.

use std::fmt;

/// Major and minor; what follows never decides here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    major: u32,
    minor: u32,
}

// === impl Version ===

impl Version {
    pub(crate) const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The first thing in the text that looks like a version: `v20.19.2`, `cargo 1.95.0 (…)`, `2:20.19.0+dfsg-1`.
    pub(crate) fn find(text: &str) -> Option<Self> {
        text.split(|c: char| c.is_whitespace() || c == ':').find_map(Self::parse)
    }

    fn parse(word: &str) -> Option<Self> {
        let mut numbers = word.trim_start_matches('v').split('.');
        let major = numbers.next()?.parse().ok()?;
        let minor = numbers.next()?;
        let digits = minor.find(|c: char| !c.is_ascii_digit()).unwrap_or(minor.len());
        Some(Self { major, minor: minor[..digits].parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        let found = |text| Version::find(text);
        assert_eq!(found("v20.19.2"), Some(Version::new(20, 19)));
        assert_eq!(found("cargo 1.95.0 (f2d3ce0bd 2026-03-21)"), Some(Version::new(1, 95)));
        assert_eq!(found("2:20.19.0+dfsg-1"), Some(Version::new(20, 19)));
        assert_eq!(found("18.20.4+dfsg-1~deb12u1"), Some(Version::new(18, 20)));
        assert_eq!(found("none at all"), None);
    }

    #[test]
    fn versions_are_ordered_by_number_and_not_by_letter() {
        assert!(Version::new(20, 9) < Version::new(20, 19));
        assert!(Version::new(9, 0) < Version::new(20, 0));
    }
}
