//! Any bytes as a message of either side: no panic, and what decodes says the same in its shortest form.

use tickroom::protocol::message::{ClientMessage, ServerMessage};

pub(crate) fn run(data: &[u8]) {
    if let Ok(message) = ClientMessage::decode(data) {
        let again = message.encode();
        assert!(again.len() <= data.len(), "the shortest form is longer");
        assert_eq!(ClientMessage::decode(&again), Ok(message));
    }
    if let Ok((message, body)) = ServerMessage::decode(data) {
        let again = [message.encode(), body.to_vec()].concat();
        assert!(again.len() <= data.len(), "the shortest form is longer");
        assert_eq!(ServerMessage::decode(&again), Ok((message, body)));
    }
}
