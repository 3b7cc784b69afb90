//! The only file that names bincode. Bytes are bincode 2.0.1's `standard()` (little-endian, variable-length integers),
//! written down in PROTOCOL.md and held by golden vectors, so the crate can be replaced without a wire change.
//!
//! Native derives only, never serde's: serde's path allocates up to 1 MiB per claimed vector despite the limit.

use bincode::config::Configuration;
use bincode::error::DecodeError;

pub use bincode::{Decode, Encode};

/// The longest message either side accepts, in bytes. The largest legitimate one is a full snapshot of a crowded room.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// The longest message a client may send, in bytes: a Hello with a long name is under 200.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 1024;

/// What a decoder may claim in memory for each byte of the message. bincode counts elements at their in-memory size: a
/// roster entry of two bytes on the wire takes 40.
const CLAIM_PER_BYTE: usize = 32;

const CONFIG: Configuration = bincode::config::standard();
/// A saved game is the server's own and may be long; it is never a stranger's bytes.
const STATE_CONFIG: Configuration = CONFIG;

/// Decodes from the front of `bytes`, with a limit on memory that follows from how many there are. bincode's limit is a
/// constant, so there is one for each power of two: five bytes that claim a million elements must not get room for them.
fn decode_limited<T: Decode<()>>(bytes: &[u8]) -> Result<(T, usize), DecodeError> {
    macro_rules! by_length {
        ($($length:literal)*) => {
            match bytes.len() {
                $(0..=$length => {
                    bincode::decode_from_slice(bytes, CONFIG.with_limit::<{ CLAIM_PER_BYTE * $length }>())
                })*
                _ => bincode::decode_from_slice(bytes, CONFIG.with_limit::<{ CLAIM_PER_BYTE * MESSAGE_BYTES_MAX }>()),
            }
        };
    }
    by_length!(64 128 256 512 1024 2048 4096 8192 16384 32768)
}

/// Why bytes are no message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Longer than the limit for its direction.
    #[error("the message has {bytes} bytes; the limit is {limit}")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The limit that it broke.
        limit: usize,
    },
    /// A message number, enum variant, marker or text that the protocol does not know.
    #[error("the bytes are not a message of this protocol: {0}")]
    Malformed(String),
    /// The message ended before its last field.
    #[error("the message ends in the middle of a field")]
    Truncated,
    /// Bytes were left after the last field.
    #[error("{0} bytes are left over after the message's last field")]
    Trailing(usize),
}

/// Appends `value` to `out`. Allocates only when `out` must grow.
pub fn encode_into<T: Encode>(value: &T, out: &mut Vec<u8>) {
    bincode::encode_into_std_write(value, out, CONFIG).expect("writing to a Vec cannot fail");
}

/// `value` as bytes.
#[must_use]
pub fn encode<T: Encode>(value: &T) -> Vec<u8> {
    let mut out = Vec::new();
    encode_into(value, &mut out);
    out
}

/// Decodes exactly one value of at most `limit` bytes.
///
/// # Errors
/// Any [`CodecError`]; all bytes must be consumed.
pub fn decode<T: Decode<()>>(bytes: &[u8], limit: usize) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong { bytes: bytes.len(), limit });
    }
    let (value, used) = decode_limited(bytes).map_err(from_bincode)?;
    match bytes.len() - used {
        0 => Ok(value),
        left => Err(CodecError::Trailing(left)),
    }
}

/// Decodes one value from the front of `bytes` and says how many bytes it took.
///
/// # Errors
/// Any [`CodecError`] but `Trailing`.
pub fn decode_prefix<T: Decode<()>>(bytes: &[u8]) -> Result<(T, usize), CodecError> {
    decode_limited(bytes).map_err(from_bincode)
}

/// Saves a game's state: the server's own bytes, without a length limit.
pub fn encode_state<T: Encode>(state: &T, out: &mut Vec<u8>) {
    bincode::encode_into_std_write(state, out, STATE_CONFIG).expect("writing to a Vec cannot fail");
}

/// Loads what [`encode_state`] saved.
///
/// # Errors
/// Any [`CodecError`] but `TooLong`.
pub fn decode_state<T: Decode<()>>(bytes: &[u8]) -> Result<T, CodecError> {
    let (value, used) = bincode::decode_from_slice(bytes, STATE_CONFIG).map_err(from_bincode)?;
    match bytes.len() - used {
        0 => Ok(value),
        left => Err(CodecError::Trailing(left)),
    }
}

fn from_bincode(error: DecodeError) -> CodecError {
    match error {
        DecodeError::UnexpectedEnd { .. } => CodecError::Truncated,
        DecodeError::UnexpectedVariant { type_name, found, .. } => {
            CodecError::Malformed(format!("{type_name} has no variant {found}"))
        }
        DecodeError::Utf8 { .. } => CodecError::Malformed("a text is not UTF-8".into()),
        DecodeError::LimitExceeded => CodecError::Malformed("a length claims more than a message may hold".into()),
        other => CodecError::Malformed(other.to_string()),
    }
}

/// Variable-length integers by hand, as bincode has them, for whoever walks through a message byte by byte.
pub mod varint {
    use super::CodecError;

    /// Reads bytes front to back; every read checks that they are there.
    #[derive(Clone, Debug)]
    pub struct Reader<'a> {
        bytes: &'a [u8],
        at: usize,
    }

    impl<'a> Reader<'a> {
        /// Starts at the front of `bytes`.
        #[must_use]
        pub fn new(bytes: &'a [u8]) -> Self {
            Self { bytes, at: 0 }
        }

        /// How many bytes have been read.
        #[must_use]
        pub fn position(&self) -> usize {
            self.at
        }

        /// The next `count` bytes.
        ///
        /// # Errors
        /// [`CodecError::Truncated`] if fewer are left.
        pub fn take(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
            let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len()).ok_or(CodecError::Truncated)?;
            let taken = &self.bytes[self.at..end];
            self.at = end;
            Ok(taken)
        }

        /// One raw byte.
        ///
        /// # Errors
        /// [`CodecError::Truncated`].
        pub fn byte(&mut self) -> Result<u8, CodecError> {
            Ok(self.take(1)?[0])
        }

        /// A variable-length `u32`. A longer form than needed is accepted, a wider marker than `u32`'s is not.
        ///
        /// # Errors
        /// [`CodecError::Truncated`], or [`CodecError::Malformed`] for the markers 253, 254 and 255.
        pub fn u32(&mut self) -> Result<u32, CodecError> {
            match self.byte()? {
                251 => Ok(u32::from(u16::from_le_bytes(self.take(2)?.try_into().expect("two bytes were taken")))),
                252 => Ok(u32::from_le_bytes(self.take(4)?.try_into().expect("four bytes were taken"))),
                marker @ 253.. => Err(CodecError::Malformed(format!("marker {marker} is no u32"))),
                small => Ok(u32::from(small)),
            }
        }
    }
}
