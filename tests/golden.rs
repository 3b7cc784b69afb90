//! The golden vectors in `assets/golden/`: bytes that every implementation of the protocol must agree on.
//!
//! Each file is made here from the code and compared with what is committed, so a change of the wire shows as a failing
//! test. They are rewritten only by `TICKROOM_WRITE_GOLDEN=1 cargo test --test golden`.

#[path = "golden/cases.rs"]
mod cases;
#[path = "golden/session.rs"]
mod session;
#[path = "golden/snapshots.rs"]
mod snapshots;
#[allow(dead_code, unreachable_pub, reason = "the recorded session uses a part of it")]
#[path = "support/toy.rs"]
mod toy;

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;
use serde_json::Value;
use tickroom::protocol::codec::{self, CLIENT_MESSAGE_BYTES_MAX, CodecError};
use tickroom::protocol::hex;
use tickroom::protocol::message::{ClientMessage, ServerMessage};
use tickroom::protocol::schema::Schema;

/// One JSON object per line: a change of one vector is a change of one line.
struct GoldenFile {
    about: &'static str,
    /// The schema that the vectors are read by, where they need one.
    schema: Option<Schema>,
    lists: Vec<(&'static str, Vec<String>)>,
}

impl GoldenFile {
    fn text(&self) -> String {
        let mut text = format!("{{\n\"about\": {}", json(self.about));
        if let Some(schema) = &self.schema {
            write!(text, ",\n\"schema\": {}", json(schema)).unwrap();
        }
        for (name, lines) in &self.lists {
            write!(text, ",\n{}: [\n{}\n]", json(name), lines.join(",\n")).unwrap();
        }
        text + "\n}\n"
    }

    /// Compares with the committed file, or writes it when asked to.
    fn check(&self, name: &str) {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/golden").join(name);
        let made = self.text();
        serde_json::from_str::<Value>(&made).unwrap_or_else(|error| panic!("{name} would be no JSON: {error}"));
        if std::env::var_os("TICKROOM_WRITE_GOLDEN").is_some() {
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for (at, (made, kept)) in made.lines().zip(kept.lines()).enumerate() {
            assert_eq!(made, kept, "line {} of {name}: the wire has changed", at + 1);
        }
        assert_eq!(made.len(), kept.len(), "{name}: vectors were added or removed");
    }
}

fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).unwrap()
}

fn vector(name: &str, bytes: &[u8], value: &str) -> String {
    format!(r#"{{"name": {}, "hex": "{}", "value": {value}}}"#, json(name), hex::encode(bytes))
}

#[test]
fn integers_and_the_other_building_blocks() {
    let file = GoldenFile {
        about: "How single values are encoded. `values`: both ways. `longer`: longer forms than needed, which a decoder accepts and an encoder never makes. `refused`: bytes that are no value of that type; error is truncated or malformed.",
        schema: None,
        lists: vec![
            ("values", cases::blocks().iter().map(|block| block.line("value")).collect()),
            ("longer", cases::longer_blocks().iter().map(|block| block.line("value")).collect()),
            ("refused", cases::refused_blocks().iter().map(|block| block.line("error")).collect()),
        ],
    };
    file.check("integers.json");
}

#[test]
fn every_message_and_variant() {
    let client = cases::client_messages();
    for (name, message) in &client {
        let bytes = message.encode();
        assert_eq!(ClientMessage::decode(&bytes).as_ref(), Ok(message), "{name}");
        assert!(bytes.len() <= CLIENT_MESSAGE_BYTES_MAX, "{name}");
    }
    let server = cases::server_messages();
    for (name, message, body) in &server {
        let bytes = [message.encode(), body.clone()].concat();
        assert_eq!(ServerMessage::decode(&bytes), Ok((message.clone(), body.as_slice())), "{name}");
    }
    let file = GoldenFile {
        about: "Every message and variant: its bytes and its fields. An enum variant without data is its name, one with data an object with its name as key; bytes are hexadecimal text; a Snapshot's `body` is what follows its header.",
        schema: None,
        lists: vec![
            ("client", client.iter().map(|(name, message)| vector(name, &message.encode(), &json(message))).collect()),
            (
                "server",
                server
                    .iter()
                    .map(|(name, message, body)| {
                        let mut value = json(message);
                        if matches!(message, ServerMessage::Snapshot(_)) {
                            value.pop();
                            write!(value, r#","body":"{}"}}"#, hex::encode(body)).unwrap();
                        }
                        vector(name, &[message.encode(), body.clone()].concat(), &value)
                    })
                    .collect(),
            ),
        ],
    };
    file.check("messages.json");
}

#[test]
fn every_kind_of_bytes_that_is_refused() {
    let line = |(name, bytes, error): (String, Vec<u8>, CodecError)| {
        let word = cases::error_word(&error);
        format!(r#"{{"name": {}, "hex": "{}", "error": "{word}"}}"#, json(&name), hex::encode(&bytes))
    };
    let client = cases::refused(&cases::client_messages_to_break(), |bytes| ClientMessage::decode(bytes).map(drop));
    let server = cases::refused(&cases::server_messages_to_break(), |bytes| ServerMessage::decode(bytes).map(drop));
    let file = GoldenFile {
        about: "Bytes that are no message. `client` are refused by the server, `server` by a client. error: truncated (ends in the middle of a field), trailing (bytes after the last field), malformed (anything else), too_long. `first` are a session's first message, well formed or not, each with the close code that the server answers.",
        schema: None,
        lists: vec![
            ("client", client.into_iter().map(line).collect()),
            ("server", server.into_iter().map(line).collect()),
            (
                "first",
                cases::refused_first()
                    .into_iter()
                    .map(|(name, bytes, reason)| {
                        format!(
                            r#"{{"name": {}, "hex": "{}", "code": {}, "reason": "{}"}}"#,
                            json(name),
                            hex::encode(&bytes),
                            reason.code(),
                            reason.label()
                        )
                    })
                    .collect(),
            ),
        ],
    };
    file.check("refusals.json");
}

#[test]
fn a_stream_of_snapshots() {
    let file = GoldenFile {
        about: "A stream of snapshots, in order, for one view that begins empty and broken. answer: applied (the view, the events and the digest after it follow), resync (it does not fit: send Resync; the view is broken), ignored (the view is broken and this is no base 0). Values are wire values; kinds are places in the schema.",
        schema: Some(snapshots::schema()),
        lists: vec![("steps", snapshots::steps())],
    };
    file.check("snapshots.json");
}

#[test]
fn a_recorded_session() {
    let file = GoldenFile {
        about: "A session as it happened, both directions, at_ms on the server's clock. session counts connections: the second takes the seat of the first. held: what a client's view holds after a snapshot.",
        schema: None,
        lists: vec![("messages", session::messages())],
    };
    file.check("session.json");
}

#[test]
fn a_number_beyond_what_json_carries_still_goes_both_ways() {
    // Too large for the vectors, which JS reads as doubles; a Ping's time may still be any u64.
    let bytes = codec::encode(&u64::MAX);
    assert_eq!(hex::encode(&bytes), "fdffffffffffffffff");
    assert_eq!(codec::decode::<u64>(&bytes, 9), Ok(u64::MAX));
}
