//! The power goes at any moment.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use offdesk::store::Durability;

use crate::{
    child::{acks_in, command, kill, store_in},
    dice::{Dice, rounds},
    image::{Disk, Fate},
    recording::{self, Event, shim},
    verify::{Acks, Fault, acks, copy, verify},
};

/// How many images are made of one recording.
const IMAGES: usize = 8;

/// How much a recording acknowledges, in bytes of its acknowledgements: some 1,500 batches.
const RECORDED_BYTES: u64 = 12_000;

#[test]
fn no_acknowledged_batch_is_lost_and_every_disk_opens_when_the_power_goes() {
    let images = images(Durability::Fsync, rounds(16));
    for Image { faults, at, fate, batches } in &images {
        assert_eq!(faults, &Ok(()), "power lost at call {at}, unsynced writes {fate:?}, {batches} acknowledged");
    }
    let batches: u64 = images.iter().map(|image| image.batches).max().unwrap();
    println!("{} images, up to {batches} batches acknowledged, none lost", images.len());
    assert!(batches > 0, "nothing was written before the power went");
}

/// The same with the fsync left out: if this lost nothing, the test above would show nothing.
#[test]
fn acknowledged_batches_are_lost_if_the_fsync_is_left_out() {
    let images = images(Durability::WithoutFsync, 4);
    let bad = images.iter().filter(|image| matches!(image.faults, Err(Fault::Lost(_) | Fault::DoesNotOpen(_))));
    let bad = bad.count();
    println!("without the fsync {bad} of {} images lose batches or do not open", images.len());
    assert!(bad > 0);
}

/// What is wrong with an image, and how much had been acknowledged.
pub(crate) type Finding = (Result<(), Fault>, u64);

/// What writes until the power goes, and how the disk that is left is looked at.
pub(crate) struct Subject {
    pub(crate) command: fn(&Path, Durability) -> Command,
    /// The image, the disk as the processes saw it, and the folder that was recorded.
    pub(crate) check: fn(&Path, &Disk, &Path) -> Finding,
}

const STORE: Subject = Subject { command, check: check_store };

fn check_store(image: &Path, disk: &Disk, root: &Path) -> Finding {
    let acks: Acks = acks(&disk.seen(&acks_in(root)));
    let batches = acks.values().map(|last| last + 1).sum();
    (verify(&store_in(image), &acks), batches)
}

pub(crate) struct Image {
    pub(crate) faults: Result<(), Fault>,
    pub(crate) at: usize,
    pub(crate) fate: Fate,
    pub(crate) batches: u64,
}

/// Makes recordings, one on top of the other's store, and images of each.
fn images(durability: Durability, count: usize) -> Vec<Image> {
    images_of(&STORE, &|_| (), durability, count)
}

/// The same of another writer, whose folder is made ready first.
pub(crate) fn images_of(
    subject: &Subject,
    prepare: &dyn Fn(&Path),
    durability: Durability,
    count: usize,
) -> Vec<Image> {
    let mut dice = Dice::new();
    let dir = tempfile::tempdir().unwrap();
    // The recording knows files by the name the kernel gives them.
    let dir = dir.path().canonicalize().map(|path| (path, dir)).unwrap();
    let library = shim(&dir.0);
    let root = dir.0.join("root");
    fs::create_dir(&root).unwrap();
    prepare(&root);
    let mut images = Vec::new();
    while images.len() < count {
        let before = Disk::of(&root);
        let mut child = (subject.command)(&root, durability);
        let events = record(&mut child, &root, &library, &dir.0.join("recording"));
        let number = IMAGES.min(count - images.len());
        let cuts = Cuts { subject, root: &root, image: &dir.0.join("image"), number };
        images.extend(cuts.lose_power(before, events, &mut dice));
    }
    images
}

/// Lets a child write for a while.
fn record(child: &mut Command, root: &Path, library: &Path, recording: &Path) -> Vec<Event> {
    let _ = fs::remove_file(recording);
    let acknowledged = || fs::metadata(acks_in(root)).map_or(0, |file| file.len());
    let before = acknowledged();
    let child = child
        .env("LD_PRELOAD", library)
        .env("OFFDESK_SHIM_ROOT", root)
        .env("OFFDESK_SHIM_LOG", recording)
        .spawn()
        .unwrap();
    let started = Instant::now();
    while acknowledged() < before + RECORDED_BYTES && started.elapsed() < Duration::from_secs(10) {
        thread::sleep(Duration::from_millis(10));
    }
    kill(child);
    recording::read(recording)
}

/// Moments at which a recording is cut.
struct Cuts<'a> {
    subject: &'a Subject,
    root: &'a Path,
    image: &'a Path,
    number: usize,
}

impl Cuts<'_> {
    fn lose_power(&self, mut disk: Disk, events: Vec<Event>, dice: &mut Dice) -> Vec<Image> {
        let mut cuts: Vec<_> = (0..self.number).map(|_| dice.between(0, events.len() as u64 + 1) as usize).collect();
        // One at the end, where most is at stake.
        cuts[0] = events.len();
        cuts.sort_unstable();
        let mut cuts = cuts.into_iter().peekable();
        let mut images = Vec::new();
        let mut events = events.into_iter();
        for at in 0.. {
            while cuts.next_if_eq(&at).is_some() {
                let fate = [Fate::Dropped, Fate::Torn, Fate::CutOff][images.len() % 3];
                images.push(self.check(&disk, at, fate, dice));
            }
            let Some(event) = events.next() else { break };
            disk.follow(event);
        }
        images
    }

    fn check(&self, disk: &Disk, at: usize, fate: Fate, dice: &mut Dice) -> Image {
        disk.lose_power(self.root, self.image, fate, dice);
        let (faults, batches) = (self.subject.check)(self.image, disk, self.root);
        if faults.is_err() {
            keep(self.image);
        }
        fs::remove_dir_all(self.image).unwrap();
        Image { faults, at, fate, batches }
    }
}

/// A disk that shows a fault is kept if OFFDESK_CRASH_KEEP names a folder.
fn keep(image: &Path) {
    if let Some(folder) = std::env::var_os("OFFDESK_CRASH_KEEP").map(PathBuf::from) {
        copy(image, &folder);
    }
}
