//! What does a client pay for a snapshot? A delta of some two hundred entities that are seen, decoded and applied to a
//! view: in Rust, and the very same bytes in JavaScript through Node, if there is one.

#[path = "support/mod.rs"]
mod support;

use std::hint::black_box;
use std::process::Command;

use criterion::{Criterion, Throughput};
use support::{Match, arena_for, quick};
use tickroom::config::RoomConfig;
use tickroom::protocol::message::{ServerMessage, SnapshotHeader, Tier, Welcome};
use tickroom::protocol::view::{Applied, View};

/// Ships, so that with their bolts, rocks and scores about two hundred entities are seen.
const SHIPS: u16 = 48;

/// A viewer's messages: its Welcome, then its snapshots from the first.
fn record(snapshots: usize) -> Vec<Vec<u8>> {
    let mut game = Match::new(SHIPS, 0, &arena_for(SHIPS.into(), true), RoomConfig::default(), Tier::Delta);
    game.sink.shut = true;
    game.run(300);
    game.sink.shut = false;
    game.sink.only = Some(game.viewer(0));
    game.sink.keep = true;
    let mut messages = vec![game.welcome.to_vec()];
    while messages.len() < snapshots + 1 {
        game.tick();
        messages
            .extend(game.sink.kept.iter().map(|(_, message)| message.to_vec()).filter(|message| is_snapshot(message)));
    }
    messages
}

fn is_snapshot(message: &[u8]) -> bool {
    matches!(ServerMessage::decode(message), Ok((ServerMessage::Snapshot(_), _)))
}

fn welcome(message: &[u8]) -> Welcome {
    match ServerMessage::decode(message) {
        Ok((ServerMessage::Welcome(welcome), _)) => *welcome,
        other => panic!("{other:?} is no Welcome"),
    }
}

fn apply_all(view: &mut View, snapshots: &[Vec<u8>]) {
    for bytes in snapshots {
        let (message, body) = ServerMessage::decode(bytes).expect("a whole message");
        let ServerMessage::Snapshot(header) = message else { panic!("{message:?} is no snapshot") };
        assert_eq!(view.apply(&header, body), Ok(Applied::Yes));
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let count = if quick() { 10 } else { 300 };
    let messages = record(count);
    let (first, snapshots) = messages.split_first().expect("a Welcome");
    let mut view = View::new(&welcome(first).schema);
    apply_all(&mut view, snapshots);
    let deltas = |header: &SnapshotHeader| header.base > 0;
    let relative = snapshots.iter().filter(|bytes| match ServerMessage::decode(bytes) {
        Ok((ServerMessage::Snapshot(header), _)) => deltas(&header),
        _ => false,
    });
    assert_eq!(relative.count(), count - 1, "all but the first are deltas");
    assert!((100..400).contains(&view.len()), "{} entities are held", view.len());
    let bytes: usize = snapshots.iter().map(Vec::len).sum();
    println!("{} entities held, {} bytes per snapshot", view.len(), bytes / count);

    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Elements(count as u64));
    group.bench_function("Rust: decode and apply", |bencher| {
        bencher.iter(|| apply_all(black_box(&mut view), snapshots));
    });
    group.finish();
    criterion.final_summary();
    javascript(&messages, if quick() { 1 } else { 100 }, view.digest());
}

/// Through `benches/decode/apply.mjs`, which says what the view's digest is in the end, and how long it took.
fn javascript(messages: &[Vec<u8>], rounds: u32, digest: u32) {
    let mut recorded = Vec::new();
    for message in messages {
        recorded.extend_from_slice(&(message.len() as u32).to_le_bytes());
        recorded.extend_from_slice(message);
    }
    let file = std::env::temp_dir().join(format!("tickroom-decode-{}.bin", std::process::id()));
    std::fs::write(&file, recorded).expect("a temporary file");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/decode/apply.mjs");
    let output = Command::new("node").arg(script).arg(&file).arg(rounds.to_string()).output();
    std::fs::remove_file(&file).expect("the file is ours");
    let output = match output {
        Ok(output) => output,
        Err(error) => return println!("JavaScript: not measured, there is no Node ({error})"),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    let told = text.lines().find_map(|line| line.strip_prefix("digest "));
    assert_eq!(told, Some(digest.to_string().as_str()), "JavaScript holds another view");
    print!("{text}");
}
