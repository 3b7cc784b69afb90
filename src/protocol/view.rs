//! What a client holds: rows by id, exactly as the server knows it. The room keeps no such thing; this is the client's
//! side, for Rust clients, the load generator, the conformance runner and the tests.

use super::bits::BitReader;
use super::codec::CodecError;
use super::delta::{AGE_ORDER, GAP_ORDER, KIND_ORDER, read_delta, read_fields, row_hash};
use super::message::{SnapshotHeader, flags};
use super::schema::{EntityKind, EventKind, Schema};
use crate::ids::{EntityId, EventKindId, KindId, Tick};

/// Why a snapshot could not be applied. The view is [broken](View::is_broken) then: send Resync, at most once a second,
/// and go on applying; it heals with the next snapshot whose base is 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// The body breaks the layout.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// An id above the maximum.
    #[error("{0} is no entity id")]
    BadId(u64),
    /// A kind that the schema does not have.
    #[error("the schema has no kind {0}")]
    UnknownKind(u32),
    /// It leaves, but the view does not hold it.
    #[error("entity {0} leaves, but it is not held")]
    NotHeld(u32),
    /// It enters, but the view holds it already.
    #[error("entity {0} enters, but it is held")]
    Held(u32),
    /// The snapshot is relative to a state before the last one that was applied.
    #[error("relative to tick {base}, but the view is at tick {held}")]
    Base {
        /// What it is relative to.
        base: u32,
        /// What the view holds.
        held: u32,
    },
    /// The view differs from the server's.
    #[error("the digest is {held:#010x}, the server's {told:#010x}")]
    Digest {
        /// The server's.
        told: u32,
        /// The view's.
        held: u32,
    },
}

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The view is the server's at this tick.
    Yes,
    /// The view is broken and the snapshot is relative to something: it was not looked at.
    Waiting,
}

/// A one-shot fact out of the last snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewEvent<'a> {
    /// What happened.
    pub kind: EventKindId,
    /// When.
    pub tick: Tick,
    /// Its fields, in schema order.
    pub fields: &'a [i32],
}

/// The rows that a seat holds, by ascending id, quantised.
#[derive(Clone, Debug)]
pub struct View {
    kinds: Vec<EntityKind>,
    event_kinds: Vec<EventKind>,
    /// Fields per row in `values`: the most that any kind has.
    stride: usize,
    tick: u32,
    broken: bool,
    rows: Table,
    /// The next `rows` while ids come and go; kept for its memory.
    spare: Table,
    events: Vec<(EventKindId, Tick, usize)>,
    event_values: Vec<i32>,
}

#[derive(Clone, Debug, Default)]
struct Table {
    heads: Vec<(u32, u8)>,
    values: Vec<i32>,
}

impl Table {
    fn clear(&mut self) {
        self.heads.clear();
        self.values.clear();
    }
}

impl View {
    /// An empty view, waiting for a snapshot with base 0.
    #[must_use]
    pub fn new(schema: &Schema) -> Self {
        Self {
            kinds: schema.kinds.clone(),
            event_kinds: schema.events.clone(),
            stride: schema.kinds.iter().map(|kind| kind.fields.len()).max().unwrap_or(0),
            tick: 0,
            broken: true,
            rows: Table::default(),
            spare: Table::default(),
            events: Vec::new(),
            event_values: Vec::new(),
        }
    }

    /// The tick of the last snapshot applied.
    #[must_use]
    pub fn tick(&self) -> Tick {
        Tick(self.tick)
    }

    /// True until a snapshot with base 0 came, and again after any [`ViewError`].
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// How many rows the view holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.heads.len()
    }

    /// True if it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.heads.is_empty()
    }

    /// All rows, by ascending id: id, kind, quantised fields.
    pub fn rows(&self) -> impl Iterator<Item = (EntityId, KindId, &[i32])> {
        self.rows.heads.iter().enumerate().map(|(at, &(id, kind))| {
            let fields = &self.rows.values[at * self.stride..][..self.kinds[usize::from(kind)].fields.len()];
            (EntityId::new(id).expect("only checked ids are held"), KindId(kind), fields)
        })
    }

    /// One row's kind and quantised fields.
    #[must_use]
    pub fn row(&self, id: EntityId) -> Option<(KindId, &[i32])> {
        let at = self.rows.heads.binary_search_by_key(&id.get(), |head| head.0).ok()?;
        let kind = self.rows.heads[at].1;
        Some((KindId(kind), &self.rows.values[at * self.stride..][..self.kinds[usize::from(kind)].fields.len()]))
    }

    /// The events of the last snapshot, if it was applied.
    pub fn events(&self) -> impl Iterator<Item = ViewEvent<'_>> {
        self.events.iter().enumerate().map(|(i, &(kind, tick, start))| {
            let end = self.events.get(i + 1).map_or(self.event_values.len(), |next| next.2);
            ViewEvent { kind, tick, fields: &self.event_values[start..end] }
        })
    }

    /// The digest of what is held: equal to the server's if the views are equal.
    #[must_use]
    pub fn digest(&self) -> u32 {
        self.rows().fold(0, |sum, (id, kind, fields)| sum.wrapping_add(row_hash(id.get(), kind.0, fields)))
    }

    /// Applies one snapshot, as [`ServerMessage::decode`](super::message::ServerMessage::decode) gave it.
    ///
    /// # Errors
    /// Any [`ViewError`]; the view is broken until the next snapshot with base 0.
    pub fn apply(&mut self, header: &SnapshotHeader, body: &[u8]) -> Result<Applied, ViewError> {
        self.events.clear();
        self.event_values.clear();
        if self.broken && header.base != 0 {
            return Ok(Applied::Waiting);
        }
        let result = self.read(header, body);
        self.broken = result.is_err();
        if self.broken {
            // Half of a snapshot tells nothing.
            self.events.clear();
        }
        result.map(|()| Applied::Yes)
    }

    fn read(&mut self, header: &SnapshotHeader, body: &[u8]) -> Result<(), ViewError> {
        let tick = u32::from(header.tick);
        let (bits, told) = if header.flags & flags::DIGEST == 0 {
            (body, None)
        } else {
            let (bits, digest) = body.split_last_chunk().ok_or(CodecError::Truncated)?;
            (bits, Some(u32::from_le_bytes(*digest)))
        };
        let mut reader = BitReader::new(bits);
        if header.base == 0 {
            self.rows.clear();
        } else {
            let base = tick.saturating_sub(header.base);
            if base < self.tick {
                return Err(ViewError::Base { base, held: self.tick });
            }
        }
        self.read_left(&mut reader)?;
        self.read_changed(&mut reader)?;
        self.read_entered(&mut reader, tick)?;
        self.read_events(&mut reader, tick)?;
        reader.finish()?;
        self.tick = tick;
        match told {
            Some(told) if told != self.digest() => Err(ViewError::Digest { told, held: self.digest() }),
            _ => Ok(()),
        }
    }

    fn read_left(&mut self, reader: &mut BitReader<'_>) -> Result<(), ViewError> {
        let mut last = 0;
        let Some(mut id) = next_id(&mut last, reader)? else { return Ok(()) };
        self.spare.clear();
        let mut kept = 0;
        loop {
            kept = self.keep_below(kept, id);
            if self.rows.heads.get(kept).is_none_or(|head| head.0 != id) {
                return Err(ViewError::NotHeld(id));
            }
            kept += 1;
            match next_id(&mut last, reader)? {
                Some(next) => id = next,
                None => break,
            }
        }
        self.keep_below(kept, u32::MAX);
        std::mem::swap(&mut self.rows, &mut self.spare);
        Ok(())
    }

    fn read_changed(&mut self, reader: &mut BitReader<'_>) -> Result<(), ViewError> {
        for (at, &(_, kind)) in self.rows.heads.iter().enumerate() {
            let kind = &self.kinds[usize::from(kind)];
            read_delta(kind, reader, &mut self.rows.values[at * self.stride..][..kind.fields.len()])?;
        }
        Ok(())
    }

    fn read_entered(&mut self, reader: &mut BitReader<'_>, tick: u32) -> Result<(), ViewError> {
        let mut last = 0;
        let Some(mut id) = next_id(&mut last, reader)? else { return Ok(()) };
        self.spare.clear();
        let mut kept = 0;
        loop {
            kept = self.keep_below(kept, id);
            if self.rows.heads.get(kept).is_some_and(|head| head.0 == id) {
                return Err(ViewError::Held(id));
            }
            let number = reader.number(KIND_ORDER)?;
            let kind = self.kinds.get(number as usize).ok_or(ViewError::UnknownKind(number))?;
            self.spare.heads.push((id, number as u8));
            read_fields(&kind.fields, tick, reader, &mut self.spare.values)?;
            self.spare.values.resize(self.spare.heads.len() * self.stride, 0);
            match next_id(&mut last, reader)? {
                Some(next) => id = next,
                None => break,
            }
        }
        self.keep_below(kept, u32::MAX);
        std::mem::swap(&mut self.rows, &mut self.spare);
        Ok(())
    }

    /// Copies the held rows from place `from` with ids below `id` to `spare`; returns the first place not copied.
    fn keep_below(&mut self, from: usize, id: u32) -> usize {
        let end = from + self.rows.heads[from..].partition_point(|head| head.0 < id);
        self.spare.heads.extend_from_slice(&self.rows.heads[from..end]);
        self.spare.values.extend_from_slice(&self.rows.values[from * self.stride..end * self.stride]);
        end
    }

    fn read_events(&mut self, reader: &mut BitReader<'_>, tick: u32) -> Result<(), ViewError> {
        loop {
            let number = reader.number(KIND_ORDER)?;
            let Some(number) = number.checked_sub(1) else { return Ok(()) };
            let happened = tick.saturating_sub(reader.number(AGE_ORDER)?);
            let kind = self.event_kinds.get(number as usize).ok_or(ViewError::UnknownKind(number))?;
            self.events.push((EventKindId(number as u8), Tick(happened), self.event_values.len()));
            read_fields(&kind.fields, happened, reader, &mut self.event_values)?;
        }
    }
}

/// The next id of a list of gaps after `last`; `None` at its end.
fn next_id(last: &mut u32, reader: &mut BitReader<'_>) -> Result<Option<u32>, ViewError> {
    let gap = reader.number(GAP_ORDER)?;
    let id = u64::from(*last) + u64::from(gap);
    if id > u64::from(EntityId::MAX) {
        return Err(ViewError::BadId(id));
    }
    *last = id as u32;
    Ok((gap != 0).then_some(*last))
}
