//! The bits of a snapshot's body, the lowest bit of each byte first, and the one way in which numbers stand in them:
//! exponential Golomb codes. A number of order k is small if it lies below `2^k`, and takes `k + 1` bits then; each
//! doubling beyond costs two more.

use super::codec::CodecError;

/// The largest order: with it any number takes 35 bits at most.
pub const ORDER_MAX: u8 = 30;

/// A number takes this many bits at most.
pub(super) const NUMBER_BITS: usize = 65;

/// Bits that one step writes or copies at most: with up to seven that wait for their byte they still fit in 64.
const STEP_BITS: u32 = 56;

/// 0, -1, 1, -2, .. to 0, 1, 2, 3, ..
#[inline]
#[must_use]
pub fn zigzag(value: i32) -> u32 {
    ((value << 1) ^ (value >> 31)) as u32
}

/// The inverse of [`zigzag`].
#[inline]
#[must_use]
pub fn unzigzag(value: u32) -> i32 {
    (value >> 1) as i32 ^ -((value & 1) as i32)
}

/// Bits, written front to back. The memory is kept for the next ones.
#[derive(Debug, Default)]
pub struct BitWriter {
    /// Every step stores eight bytes, however few its bits: what lies behind `end` is overwritten by the next.
    bytes: Vec<u8>,
    end: End,
}

/// How far a writer has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct End {
    /// Whole bytes.
    at: usize,
    /// The bits after them, fewer than eight, and how many they are.
    last: u64,
    filled: u32,
}

/// Some of a writer's bits.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// True if there are none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len == 0
    }
}

impl BitWriter {
    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.end = End::default();
    }

    /// How many bits were written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.end.at * 8 + self.end.filled as usize
    }

    /// True if none were.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was written, with zeros up to the next whole byte.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len().div_ceil(8)]
    }

    /// How far it has come, for [`BitWriter::back_to`] and [`BitWriter::since`].
    #[must_use]
    pub fn end(&self) -> End {
        self.end
    }

    /// Forgets what was written after `end`.
    pub fn back_to(&mut self, end: End) {
        self.end = end;
    }

    /// What was written after `end`.
    #[must_use]
    pub fn since(&self, end: End) -> Span {
        let start = end.at * 8 + end.filled as usize;
        Span { start: start as u32, len: (self.len() - start) as u32 }
    }

    /// Appends one bit.
    #[inline]
    pub fn bit(&mut self, bit: bool) {
        let mut pen = self.pen(1);
        pen.bit(bit);
        pen.lift();
    }

    /// Appends a number of order `order`, as [`Pen::number`].
    #[inline]
    pub fn number(&mut self, value: u32, order: u8) {
        let mut pen = self.pen(NUMBER_BITS);
        pen.number(value, order);
        pen.lift();
    }

    /// Appends zeros up to the next whole byte, then four bytes, little-endian.
    pub fn fixed_u32(&mut self, value: u32) {
        let padding = (8 - self.end.filled) % 8;
        let mut pen = self.pen(48);
        pen.put(0, padding);
        pen.put(value.into(), 32);
        pen.lift();
    }

    /// Appends a part of another writer's bits.
    #[inline]
    pub fn copy(&mut self, from: &Self, span: Span) {
        if span.is_empty() {
            return; // from a writer that may have no memory yet
        }
        let mut pen = self.pen(span.len as usize);
        pen.copy(from, span);
        pen.lift();
    }

    /// Appends all of another writer's bits.
    pub fn append(&mut self, from: &Self) {
        self.copy(from, from.since(End::default()));
    }

    /// To append up to so many bits without a look at the memory for each.
    #[inline]
    pub fn pen(&mut self, bits: usize) -> Pen<'_> {
        let wanted = self.end.at + bits / 8 + 16;
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted.max(2 * self.bytes.len()), 0);
        }
        Pen { bytes: &mut self.bytes, end: self.end, home: &mut self.end }
    }

    /// At least 57 bits from a place on.
    #[inline]
    fn peek(&self, at: usize) -> u64 {
        let bytes = &self.bytes[at / 8..][..8];
        u64::from_le_bytes(bytes.try_into().expect("eight bytes were taken")) >> (at % 8)
    }
}

/// A writer in hand: where it stands is kept in registers until it is [lifted](Pen::lift).
#[derive(Debug)]
pub struct Pen<'a> {
    bytes: &'a mut [u8],
    end: End,
    home: &'a mut End,
}

impl Pen<'_> {
    /// Appends the lowest `len` bits of `bits`, at most [`STEP_BITS`]; the others are 0. No branch but the slice's own.
    #[inline(always)]
    fn put(&mut self, bits: u64, len: u32) {
        let End { at, last, filled } = self.end;
        let last = last | bits << filled;
        self.bytes[at..][..8].copy_from_slice(&last.to_le_bytes());
        let filled = filled + len;
        self.end = End { at: at + (filled / 8) as usize, last: last >> (filled & !7), filled: filled % 8 };
    }

    /// Appends one bit.
    #[inline(always)]
    pub fn bit(&mut self, bit: bool) {
        self.put(u64::from(bit), 1);
    }

    /// Appends a number of order `order`: q one-bits and a zero-bit, then k + q bits r, where the number is
    /// `((1 << q) - 1 << k) + r`. In other words: `number + (1 << k)` in binary, its leading 1 told by the ones before.
    #[inline(always)]
    pub fn number(&mut self, value: u32, order: u8) {
        let sum = u64::from(value) + (1 << order);
        let long = sum.ilog2();
        let ones = long - u32::from(order);
        self.put((1 << ones) - 1, ones + 1);
        self.put(sum ^ 1 << long, long);
    }

    /// Appends a number of either sign: 0, -1, 1, -2 as 0, 1, 2, 3.
    #[inline(always)]
    pub fn signed(&mut self, value: i32, order: u8) {
        self.number(zigzag(value), order);
    }

    /// Appends a part of a writer's bits, at least one. Nearly all parts are one step: only as a part of its caller's loop
    /// it costs no more than that.
    #[inline(always)]
    pub fn copy(&mut self, from: &BitWriter, span: Span) {
        let last = if span.len > STEP_BITS { self.copy_steps(from, span) } else { span };
        self.put(from.peek(last.start as usize) & ((1 << last.len) - 1), last.len);
    }

    /// Appends all but the last step of a part; returns that.
    #[cold]
    fn copy_steps(&mut self, from: &BitWriter, Span { mut start, mut len }: Span) -> Span {
        while len > STEP_BITS {
            self.put(from.peek(start as usize) & ((1 << STEP_BITS) - 1), STEP_BITS);
            start += STEP_BITS;
            len -= STEP_BITS;
        }
        Span { start, len }
    }

    /// Hands back to the writer how far it has come.
    #[inline]
    pub fn lift(self) {
        *self.home = self.end;
    }
}

/// Reads bits front to back; every read checks that they are there.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> BitReader<'a> {
    /// Starts at the front of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bits have been read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// One bit.
    ///
    /// # Errors
    /// [`CodecError::Truncated`].
    #[inline]
    pub fn bit(&mut self) -> Result<bool, CodecError> {
        let window = self.peek();
        self.skip(1)?;
        Ok(window & 1 == 1)
    }

    /// A number, as [`BitWriter::number`] wrote it.
    ///
    /// # Errors
    /// [`CodecError::Truncated`], or [`CodecError::Malformed`] if it is no `u32`.
    #[inline]
    pub fn number(&mut self, order: u8) -> Result<u32, CodecError> {
        let too_large = || CodecError::Malformed("a number lies above 4294967295".into());
        let order = u32::from(order);
        let ones = self.peek().trailing_ones();
        if ones > 32 - order {
            return Err(too_large());
        }
        self.skip(ones + 1)?;
        let long = order + ones;
        let rest = self.peek() & ((1 << long) - 1);
        self.skip(long)?;
        u32::try_from((1_u64 << long) - (1 << order) + rest).map_err(|_| too_large())
    }

    /// A number of either sign, as [`BitWriter::signed`] wrote it.
    ///
    /// # Errors
    /// As [`BitReader::number`].
    #[inline]
    pub fn signed(&mut self, order: u8) -> Result<i32, CodecError> {
        Ok(unzigzag(self.number(order)?))
    }

    /// Ends: what is left must be fewer than eight bits, all of them 0.
    ///
    /// # Errors
    /// [`CodecError::Trailing`] or [`CodecError::Malformed`].
    pub fn finish(self) -> Result<(), CodecError> {
        match self.bytes.len() - self.at.div_ceil(8) {
            0 if self.peek() == 0 => Ok(()),
            0 => Err(CodecError::Malformed("a padding bit is set".into())),
            left => Err(CodecError::Trailing(left)),
        }
    }

    /// At least 57 bits, those beyond the end 0.
    #[inline]
    fn peek(&self) -> u64 {
        let rest = &self.bytes[self.at / 8..];
        let word = match rest.first_chunk() {
            Some(eight) => *eight,
            None => {
                let mut eight = [0; 8];
                eight[..rest.len()].copy_from_slice(rest);
                eight
            }
        };
        u64::from_le_bytes(word) >> (self.at % 8)
    }

    #[inline]
    fn skip(&mut self, bits: u32) -> Result<(), CodecError> {
        let at = self.at + bits as usize;
        if at > self.bytes.len() * 8 {
            return Err(CodecError::Truncated);
        }
        self.at = at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The text's words, bit by bit: what [`BitWriter::number`] must write.
    fn bits_of(value: u32, order: u8) -> Vec<bool> {
        let order = u32::from(order);
        let base = |ones: u32| ((1_u64 << ones) - 1) << order;
        let ones = (0..=32).rfind(|&ones| base(ones) <= u64::from(value)).expect("zero ones always fit");
        let rest = u64::from(value) - base(ones);
        let mut bits = vec![true; ones as usize];
        bits.push(false);
        bits.extend((0..order + ones).map(|i| rest >> i & 1 == 1));
        bits
    }

    fn bits(bytes: &[u8], len: usize) -> Vec<bool> {
        (0..len).map(|i| bytes[i / 8] >> (i % 8) & 1 == 1).collect()
    }

    #[derive(Clone, Debug)]
    enum Item {
        Bit(bool),
        Number(u32, u8),
        Signed(i32, u8),
    }

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let value = prop_oneof![any::<u32>(), 0..300_u32, Just(u32::MAX), (0..32_u32).prop_map(|bit| 1 << bit)];
        let order = 0..=ORDER_MAX;
        let item = prop_oneof![
            any::<bool>().prop_map(Item::Bit),
            (value, order.clone()).prop_map(|(value, order)| Item::Number(value, order)),
            (any::<i32>(), order).prop_map(|(value, order)| Item::Signed(value, order)),
        ];
        proptest::collection::vec(item, 0..60)
    }

    fn write(items: &[Item], out: &mut BitWriter) {
        for item in items {
            match *item {
                Item::Bit(bit) => out.bit(bit),
                Item::Number(value, order) => out.number(value, order),
                Item::Signed(value, order) => out.number(zigzag(value), order),
            }
        }
    }

    #[test]
    fn the_boundaries_of_every_order_take_the_bits_that_the_text_says() {
        for order in 0..=ORDER_MAX {
            let edges = (0..=32_u32).map(|ones| (((1_u64 << ones) - 1) << order).min(u32::MAX.into()) as u32);
            for value in edges.flat_map(|edge| [edge.saturating_sub(1), edge, edge.saturating_add(1)]) {
                let mut writer = BitWriter::default();
                writer.number(value, order);
                assert_eq!(bits(writer.bytes(), writer.len()), bits_of(value, order), "{value} of order {order}");
                let mut reader = BitReader::new(writer.bytes());
                assert_eq!((reader.number(order), reader.position()), (Ok(value), writer.len()));
                assert_eq!(reader.finish(), Ok(()));
            }
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for order in 0..=ORDER_MAX {
            let too_large = || Err(CodecError::Malformed("a number lies above 4294967295".into()));
            // More ones than any number has.
            assert_eq!(BitReader::new(&[0xFF; 16]).number(order), too_large());
            // As many as the largest has, and a rest beyond it.
            let ones = 32 - u32::from(order);
            let mut beyond = BitWriter::default();
            let mut pen = beyond.pen(65);
            pen.put((1 << ones) - 1, ones + 1);
            pen.put(1 << order, 32);
            pen.lift();
            assert_eq!(BitReader::new(beyond.bytes()).number(order), too_large(), "order {order}");
            // The end in the middle of it.
            let mut writer = BitWriter::default();
            writer.number(u32::MAX, order);
            for bytes in 0..writer.bytes().len() {
                assert_eq!(BitReader::new(&writer.bytes()[..bytes]).number(order), Err(CodecError::Truncated));
            }
        }
        assert_eq!(BitReader::new(&[]).bit(), Err(CodecError::Truncated));
        assert_eq!(BitReader::new(&[0]).finish(), Err(CodecError::Trailing(1)));
        let mut reader = BitReader::new(&[0b1000_0000]);
        reader.bit().expect("there are eight");
        assert_eq!(reader.finish(), Err(CodecError::Malformed("a padding bit is set".into())));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(items in items()) {
            let mut writer = BitWriter::default();
            write(&items, &mut writer);
            let mut reader = BitReader::new(writer.bytes());
            for item in &items {
                match *item {
                    Item::Bit(bit) => prop_assert_eq!(reader.bit(), Ok(bit)),
                    Item::Number(value, order) => prop_assert_eq!(reader.number(order), Ok(value)),
                    Item::Signed(value, order) => prop_assert_eq!(reader.signed(order), Ok(value)),
                }
            }
            prop_assert_eq!(reader.position(), writer.len());
            prop_assert_eq!(reader.finish(), Ok(()));
        }

        #[test]
        fn parts_are_copied_bit_by_bit_wherever_they_lie(parts in proptest::collection::vec((items(), any::<bool>()), 0..20)) {
            let (mut from, mut to, mut expected) = (BitWriter::default(), BitWriter::default(), Vec::new());
            // Memory that was used before must not show through.
            to.number(u32::MAX, 0);
            to.clear();
            for (items, copied) in &parts {
                let end = from.end();
                write(items, &mut from);
                let part = from.since(end);
                if *copied {
                    to.copy(&from, part);
                    let len = from.len();
                    expected.extend_from_slice(&bits(from.bytes(), len)[len - part.len as usize..]);
                } else {
                    from.back_to(end);
                }
            }
            prop_assert_eq!(bits(to.bytes(), to.len()), expected);
            to.fixed_u32(0x0102_0304);
            prop_assert_eq!(to.bytes().last_chunk(), Some(&[4, 3, 2, 1]));
        }
    }
}
