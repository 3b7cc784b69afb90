//! What a game gets wrong while it is played, and what the room does about it.

use crate::protocol::schema::KINDS_MAX;

/// A mistake of the game that the room bears: nothing breaks and nothing wrong reaches a client. Each sort is told once a
/// room, by [`Room::poll_flaw`](super::Room::poll_flaw).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// More rows than a view holds.
    #[error(
        "a viewer would see {rows} rows, but a view holds {most}: those with the highest ids are left out until others go. Let \
         `visible` name fewer, or give the room fewer seats (room.seats_max); spectators see all public rows"
    )]
    Rows {
        /// How many there are to be seen.
        rows: usize,
        /// How many a view holds.
        most: usize,
    },
    /// An event of a kind that is not there; it is left out.
    #[error(
        "the game tells an event of kind {kind}, but its schema has {kinds} (numbered from 0): add the kind to `schema`"
    )]
    EventKind {
        /// The kind's number.
        kind: u8,
        /// How many there are.
        kinds: usize,
    },
    /// An event with another number of fields than its kind has; it is left out.
    #[error("the game tells a `{kind}` event with {told} fields, but in its schema that kind has {fields}")]
    EventFields {
        /// The kind's name.
        kind: String,
        /// How many fields were told.
        told: usize,
        /// How many the kind has.
        fields: usize,
    },
}

/// The flaws that were found, each sort once.
#[derive(Debug, Default)]
pub(super) struct Flaws {
    /// Which sorts were found ever: rows; event kinds, one bit each; fields of an event kind, likewise.
    rows: bool,
    unknown_kind: bool,
    fields: u64,
    untold: Vec<Flaw>,
}

const _: () = assert!(KINDS_MAX <= u64::BITS as usize, "a bit for each event kind");

impl Flaws {
    pub(super) fn note_rows(&mut self, rows: usize, most: usize) {
        if !std::mem::replace(&mut self.rows, true) {
            self.untold.push(Flaw::Rows { rows, most });
        }
    }

    pub(super) fn note_unknown_kind(&mut self, kind: u8, kinds: usize) {
        if !std::mem::replace(&mut self.unknown_kind, true) {
            self.untold.push(Flaw::EventKind { kind, kinds });
        }
    }

    /// `kind` is below [`KINDS_MAX`].
    pub(super) fn note_fields(&mut self, kind: u8, name: &str, told: usize, fields: usize) {
        let bit = 1 << kind;
        if self.fields & bit == 0 {
            self.fields |= bit;
            self.untold.push(Flaw::EventFields { kind: name.to_owned(), told, fields });
        }
    }

    pub(super) fn poll(&mut self) -> Option<Flaw> {
        self.untold.pop()
    }
}
