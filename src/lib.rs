//! Tickroom: an authoritative multiplayer game state server.

pub mod arena;
pub mod config;
pub mod game;
pub mod ids;
pub mod protocol;
pub mod room;
pub mod sim;
#[cfg(feature = "server")]
pub mod tools;
