//! The wire: plain data and its bytes. No clock, no socket, no game, no room.
//!
//! PROTOCOL.md in this folder is the normative text.

pub mod close;
pub mod codec;
pub mod delta;
pub mod hex;
pub mod message;
pub mod schema;
pub mod view;
