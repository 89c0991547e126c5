//! What a run of the tests can leave out, said by name and never silently.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::args::Args;
use crate::error::{Error, Result};

/// A part of the tests that needs something of the machine, or time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    /// Tests in modules named `with_node`: Twilio's JavaScript library, Prism over Twilio's OpenAPI documents, and
    /// a browser's decryption of pushes.
    Node,
    /// Tests in modules named `with_python`: Twilio's Python library, Google's description of FCM, and
    /// Schemathesis.
    Python,
    /// Tests in modules named `with_browser`: Chromium at the sandbox's page. They need Node too.
    Browser,
    /// Tests in modules named `with_softphones`: baresip, linphonec, PJSIP, sipp and sipvicious.
    Softphones,
    /// The dependency policy, checked by cargo-deny.
    Deny,
    /// The test binary `crash`.
    Crash,
    /// The exposure of the systemd unit, judged by systemd-analyze.
    Systemd,
}

/// The groups that this run leaves out.
#[derive(Debug, Default)]
pub(crate) struct Without(BTreeSet<Group>);

// === impl Group ===

impl Group {
    const ALL: [Self; 7] =
        [Self::Node, Self::Python, Self::Browser, Self::Softphones, Self::Deny, Self::Crash, Self::Systemd];

    fn name(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Browser => "browser",
            Self::Softphones => "softphones",
            Self::Deny => "deny",
            Self::Crash => "crash",
            Self::Systemd => "systemd",
        }
    }

    /// The group's tests, in nextest's filter language.
    fn tests(self) -> Option<&'static str> {
        match self {
            Self::Node => Some("test(/(^|::)with_node::/)"),
            Self::Python => Some("test(/(^|::)with_python::/)"),
            Self::Browser => Some("test(/(^|::)with_browser::/)"),
            Self::Softphones => Some("test(/(^|::)with_softphones::/)"),
            Self::Crash => Some("binary(crash)"),
            Self::Deny | Self::Systemd => None,
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Group {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|group| group.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            Error::usage(format!("there is no group `{name}`; the groups are {names}"))
        })
    }
}

// === impl Without ===

impl Without {
    /// Reads every `--without GROUP`; several may stand in one, with commas.
    pub(crate) fn take(args: &mut Args) -> Result<Self> {
        let values = args.values("--without")?;
        let names = values.iter().flat_map(|value| value.split(','));
        names.map(str::parse).collect::<Result<_>>().map(Self)
    }

    pub(crate) fn leaves_out(&self, group: Group) -> bool {
        self.0.contains(&group)
    }

    pub(crate) fn groups(&self) -> impl Iterator<Item = Group> {
        self.0.iter().copied()
    }

    /// nextest's filter for what is left, if anything is left out.
    pub(crate) fn filter(&self) -> Option<String> {
        let parts: Vec<_> = self.groups().filter_map(Group::tests).map(|tests| format!("not {tests}")).collect();
        (!parts.is_empty()).then(|| parts.join(" and "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(line: &str) -> Result<Without> {
        Without::take(&mut Args::new(line.split_whitespace().map(str::to_owned)))
    }

    #[test]
    fn groups_are_left_out_one_by_one_or_with_commas() {
        let without = without("--without node,deny --without crash").unwrap();
        assert_eq!(without.groups().collect::<Vec<_>>(), [Group::Node, Group::Deny, Group::Crash]);
    }

    #[test]
    fn an_unknown_group_is_refused_with_the_names_that_exist() {
        let error = without("--without nodes").unwrap_err().to_string();
        assert!(error.contains("node, python, browser, softphones, deny, crash, systemd"), "{error}");
    }

    #[test]
    fn the_filter_excludes_the_tests_of_each_group() {
        let without = without("--without python,deny,crash").unwrap();
        assert_eq!(without.filter().unwrap(), "not test(/(^|::)with_python::/) and not binary(crash)");
    }

    #[test]
    fn without_nothing_there_is_no_filter() {
        assert_eq!(without("--without deny").unwrap().filter(), None);
    }
}
