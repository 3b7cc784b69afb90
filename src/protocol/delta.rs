//! The bytes of one entity in a snapshot: whole, or relative to the row that the client holds; and its part of the
//! digest. All values here are quantised ([`Field::quantise`]).
//!
//! [`put_delta`] and [`read_delta`] are the one place where a row is compared with what the client holds. A tier that
//! compares with a *prediction* of that row (a pure function of it and the elapsed ticks) changes these two only.

use super::codec::CodecError;
use super::codec::varint::{self, Reader};
use super::schema::{EntityKind, Field};

/// Appends what turns `base` into `now`: a field mask (bit i stands for field i), then a zigzag difference per set bit.
/// Appends nothing and returns false if they are equal.
#[inline]
pub fn put_delta(kind: &EntityKind, base: &[i32], now: &[i32], out: &mut Vec<u8>) -> bool {
    if base == now {
        return false;
    }
    let changed = base.iter().zip(now).enumerate().filter(|(_, (base, now))| base != now);
    let mask = changed.fold(0_u32, |mask, (i, _)| mask | 1 << i);
    varint::put_u32(out, mask);
    for ((field, &base), &now) in kind.fields.iter().zip(base).zip(now) {
        if base != now {
            varint::put_i32(out, field.difference(base, now));
        }
    }
    true
}

/// Reads what [`put_delta`] wrote and applies it to `fields`.
///
/// # Errors
/// [`CodecError`] if the bytes end early or the mask names a field that the kind does not have.
pub fn read_delta(kind: &EntityKind, reader: &mut Reader<'_>, fields: &mut [i32]) -> Result<(), CodecError> {
    let mask = reader.u32()?;
    if u64::from(mask) >> kind.fields.len() != 0 {
        return Err(CodecError::Malformed(format!("a field mask names a field that {} does not have", kind.name)));
    }
    for (i, (field, value)) in kind.fields.iter().zip(fields).enumerate() {
        if mask >> i & 1 == 1 {
            *value = field.apply(*value, reader.i32()?);
        }
    }
    Ok(())
}

/// Appends a whole row: its kind's number as one raw byte, then every field in zigzag form.
#[inline]
pub fn put_full(kind: u8, fields: &[i32], out: &mut Vec<u8>) {
    out.push(kind);
    for &value in fields {
        varint::put_i32(out, value);
    }
}

/// Reads the fields of [`put_full`], after its kind.
///
/// # Errors
/// [`CodecError`] if the bytes end early or a value is no `i32`.
pub fn read_fields(fields: &[Field], reader: &mut Reader<'_>, out: &mut Vec<i32>) -> Result<(), CodecError> {
    for _ in fields {
        out.push(reader.i32()?);
    }
    Ok(())
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
