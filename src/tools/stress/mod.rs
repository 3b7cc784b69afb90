//! `tickroom stress`: players without a screen, many of them on one thread, and honest numbers of what they got.
//!
//! No game, no actor, no part of the server: it speaks the public protocol and plays by the schema that Welcome brings,
//! so it loads any game. Open loop: what is due is due, whatever the server does, and latencies count from there.
//!
//! - `args`: what is typed, and the run that follows. `spawn`: a server of its own, pinned to its cores.
//! - `load`: the run, its phases, the one poll. `player`: one socket's life. `reading`: how it reads. `session`: one
//!   stay in a room. `pilot`: what a player does. `ws`: frames.
//! - `schedule`: when things are due. `stalls`: how late this generator is itself. `stats`: what is counted. `procfs`: what
//!   a process used. `sockdiag`: what the kernel holds for a socket. `report`: all of it.

pub mod args;
pub mod load;
pub mod pilot;
pub mod player;
pub mod procfs;
pub mod progress;
pub mod reading;
pub mod report;
pub mod schedule;
pub mod session;
pub mod sockdiag;
pub mod spawn;
pub mod stalls;
pub mod stats;
pub mod ws;
