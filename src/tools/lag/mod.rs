//! `tickroom lag`: a bad network between a client and a server, for people who want to feel it and tests that need it.
//!
//! [`link`] says when bytes come out, [`proxy`] moves them. Neither knows what the bytes mean.

pub mod link;
pub mod proxy;
