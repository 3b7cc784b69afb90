//! The bits of one entity in a snapshot: whole, or relative to the row that the client holds; the lists that it stands
//! in; and its part of the digest. All values here are quantised ([`Field::quantise`]).
//!
//! [`put_delta`] and [`read_delta`] are the one place where a row is compared with what the client holds. A tier that
//! compares with a *prediction* of that row (a pure function of it and the elapsed ticks) changes these two only.

use super::bits::{BitReader, BitWriter, NUMBER_BITS};
use super::codec::CodecError;
use super::schema::{EntityKind, Field};

/// The order of a gap between two ids of a list.
pub const GAP_ORDER: u8 = 5;
/// The order of a kind's number.
pub const KIND_ORDER: u8 = 3;
/// The order of an event's age in ticks.
pub const AGE_ORDER: u8 = 1;

/// Appends what turns `base` into `now`: nothing for a constant kind; else one bit, whether they differ, and behind a 1
/// the difference of every field that moves, then whether any other differs, and which, and by how much. Returns
/// whether they differ.
#[inline]
pub fn put_delta(kind: &EntityKind, base: &[i32], now: &[i32], out: &mut BitWriter) -> bool {
    if kind.constant {
        return false;
    }
    let differ = base != now;
    let mut pen = out.pen((1 + NUMBER_BITS) * kind.fields.len() + 2);
    pen.bit(differ);
    if differ {
        let fields = || kind.fields.iter().zip(base.iter().zip(now));
        for (field, (&base, &now)) in fields().filter(|(field, _)| field.moves()) {
            pen.signed(field.difference(base, now), field.change_order);
        }
        if kind.fields.iter().any(|field| !field.moves()) {
            let rest = || fields().filter(|(field, _)| !field.moves());
            let any = rest().any(|(_, (base, now))| base != now);
            pen.bit(any);
            for (field, (&base, &now)) in rest().filter(|_| any) {
                pen.bit(base != now);
                if base != now {
                    pen.signed(field.difference(base, now), field.change_order);
                }
            }
        }
    }
    pen.lift();
    differ
}

/// Reads what [`put_delta`] wrote and applies it to `fields`. Returns whether anything was told.
///
/// # Errors
/// [`CodecError`] if the bits end early or hold what is no number.
pub fn read_delta(kind: &EntityKind, reader: &mut BitReader<'_>, fields: &mut [i32]) -> Result<bool, CodecError> {
    if kind.constant || !reader.bit()? {
        return Ok(false);
    }
    let mut others = false;
    for (field, value) in kind.fields.iter().zip(&mut *fields) {
        if field.moves() {
            *value = field.apply(*value, reader.signed(field.change_order)?);
        } else {
            others = true;
        }
    }
    if others && reader.bit()? {
        for (field, value) in kind.fields.iter().zip(fields).filter(|(field, _)| !field.moves()) {
            if reader.bit()? {
                *value = field.apply(*value, reader.signed(field.change_order)?);
            }
        }
    }
    Ok(true)
}

/// Appends every field of a whole row or event as the difference from where the field begins at `tick`, which is that of
/// the snapshot or of the event.
#[inline]
pub fn put_fields(fields: &[Field], tick: u32, values: &[i32], out: &mut BitWriter) {
    let mut pen = out.pen(NUMBER_BITS * fields.len());
    for (field, &value) in fields.iter().zip(values) {
        pen.signed(field.difference(field.origin(tick), value), field.value_order);
    }
    pen.lift();
}

/// Reads what [`put_fields`] wrote.
///
/// # Errors
/// [`CodecError`] if the bits end early or hold what is no number.
pub fn read_fields(
    fields: &[Field],
    tick: u32,
    reader: &mut BitReader<'_>,
    out: &mut Vec<i32>,
) -> Result<(), CodecError> {
    for field in fields {
        out.push(field.apply(field.origin(tick), reader.signed(field.value_order)?));
    }
    Ok(())
}

/// A list of ascending ids, written as gaps: the first is the id itself, each further one the id minus the one before.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ids {
    last: u32,
}

impl Ids {
    /// Appends the next id.
    #[inline]
    pub fn put(&mut self, id: u32, out: &mut BitWriter) {
        out.number(id - self.last, GAP_ORDER);
        self.last = id;
    }

    /// Ends the list, with a gap of 0.
    pub fn end(self, out: &mut BitWriter) {
        out.number(0, GAP_ORDER);
    }
}

/// Appends an entity's kind, before its fields.
#[inline]
pub fn put_kind(kind: u8, out: &mut BitWriter) {
    out.number(kind.into(), KIND_ORDER);
}

/// Appends an event's kind and age, before its fields.
#[inline]
pub fn put_event(kind: u8, age: u32, out: &mut BitWriter) {
    out.number(u32::from(kind) + 1, KIND_ORDER);
    out.number(age, AGE_ORDER);
}

/// Ends the list of events.
pub fn put_no_event(out: &mut BitWriter) {
    out.number(0, KIND_ORDER);
}

/// One entity's part of the digest, which is the wrapping sum of these over a view. Each step is a bijection of 32
/// bits, so one wrong field always shows.
#[inline]
#[must_use]
pub fn row_hash(id: u32, kind: u8, fields: &[i32]) -> u32 {
    let mut h = (id << 8 | u32::from(kind)).wrapping_mul(0x9E37_79B1);
    for &value in fields {
        h = (h ^ value as u32).wrapping_mul(0x85EB_CA6B);
        h ^= h >> 15;
    }
    h = h.wrapping_mul(0xC2B2_AE35);
    h ^ h >> 16
}
