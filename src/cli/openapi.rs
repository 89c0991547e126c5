//! `offdesk openapi`.

use std::io::{self, Write};

use super::Failure;
use crate::http;

pub(super) fn run() -> Result<(), Failure> {
    let document = http::openapi().map_err(io::Error::other)?;
    writeln!(io::stdout(), "{document}")?;
    Ok(())
}
