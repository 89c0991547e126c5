//! The daemon and its command line.

use std::{env, process::ExitCode};

use mimalloc::MiMalloc;
use offdesk::cli::{self, Invocation};

/// Most of what a webhook allocates is freed by another thread, which costs glibc's allocator a third of the processor.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    // Before anything makes a TLS connection: there is one provider for the whole process. It can only be there already
    // if this ran twice.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    cli::run(&Invocation { args: env::args_os().collect(), env: env::vars_os().collect() })
}
