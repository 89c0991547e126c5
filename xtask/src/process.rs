//! Other programs: how they are run, and how it is told that they failed.

use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::iter;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};

/// A program with its arguments and surroundings; prints as the line that one would type.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
}

// === impl Program ===

impl Program {
    pub(crate) fn new(name: impl AsRef<OsStr>) -> Self {
        Self { command: Command::new(name) }
    }

    #[must_use]
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    #[must_use]
    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Lets it find programs in this folder too, first of all.
    #[must_use]
    pub(crate) fn search_also(self, folder: &Path) -> Self {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(folder.to_path_buf()).chain(env::split_paths(&path));
        match env::join_paths(folders) {
            Ok(path) => self.env("PATH", path),
            Err(_) => self, // the folder's name holds a colon: no path can name it
        }
    }

    #[must_use]
    pub(crate) fn current_dir(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs it with our own input and output.
    pub(crate) fn run(mut self) -> Result<()> {
        let status = self.command.status().map_err(|cause| self.not_started(&cause))?;
        if status.success() { Ok(()) } else { Err(Error::new(format!("`{self}` failed: {status}"))) }
    }

    /// Becomes it: signals and the exit code are its own, and nothing of ours stands between. It returns only if the program
    /// did not start.
    pub(crate) fn replace_us(mut self) -> Result<()> {
        let cause = self.command.exec();
        Err(self.not_started(&cause))
    }

    /// Runs it, and returns what it wrote to standard output.
    pub(crate) fn capture(mut self) -> Result<String> {
        let output = self.command.stdin(Stdio::null()).output().map_err(|cause| self.not_started(&cause))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        } else {
            let told = String::from_utf8_lossy(&output.stderr);
            Err(Error::new(format!("`{self}` failed: {}\n{}", output.status, told.trim())))
        }
    }

    /// Runs it, and returns what it wrote to standard error, whether it failed or not.
    pub(crate) fn complaints(mut self) -> Result<String> {
        let output = self.command.stdin(Stdio::null()).output().map_err(|cause| self.not_started(&cause))?;
        Ok(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }

    fn not_started(&self, cause: &std::io::Error) -> Error {
        Error::new(format!("`{self}` did not start: {cause}"))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.command.get_program().to_string_lossy())?;
        self.command.get_args().try_for_each(|arg| write!(f, " {}", arg.to_string_lossy()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_says_is_captured_without_its_line_end() {
        assert_eq!(Program::new("echo").arg("hello").capture().unwrap(), "hello");
    }

    #[test]
    fn a_failure_names_the_line_that_failed() {
        let error = Program::new("false").arg("--at-all").run().unwrap_err();
        assert!(error.to_string().starts_with("`false --at-all` failed"), "{error}");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error() {
        for ran in [Program::run, Program::replace_us] {
            let error = ran(Program::new("offdesk-no-such-program")).unwrap_err();
            assert!(error.to_string().contains("did not start"), "{error}");
        }
    }
}
