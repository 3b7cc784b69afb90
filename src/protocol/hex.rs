//! Bytes as lower-case hexadecimal text: the form in which golden vectors, reports and JSON show them.

use serde::Serializer;

/// `bytes` as text: two lower-case digits each, nothing between them.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// The bytes that a text stands for; blanks between them are skipped. `None` if it is no hexadecimal text.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| !c.is_ascii_whitespace())
        .map(|c| c.to_digit(16).map(|digit| digit as u8))
        .collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// Bytes as a JSON string: hexadecimal.
pub(super) fn serialize_bytes<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&encode(bytes))
}

/// A token as a JSON string, or null.
pub(super) fn serialize_token<S: Serializer>(token: &Option<[u8; 16]>, serializer: S) -> Result<S::Ok, S::Error> {
    match token {
        Some(token) => serializer.serialize_str(&encode(token)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_go_both_ways() {
        assert_eq!(encode(&[0x00, 0x0f, 0xfb]), "000ffb");
        assert_eq!(decode("00 0F\nfb"), Some(vec![0x00, 0x0f, 0xfb]));
        assert_eq!(decode("0"), None, "half a byte");
        assert_eq!(decode("0g"), None, "no digit");
    }
}
