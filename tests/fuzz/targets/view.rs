//! Any bytes as a stream of snapshots for a view: no panic, and the view stays in order.

use tickroom::protocol::message::SnapshotHeader;
use tickroom::protocol::schema::{EntityKind, EventKind, Field, Schema};
use tickroom::protocol::view::{Applied, View};

fn schema() -> Schema {
    let kind = |name: &str, fields| EntityKind { name: name.into(), private: false, fields };
    Schema {
        game: "fuzz".into(),
        rules: 0,
        kinds: vec![
            kind("mover", vec![Field::linear("x", 1, 10), Field::angle("turn", 8), Field::angle("fine", 0)]),
            kind("dot", vec![]),
            kind("widest", (0..32).map(|_| Field::step("w")).collect()),
        ],
        inputs: vec![],
        events: vec![
            EventKind { name: "bare".into(), fields: vec![] },
            EventKind { name: "full".into(), fields: vec![Field::step("a"), Field::step("b")] },
        ],
    }
}

/// Each snapshot is: base, flags, the body's length, the body.
pub(crate) fn run(data: &[u8]) {
    let mut view = View::new(&schema());
    let mut rest = data;
    let mut tick = 100_u32;
    while let [base, flags, length, after @ ..] = rest {
        let (body, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        tick += 2;
        let header = SnapshotHeader {
            tick: tick.into(),
            // Mostly plausible, or nothing would ever be looked at.
            base: u32::from(base % 8),
            ack: 0,
            margin: 0,
            flags: *flags,
            lateness: 0,
            skipped: 0,
        };
        let before = view.is_broken();
        let applied = view.apply(&header, body);
        assert_eq!(view.is_broken(), applied.is_err() || before && header.base != 0, "{applied:?}");
        let ids: Vec<u32> = view.rows().map(|(id, ..)| id.get()).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for (id, kind, fields) in view.rows() {
            assert_eq!(view.row(id), Some((kind, fields)));
            if kind.0 == 0 && applied.is_ok() {
                // An angle that came as a difference lies within a turn; one that came whole is the sender's word.
                assert_eq!(fields.len(), 3);
            }
        }
        // Two bytes each; and a snapshot that was not applied tells nothing.
        assert!(view.events().count() <= if matches!(applied, Ok(Applied::Yes)) { body.len() / 2 } else { 0 });
        // Every digest is some number; it must not depend on when it is asked for.
        assert_eq!(view.digest(), view.digest());
    }
}
