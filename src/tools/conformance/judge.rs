//! Judges one client message: its bytes, with the place at which they go wrong, and whether it makes sense where it
//! stands.

use super::report::Fault;
use crate::protocol::codec::varint::Reader;
use crate::protocol::codec::{CLIENT_MESSAGE_BYTES_MAX, CodecError};
use crate::protocol::message::{ClientMessage, Input};
use crate::protocol::schema::{InputSort, Schema};

/// Decodes a message, and insists on what a server lets pass: the shortest form of every number.
pub(super) fn decode(bytes: &[u8]) -> Result<ClientMessage, Fault> {
    if bytes.len() > CLIENT_MESSAGE_BYTES_MAX {
        let why = format!("the message has {} bytes, at most {CLIENT_MESSAGE_BYTES_MAX} are allowed", bytes.len());
        return Err(Fault::in_message(why, CLIENT_MESSAGE_BYTES_MAX, bytes));
    }
    let message = ClientMessage::decode(bytes).map_err(|error| {
        let (at, field) = place_of_fault(bytes);
        let why = match error {
            CodecError::Trailing(left) => format!("{left} bytes are left over after {field}"),
            other => format!("{field}: {other}"),
        };
        Fault::in_message(why, at, bytes)
    })?;
    let shortest = message.encode();
    if shortest != bytes {
        let at = shortest.iter().zip(bytes).position(|(a, b)| a != b).unwrap_or(shortest.len());
        return Err(Fault::in_message("a number is not in its shortest form", at, bytes));
    }
    Ok(message)
}

/// A field on the way through a message.
#[derive(Clone, Copy)]
enum Part {
    U16,
    U32,
    U64,
    I32,
    Text,
    Token,
    Bool,
    /// An enum with so many variants.
    Enum(u32),
}

/// Walks a message that does not decode: the byte at which it stops making sense, and the field's name.
fn place_of_fault(bytes: &[u8]) -> (usize, &'static str) {
    let mut walk = Walk { reader: Reader::new(bytes), at: 0, field: "the message's number" };
    // What could be read in full ends where the fault begins: that is what `walk` remembers.
    let _ = walk.message();
    (walk.at, walk.field)
}

struct Walk<'a> {
    reader: Reader<'a>,
    /// Where the field began that is being read, or where all of them ended.
    at: usize,
    field: &'static str,
}

impl Walk<'_> {
    fn message(&mut self) -> Option<()> {
        match self.next("the message's number", Part::Enum(5))? {
            0 => self.hello()?,
            1 => {
                for field in ["seq", "tick", "seen"] {
                    self.next(field, Part::U32)?;
                }
                self.next("seen_ago", Part::U16)?;
                for _ in 0..self.next("row's count", Part::U64)? {
                    self.next("row", Part::I32)?;
                }
            }
            2 => {
                self.next("time", Part::U64)?;
                self.next("seen", Part::U32)?;
            }
            _ => {}
        }
        self.at = self.reader.position();
        Some(())
    }

    fn hello(&mut self) -> Option<()> {
        self.next("protocol", Part::U16)?;
        self.next("name", Part::Text)?;
        match self.next("wish", Part::Enum(4))? {
            1 => {
                self.next("wish.Code", Part::Text)?;
            }
            2 => {
                self.next("wish.Create.private", Part::Bool)?;
            }
            3 if self.next("wish.Spectate", Part::Bool)? == 1 => {
                self.next("wish.Spectate", Part::Text)?;
            }
            _ => {}
        }
        self.next("tier", Part::Enum(2))?;
        if self.next("resume", Part::Bool)? == 1 {
            self.next("resume", Part::Token)?;
        }
        self.next("features", Part::U32)?;
        Some(())
    }

    /// Reads one field; `None` if it cannot be read.
    fn next(&mut self, field: &'static str, part: Part) -> Option<u64> {
        (self.at, self.field) = (self.reader.position(), field);
        let reader = &mut self.reader;
        match part {
            Part::U16 => {
                let start = reader.position();
                let value = reader.u32().ok()?;
                // A marker for a wider type is an error even for a small value: a u16 takes three bytes at most.
                (reader.position() - start <= 3).then_some(value.into())
            }
            Part::U32 | Part::I32 => reader.u32().ok().map(u64::from),
            Part::U64 => wide(reader),
            Part::Enum(variants) => reader.u32().ok().filter(|&value| value < variants).map(u64::from),
            Part::Bool => reader.byte().ok().filter(|&value| value < 2).map(u64::from),
            Part::Token => reader.take(16).ok().map(|_| 0),
            Part::Text => {
                let length = usize::try_from(wide(reader)?).ok()?;
                std::str::from_utf8(reader.take(length).ok()?).ok().map(|_| 0)
            }
        }
    }
}

/// A `u64`, which snapshots never carry and the reader therefore does not know.
fn wide(reader: &mut Reader<'_>) -> Option<u64> {
    let start = reader.clone();
    if let Ok(value) = reader.u32() {
        return Some(value.into());
    }
    *reader = start;
    let bytes = (reader.byte().ok()? == 253).then(|| reader.take(8).ok())??;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

/// What one session's messages must agree with.
pub(super) struct Course {
    /// Spectators need not steer.
    pub(super) seated: bool,
    seq: u32,
    seen: u32,
    /// The newest snapshot that was sent.
    pub(super) sent: u32,
    inputs: usize,
    presses: usize,
}

impl Course {
    pub(super) fn new(seated: bool) -> Self {
        Self { seated, seq: 0, seen: 0, sent: 0, inputs: 0, presses: 0 }
    }

    /// How many inputs came.
    pub(super) fn inputs(&self) -> usize {
        self.inputs
    }

    /// Checks a message after Welcome.
    pub(super) fn take(&mut self, message: &ClientMessage, bytes: &[u8], schema: &Schema) -> Result<(), Fault> {
        match message {
            ClientMessage::Hello(_) => Err(Fault::in_message("a second Hello", 0, bytes)),
            ClientMessage::Input(input) => self.input(input, bytes, schema),
            ClientMessage::Ping(ping) => self.seen(ping.seen, bytes),
            ClientMessage::Resync | ClientMessage::Leave => Ok(()),
        }
    }

    fn input(&mut self, input: &Input, bytes: &[u8], schema: &Schema) -> Result<(), Fault> {
        let fault = |why: String, field: &str| Err(Fault::in_message(why, byte_of(bytes, field), bytes));
        self.inputs += 1;
        if input.seq <= self.seq {
            return fault(format!("seq {} after {}: it must rise", input.seq, self.seq), "seq");
        }
        if self.inputs == 1 && input.seq != 1 {
            return fault(format!("the session's first seq is {}, it must be 1", input.seq), "seq");
        }
        self.seq = input.seq;
        self.seen(input.seen, bytes)?;
        let (have, want) = (input.row.len(), schema.inputs.len());
        if have != want {
            return fault(format!("the row has {have} values, the schema {want} input fields"), "row's count");
        }
        for (value, field) in input.row.iter().zip(&schema.inputs) {
            if !(field.min..=field.max).contains(value) {
                let (min, max) = (field.min, field.max);
                return fault(format!("{} is {value}, outside {min} to {max}", field.name), "row's count");
            }
            self.presses += usize::from(field.sort == InputSort::Press && *value != 0);
        }
        // A client that runs ahead by more than two seconds has lost the clock.
        if input.tick != 0 && input.tick > self.sent.saturating_add(120) {
            return fault(format!("tick {} while the newest snapshot shows {}", input.tick, self.sent), "tick");
        }
        Ok(())
    }

    fn seen(&mut self, seen: u32, bytes: &[u8]) -> Result<(), Fault> {
        let fault = |why: String| Err(Fault::in_message(why, byte_of(bytes, "seen"), bytes));
        if seen > self.sent {
            return fault(format!("seen is {seen}, but the newest snapshot sent shows {}", self.sent));
        }
        if seen < self.seen {
            return fault(format!("seen fell from {} to {seen}", self.seen));
        }
        self.seen = seen;
        Ok(())
    }
}

/// Where a field of a well-formed message begins.
fn byte_of(bytes: &[u8], field: &str) -> usize {
    (1..=bytes.len())
        .map(|end| place_of_fault(&bytes[..end]))
        .find(|(_, found)| *found == field)
        .map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::hex;
    use crate::protocol::schema::{InputField, Neutral};

    fn fault(text: &str) -> (usize, String) {
        let fault = decode(&hex::decode(text).unwrap()).unwrap_err();
        (fault.byte.unwrap(), fault.why)
    }

    #[test]
    fn a_fault_is_found_at_its_byte_and_field() {
        for (text, byte, word) in [
            ("", 0, "number"),
            ("07", 0, "number"),
            ("00 01 03 41", 2, "name"),
            ("00 01 02 41 ff 00 01 00 00", 2, "name"),
            ("00 01 03 41 64 61 04 01 00 00", 6, "wish"),
            ("00 01 03 41 64 61 00 02 00 00", 7, "tier"),
            ("00 01 03 41 64 61 00 01 02 00", 8, "resume"),
            ("00 01 03 41 64 61 00 01 01 00 00", 9, "resume"),
            ("00 01 03 41 64 61 00 01 00 00 00", 10, "left over"),
            ("00 fc 00 00 00 00 00 00 01 00 00", 1, "protocol"),
            ("01 01 00 00 00 03 02 01", 8, "row"),
            ("01 01 00 fd 00", 3, "seen"),
            ("02 fd 01 02 03", 1, "time"),
            ("03 00", 1, "left over"),
            ("00 fb 00 00 03 41 64 61 00 01 00 00", 1, "shortest"),
        ] {
            let (at, why) = fault(text);
            assert_eq!(at, byte, "{text}: {why}");
            assert!(why.contains(word), "{text}: {why}");
        }
        assert!(decode(&hex::decode("00 01 03 41 64 61 00 01 00 00").unwrap()).is_ok());
    }

    #[test]
    fn inputs_must_agree_with_the_session() {
        let schema = Schema {
            game: String::new(),
            rules: 0,
            kinds: vec![],
            inputs: vec![InputField::level("go", -1, 1, Neutral::Value(0))],
            events: vec![],
        };
        let mut course = Course::new(true);
        course.sent = 300;
        let mut take = |seq, tick, seen, row: &[i32]| {
            let input = ClientMessage::Input(Input { seq, tick, seen, seen_ago: 0, row: row.to_vec() });
            let bytes = input.encode();
            course.take(&input, &bytes, &schema).map_err(|fault| fault.byte.unwrap())
        };
        assert_eq!(take(1, 0, 300, &[1]), Ok(()));
        assert_eq!(take(2, 310, 300, &[-1]), Ok(()));
        assert_eq!(take(2, 310, 300, &[-1]), Err(1), "seq stands at byte 1");
        assert_eq!(take(3, 310, 301, &[0]), Err(5), "seen is ahead of what was sent");
        assert_eq!(take(4, 310, 299, &[0]), Err(5), "seen fell");
        assert_eq!(take(5, 310, 300, &[0, 0]), Err(9), "the row is too long");
        assert_eq!(take(6, 310, 300, &[2]), Err(9), "the value is out of range");
        assert_eq!(take(7, 421, 300, &[0]), Err(2), "the tick is far ahead");
    }
}
