//! The demo game: top-down ships, bolts, a beam, pickups, rounds and bots, in a bounded arena with rocks.
//!
//! It knows the [`Game`](crate::game::Game) seam, the deterministic kit and the schema; no room, session or clock.
//! RULES.md in this folder is the text for those who write another client.

pub mod schema;
