//! The deterministic kit: everything that a room or a game needs to give the same state from the same inputs on every
//! machine. No socket, no system clock, no thread, no float.

pub mod clock;
pub mod entity_ids;
pub mod fixed;
pub mod grid;
pub mod history;
pub mod input;
pub mod rng;
pub mod tiles;
pub mod timing;
