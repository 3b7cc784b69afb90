//! What RFC 6455 (4.2.1) demands of a request that opens a WebSocket, where the crates underneath look away.

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::{Version, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The one version that there is.
const VERSION: &str = "13";
/// What a key must be, before it is written as base64.
const KEY_BYTES: usize = 16;

/// The answer to a request that asks for a WebSocket and does not keep to the rules: 400, or 426 for another version of
/// the protocol. One that does not ask is left to whoever answers it.
pub(super) fn refusal(head: &RequestHead) -> Option<HttpResponse> {
    if !head.upgrade() {
        return None;
    }
    if head.version < Version::HTTP_11 {
        return Some(HttpResponse::BadRequest().body("A WebSocket begins with HTTP/1.1.\n"));
    }
    if only(head, &header::SEC_WEBSOCKET_VERSION) != Some(VERSION.as_bytes()) {
        return Some(
            HttpResponse::UpgradeRequired()
                .insert_header((header::SEC_WEBSOCKET_VERSION, VERSION))
                .insert_header((header::UPGRADE, "websocket"))
                .body("This server speaks version 13 of the WebSocket protocol: ask with Sec-WebSocket-Version: 13.\n"),
        );
    }
    if !only(head, &header::SEC_WEBSOCKET_KEY).is_some_and(is_key) {
        return Some(HttpResponse::BadRequest().body("Sec-WebSocket-Key must be 16 bytes in base64.\n"));
    }
    None
}

/// A header that stands there once.
fn only<'a>(head: &'a RequestHead, name: &header::HeaderName) -> Option<&'a [u8]> {
    let mut values = head.headers.get_all(name);
    let first = values.next()?;
    values.next().is_none().then(|| first.as_bytes())
}

fn is_key(key: &[u8]) -> bool {
    // Room for more than a key, so that a longer one is seen to be longer.
    STANDARD.decode_slice(key, &mut [0; 3 * KEY_BYTES]).is_ok_and(|bytes| bytes == KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        for key in ["dGhlIHNhbXBsZSBub25jZQ==", "AAAAAAAAAAAAAAAAAAAAAA==", "/+/+/+/+/+/+/+/+/+/+/w=="] {
            assert!(is_key(key.as_bytes()), "{key}");
        }
        for key in [
            "",
            "x",
            "dGhlIHNhbXBsZSBub25jZQ",       // no padding
            "dGhlIHNhbXBsZSBub25jZQ=",      // half of it
            "dGhlIHNhbXBsZSBub25j",         // 15 bytes
            "dGhlIHNhbXBsZSBub25jZWU=",     // 17
            "dGhlIHNhbXBsZSBub25jZWVlZWVl", // 21
            "dGhlIHNhbXBsZSBub25j_Q==",     // another alphabet
            "dGhlIHNhbXBsZSBub25jZQ== ",
            "dGhlIHNhbXBs ZSBub25jZQ==",
            "the sample nonce",
        ] {
            assert!(!is_key(key.as_bytes()), "{key:?}");
        }
        assert!(!is_key(&[b'A'; 4000]));
    }
}
