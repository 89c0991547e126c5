//! kill -9 at any moment, that of opening included.

use std::{fs, thread, time::Duration};

use offdesk::store::Durability;

use crate::{
    child::{acks_in, command, kill, store_in, until_it_acknowledges},
    dice::{Dice, rounds},
    verify::{acks, copy, verify},
};

#[test]
fn no_acknowledged_batch_is_lost_however_often_the_process_is_killed() {
    let (mut dice, rounds) = (Dice::new(), rounds(10));
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir(&root).unwrap();
    let mut batches = 0;
    for round in 0..rounds {
        let child = command(&root, Durability::Fsync).spawn().unwrap();
        if dice.coin() || round == 0 {
            until_it_acknowledges(&root);
        }
        // A process that is killed at a random time is the point of this test; nothing waits on it.
        let longest = if dice.coin() { 100 } else { 900 };
        thread::sleep(Duration::from_millis(dice.between(10, longest)));
        kill(child);
        if !store_in(&root).exists() {
            continue;
        }
        // A copy is opened, so that the next child finds the store as the killed one left it.
        let copied = dir.path().join("copy");
        copy(&store_in(&root), &copied);
        let acks = acks(&fs::read(acks_in(&root)).unwrap_or_default());
        assert_eq!(verify(&copied, &acks), Ok(()), "round {round}");
        fs::remove_dir_all(&copied).unwrap();
        batches = acks.values().map(|last| last + 1).sum();
    }
    println!("{rounds} kills, {batches} batches acknowledged, none lost");
    assert!(batches > 0, "nothing was written between the kills");
}
