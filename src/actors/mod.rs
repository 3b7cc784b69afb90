//! Thin actors around the room: they own timers, mailboxes, sockets' ends. No rules of a game, no routes, no command
//! line.
//!
//! - [`session`]: one WebSocket, from upgrade to close. [`wire`] reads and writes its socket; [`connection`] is the way past
//!   that.
//! - [`room`]: one match: an [`alarm`], an [`inbox`] and a [`Room`](crate::room::Room).
//! - [`lobby`]: finds seats, begins and ends rooms; what it decides by is the plain [`directory`].
//! - [`courier`]: one per HTTP worker: carries the rooms' messages to that worker's sockets.
//! - [`shares`]: what each address has taken; what it decides by is the plain [`policy`](crate::policy).
//! - [`watch`]: heartbeat and eviction, outside the sessions, because a session whose client does not read is frozen.
//!
//! What passes between them is bounded: [`inbox`] from sessions to a room, [`outlet`] from a room to one session,
//! mailboxes with `try_send` for the rest. A `do_send` stands only where no client can cause it, with the reason.

pub mod alarm;
pub mod clock;
pub mod connection;
pub mod courier;
pub mod directory;
pub mod guard;
pub mod inbox;
pub mod limiter;
pub mod lobby;
mod missed;
pub mod outlet;
pub mod room;
pub mod session;
pub mod shares;
pub mod watch;
pub mod wire;
