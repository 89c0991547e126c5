//! What the child did to its files, in order, as the library in shim.c wrote it down.

use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Command,
};

/// One call of the child's, with the path of its file.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) path: PathBuf,
    pub(crate) call: Call,
}

#[derive(Debug)]
pub(crate) enum Call {
    Write { offset: usize, data: Vec<u8> },
    Truncate(usize),
    SyncBegins(u64),
    SyncEnds(u64),
    Create { truncated: bool },
    Rename(PathBuf),
    Unlink,
    MakeDir,
}

/// Compiles the library into `dir`.
pub(crate) fn shim(dir: &Path) -> PathBuf {
    let library = dir.join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/shim.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-lpthread")
        .status()
        .expect("the crash tests need a C compiler, `cc`");
    assert!(compiled.success());
    library
}

/// Reads a recording; what a kill cut off at its end is left out.
pub(crate) fn read(file: &Path) -> Vec<Event> {
    let bytes = fs::read(file).unwrap();
    let mut rest = &bytes[..];
    std::iter::from_fn(|| take(&mut rest)).collect()
}

fn take(rest: &mut &[u8]) -> Option<Event> {
    let mut at = *rest;
    let kind = u32::from_le_bytes(*at.split_off(..4)?.as_array()?);
    let path_len = u32::from_le_bytes(*at.split_off(..4)?.as_array()?) as usize;
    let number = u64::from_le_bytes(*at.split_off(..8)?.as_array()?);
    let len = u64::from_le_bytes(*at.split_off(..8)?.as_array()?) as usize;
    let path = PathBuf::from(OsStr::from_bytes(at.split_off(..path_len)?));
    let data = at.split_off(..len)?;
    let call = match kind {
        1 => Call::Write { offset: number as usize, data: data.to_vec() },
        2 => Call::Truncate(number as usize),
        3 => Call::SyncBegins(number),
        4 => Call::SyncEnds(number),
        5 => Call::Create { truncated: number == 1 },
        6 => Call::Rename(PathBuf::from(OsStr::from_bytes(data))),
        7 => Call::Unlink,
        8 => Call::MakeDir,
        kind => panic!("a call of kind {kind}"),
    };
    *rest = at;
    Some(Event { path, call })
}
