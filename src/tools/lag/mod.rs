//! `tickroom lag`: a bad network between a client and a server, for people who want to feel it and tests that need it.
//!
//! [`link`] says when bytes come out, [`proxy`] moves them, [`args`] is what is typed. None knows what the bytes mean.

pub mod args;
pub mod link;
pub mod proxy;
