//! What the tests share: a toy game, and peers that speak to a pure room on a virtual clock.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

pub mod chaos;
pub mod peers;
#[cfg(feature = "server")]
pub mod program;
#[cfg(feature = "server")]
pub mod sockets;
pub mod toy;
pub mod wild;
