//! The runtime of all outgoing HTTP.

use std::io;

use tokio::runtime::{Handle, Runtime};

/// Threads that it runs on.
const THREADS: usize = 2;

/// Owns the runtime. It may be let go of inside another runtime, which is not allowed to wait for it.
pub(super) struct Io(Option<Runtime>);

impl Io {
    pub(super) fn start() -> io::Result<Self> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(THREADS).thread_name("io").enable_all().build().map(|runtime| Self(Some(runtime)))
    }

    pub(super) fn handle(&self) -> Handle {
        self.0.as_ref().map_or_else(Handle::current, |runtime| runtime.handle().clone())
    }
}

impl Drop for Io {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
