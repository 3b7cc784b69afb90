//! The small corpus that coverage-guided fuzzing left behind (tests/fuzz), replayed on stable Rust: what once reached a
//! corner of the decoder, of a client's view or of the pure room still must not break it.

mod support;

#[path = "fuzz/targets/decode.rs"]
mod decode;
#[path = "fuzz/targets/room.rs"]
mod room;
#[path = "fuzz/targets/view.rs"]
mod view;

use std::path::PathBuf;

// The room's target finds the harness here, as in its own crate.
use support::peers;

/// Runs `target` with every file of its corpus.
fn replay(name: &str, target: impl Fn(&[u8])) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 20, "{} holds only {} files", folder.display(), files.len());
    for file in files {
        let data = std::fs::read(&file).unwrap();
        // Shown only if the run panics: the file to look at.
        println!("{}", file.display());
        target(&data);
    }
}

#[test]
fn the_decoder_survives_its_corpus() {
    replay("decode", decode::run);
}

#[test]
fn the_view_survives_its_corpus() {
    replay("view", view::run);
}

#[test]
fn the_room_survives_its_corpus() {
    replay("room", room::run);
}
