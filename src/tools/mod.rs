//! What the other subcommands do. Clients of the protocol, not parts of the server: nothing here names an actor.

pub mod conformance;
pub mod lag;
pub mod stress;
