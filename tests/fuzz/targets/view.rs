//! Any bytes as a stream of snapshots for a view: no panic, and the view stays in order.

use tickroom::protocol::message::SnapshotHeader;
use tickroom::protocol::schema::{EntityKind, EventKind, Field, Schema};
use tickroom::protocol::view::{Applied, View};

fn schema() -> Schema {
    Schema {
        game: "fuzz".into(),
        rules: 0,
        kinds: vec![
            EntityKind::public(
                "mover",
                vec![Field::linear("x", 1, 10), Field::angle("turn", 8), Field::angle("fine", 0)],
            ),
            EntityKind::public("dot", vec![]),
            EntityKind::public("widest", (0..32).map(|i| Field::step("w").orders(i % 31, 30 - i % 31)).collect()),
            EntityKind::constant("rock", vec![Field::tick("born")]),
        ],
        inputs: vec![],
        events: vec![EventKind::new("bare", vec![]), EventKind::new("full", vec![Field::tick("a"), Field::step("b")])],
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
            if kind.0 == 0 {
                // Whatever came, an angle lies within a turn.
                assert!((0..256).contains(&fields[1]) && (0..65_536).contains(&fields[2]), "{fields:?}");
            }
        }
        // Six bits each; and a snapshot that was not applied tells nothing.
        assert!(view.events().count() <= if matches!(applied, Ok(Applied::Yes)) { body.len() * 8 / 6 } else { 0 });
        // Every digest is some number; it must not depend on when it is asked for.
        assert_eq!(view.digest(), view.digest());
    }
}
