//! The process that is killed: writers that commit batches over three families, and say which were acknowledged.

use std::{
    env,
    fs::{self, File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Duration,
};

use offdesk::store::{self, Batch, Durability, Family, Options, Outcome, Record, StoreHandle};
use serde::{Deserialize, Serialize};

pub(crate) const WRITERS: u32 = 12;

/// How many entries of a writer live at once: older ones are deleted by later batches, so that the log is cleaned.
pub(crate) const ENTRIES: u64 = 20;
pub(crate) const SEEN: u64 = 200;

pub(crate) const ROOT: &str = "OFFDESK_CRASH_CHILD";
const WITHOUT_FSYNC: &str = "OFFDESK_CRASH_WITHOUT_FSYNC";

/// A record that tells of itself which writer's and which batch's it is; `F` is the family.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark<const F: u8> {
    pub(crate) writer: u32,
    pub(crate) number: u64,
    pub(crate) filler: String,
}

pub(crate) type Entry = Mark<0>;
pub(crate) type Seen = Mark<1>;
/// The newest of a writer, at number 0.
pub(crate) type Latest = Mark<2>;

impl<const F: u8> Record for Mark<F> {
    const FAMILY: Family = match F {
        0 => Family::Inbox,
        1 => Family::Seen,
        _ => Family::Agents,
    };
    const VERSION: u8 = 1;
    type Key = (u32, u64);

    fn key_bytes((writer, number): &(u32, u64)) -> Vec<u8> {
        [&writer.to_be_bytes()[..], &number.to_be_bytes()].concat()
    }
}

impl<const F: u8> Mark<F> {
    /// What batch `number` of `writer` writes: some records are large, most are as webhooks are.
    pub(crate) fn of(writer: u32, number: u64) -> Self {
        let long = if number % 97 == u64::from(writer) { 60_000 } else { 40 + (number * 7919) % 1500 };
        let filler = format!("{F}-{writer}-{number}-").repeat(long as usize / 12);
        Self { writer, number, filler }
    }
}

/// Batch `number` of `writer`: after it exactly the entries and seen marks of the last few numbers are there.
fn batch(writer: u32, number: u64) -> Batch {
    let mut batch = Batch::new();
    batch.unless_present::<Seen>(&(writer, number));
    batch.put(&(writer, number), &Entry::of(writer, number)).unwrap();
    batch.put(&(writer, number), &Seen::of(writer, number)).unwrap();
    batch.put(&(writer, 0), &Latest::of(writer, number)).unwrap();
    if let Some(old) = number.checked_sub(ENTRIES) {
        batch.delete::<Entry>(&(writer, old));
    }
    if let Some(old) = number.checked_sub(SEEN) {
        batch.delete::<Seen>(&(writer, old));
    }
    batch
}

/// Starts a child on the folder `root`.
pub(crate) fn command(root: &Path, durability: Durability) -> Command {
    command_of("child::writes_until_killed", root, durability)
}

/// The same for another child: a test of this binary that is ignored.
pub(crate) fn command_of(test: &str, root: &Path, durability: Durability) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]);
    command.env(ROOT, root).env_remove("OFFDESK_CRASH_ROUNDS");
    if durability == Durability::WithoutFsync {
        command.env(WITHOUT_FSYNC, "1");
    }
    command.stdout(Stdio::null());
    command
}

/// Kills a child as the kernel would: nothing of it runs any more.
pub(crate) fn kill(mut child: Child) {
    assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Waits for a child to acknowledge more than was before, however slow the machine is to start it.
pub(crate) fn until_it_acknowledges(root: &Path) {
    let acknowledged = || fs::metadata(acks_in(root)).map_or(0, |file| file.len());
    let before = acknowledged();
    while acknowledged() == before {
        thread::sleep(Duration::from_millis(1));
    }
}

/// What a child was told of its syncs.
pub(crate) fn durability() -> Durability {
    if env::var_os(WITHOUT_FSYNC).is_some() { Durability::WithoutFsync } else { Durability::Fsync }
}

pub(crate) fn store_in(root: &Path) -> PathBuf {
    root.join("store")
}

pub(crate) fn acks_in(root: &Path) -> PathBuf {
    root.join("acks")
}

#[test]
#[ignore = "runs in a process of its own, which the other tests start and kill"]
fn writes_until_killed() {
    let Some(root) = env::var_os(ROOT).map(PathBuf::from) else { return };
    let options = Options { durability: durability(), ..Options::default() };
    let opened = store::open(&store_in(&root), &options).unwrap();
    assert_eq!(opened.quarantined, None);
    let acks = OpenOptions::new().create(true).append(true).open(acks_in(&root)).unwrap();
    let (store, acks) = (opened.store, Arc::new(acks));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let writers: Vec<_> =
            (0..WRITERS).map(|writer| tokio::spawn(write(writer, store.clone(), acks.clone()))).collect();
        for writer in writers {
            writer.await.unwrap();
        }
    });
}

async fn write(writer: u32, store: StoreHandle, acks: Arc<File>) {
    let latest = store.get::<Latest>(&(writer, 0)).await.unwrap();
    let first = latest.map_or(0, |latest| latest.number + 1);
    for number in first.. {
        assert_eq!(store.commit(batch(writer, number)).await.unwrap(), Outcome::Applied);
        // One write, appended: whole or not at all, and in the recording behind the sync it depends on.
        (&*acks).write_all(format!("{writer} {number}\n").as_bytes()).unwrap();
    }
}
