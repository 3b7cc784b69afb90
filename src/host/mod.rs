//! What the system is asked for that Rust's standard library has no words for. Alone with what is not portable: where a
//! system has no such thing, nothing happens, or the answer is the one that does no harm.
//!
//! - [`process`]: names of threads, free memory back.
//! - [`log`], [`panics`]: lines on stderr that nobody waits for, and panics among them.
//! - [`sockets`]: what waits in the kernel for a peer.
//! - [`addresses`]: where others can reach a socket of this machine.
//! - [`rehearsal`]: whether the system will let the server have its threads and descriptors.
//!
//! No room, no session, no setting.

pub mod addresses;
pub mod log;
pub mod panics;
pub mod process;
pub mod rehearsal;
pub mod sockets;
