//! `tickroom conformance`: plays the server's side of a script to a stranger's client and says which step it got wrong,
//! at which byte and why.
//!
//! It knows no room and no game: what it shows is made up, so that a client that only works with one game is found out.
//! The script goes through one client's whole life: first Hello, a stream of snapshots, faults that the client must
//! notice, lost connections that it must take up again, and every close code. A client that stops by itself, as it must
//! for many codes, has to be started anew (as a person would press Join): see [`script`].

mod judge;
mod link;
mod report;
pub mod script;
mod seat;
mod world;

use std::io::{self, Write};
use std::net::SocketAddr;

use clap::Args;
use tokio::net::TcpListener;

use crate::config::listen_address;
use crate::host::log;

pub use self::report::{Fault, Report, Step, Verdict};

/// Plays the server's side of a script to your client, and says which step it gets wrong, at which byte and why.
///
/// Point your client at ws://ADDR:PORT/ws and let it run in a loop: whenever it ends by itself, start it again after two
/// seconds. The script takes about a minute. The exit code is 0 only if no step failed.
#[derive(Clone, Debug, Args)]
pub struct ConformanceArgs {
    /// Where your client connects to; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen_address, default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Print the report as JSON instead of text
    #[arg(long)]
    json: bool,
}

impl ConformanceArgs {
    /// Runs the script to its end. The report goes to stdout, progress to stderr.
    ///
    /// # Errors
    /// An address that cannot be listened on.
    pub async fn run(self) -> io::Result<bool> {
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {}: {error}", self.listen)))?;
        log::say(&format!("waiting for your client at ws://{}/ws", listener.local_addr()?));
        let report = script::play(listener, script::Patience::default(), |step| log::say(&step.to_string())).await;
        if self.json {
            writeln!(io::stdout(), "{}", serde_json::to_string_pretty(&report).map_err(io::Error::other)?)?;
        } else {
            writeln!(io::stdout(), "{report}")?;
        }
        Ok(report.passed())
    }
}
