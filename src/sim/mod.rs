//! The deterministic kit: everything that a room or a game needs to give the same state from the same inputs on every
//! machine. No socket, no system clock, no thread, no float.

pub mod clock;
pub mod input;
