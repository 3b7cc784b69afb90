//! What is typed after `tickroom lag`, and the run that follows from it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use tokio::net::TcpListener;

use super::link::{Profile, ProfileError, StallWay};
use super::proxy::{self, CONNECTIONS_MAX, Config, Stats};
use crate::config::listen_address;
use crate::host::{addresses, log};

/// A bad network between a client and a server, to feel it or to test in it.
///
/// Forwards TCP, and so WebSockets and pages too: open the address of --listen in a browser instead of the server's. It
/// delays, jitters, stalls and limits the rate, but never drops or reorders. Times are in milliseconds unless they say
/// otherwise: 250, 250ms, 5s.
#[derive(Clone, Debug, PartialEq, Args)]
pub struct LagArgs {
    /// Where clients connect to; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", value_parser = listen_address, default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The server
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    to: String,
    /// Round trip without jitter; each direction takes half
    #[arg(long, value_name = "TIME", value_parser = time_us, default_value = "0")]
    rtt: u64,
    /// Width over which each direction's delay is spread, half of it up and half down
    #[arg(long, value_name = "TIME", value_parser = time_us, default_value = "0")]
    jitter: u64,
    /// From the start of one stall to the start of the next
    #[arg(long, value_name = "TIME", value_parser = time_us, default_value = "0", requires = "stall")]
    stall_every: u64,
    /// How long a stall lasts
    #[arg(long, value_name = "TIME", value_parser = time_us, default_value = "0", requires = "stall_every")]
    stall: u64,
    /// Which direction stalls
    #[arg(long, value_enum, default_value = "both")]
    stall_way: StallWayArg,
    /// Percentage of sends that cost what a lost packet costs a stream: RTT + 100 ms for all that follows
    #[arg(long, value_name = "PERCENT", value_parser = per_million, default_value = "0")]
    loss: u32,
    /// Bytes a second in each direction of each connection, as in 2000 or 16k; 0: without limit
    #[arg(long, value_name = "BYTES", value_parser = bytes, default_value = "0")]
    rate: u64,
    /// The same seed gives the same delays to the same traffic
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Connections at a time; more are closed at once
    #[arg(long, value_name = "COUNT", default_value_t = CONNECTIONS_MAX)]
    connections_max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StallWayArg {
    Both,
    /// Client to server
    Up,
    /// Server to client
    Down,
    /// Up, then down, and so on
    Turns,
}

/// How often the numbers are shown.
const REPORT_EVERY: Duration = Duration::from_secs(5);

impl LagArgs {
    fn profile(&self) -> Result<Profile, ProfileError> {
        let profile = Profile {
            rtt_us: self.rtt,
            jitter_us: self.jitter,
            stall_every_us: self.stall_every,
            stall_us: self.stall,
            stall_way: match self.stall_way {
                StallWayArg::Both => StallWay::Both,
                StallWayArg::Up => StallWay::Up,
                StallWayArg::Down => StallWay::Down,
                StallWayArg::Turns => StallWay::Turns,
            },
            loss_per_million: self.loss,
            rate: self.rate,
        };
        profile.check()?;
        Ok(profile)
    }

    /// Runs the proxy until `shutdown` is ready. Lines on stdout say where it listens; numbers go to stderr.
    ///
    /// # Errors
    /// An impossible profile, or an address that cannot be listened on.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        let profile = self.profile().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {}: {error}", self.listen)))?;
        for address in addresses::reachable(listener.local_addr()?) {
            // If nobody reads it, that is no reason to stop.
            let _ = writeln!(io::stdout(), "http://{address} -> {}", self.to);
        }
        let config = Config { to: self.to, profile, seed: self.seed, connections_max: self.connections_max };
        let stats = Arc::new(Stats::default());
        let report = async {
            let mut every = tokio::time::interval(REPORT_EVERY);
            every.tick().await; // the first is at once
            loop {
                every.tick().await;
                log::say(&stats.to_string());
            }
        };
        tokio::select! {
            () = proxy::serve(listener, config, Arc::clone(&stats), shutdown) => {}
            () = report => {}
        }
        Ok(())
    }
}

/// `250`, `250ms`, `5s`, `0.5s` in microseconds.
fn time_us(typed: &str) -> Result<u64, String> {
    let (number, unit_us) = if let Some(number) = typed.strip_suffix("ms") {
        (number, 1e3)
    } else if let Some(number) = typed.strip_suffix('s') {
        (number, 1e6)
    } else {
        (typed, 1e3)
    };
    match number.parse::<f64>() {
        Ok(number) if (0.0..=1e9).contains(&number) => Ok((number * unit_us).round() as u64),
        _ => Err("a time looks like 250, 250ms or 5s".into()),
    }
}

/// `1`, `0.5` or `1%` as parts of a million.
fn per_million(typed: &str) -> Result<u32, String> {
    match typed.strip_suffix('%').unwrap_or(typed).parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok((percent * 1e4).round() as u32),
        _ => Err("a percentage lies between 0 and 100".into()),
    }
}

/// `2000`, `16k` or `2M`.
fn bytes(typed: &str) -> Result<u64, String> {
    let (number, unit) = match typed.strip_suffix(['k', 'M']) {
        Some(number) if typed.ends_with('k') => (number, 1_000),
        Some(number) => (number, 1_000_000),
        None => (typed, 1),
    };
    let count = number.parse::<u32>().map_err(|_| "bytes look like 2000, 16k or 2M".to_owned())?;
    Ok(u64::from(count) * unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        lag: LagArgs,
    }

    fn typed(line: &str) -> Result<Profile, String> {
        let typed = Typed::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
        typed.lag.profile().map_err(|error| error.to_string())
    }

    #[test]
    fn the_flags_make_the_profile_that_they_name() {
        let line = "lag --listen 127.0.0.1:0 --to localhost:8080 --rtt 250 --jitter 40ms --stall-every 5s --stall 0.5s \
                    --stall-way turns --loss 1 --rate 16k";
        let expected = Profile {
            rtt_us: 250_000,
            jitter_us: 40_000,
            stall_every_us: 5_000_000,
            stall_us: 500_000,
            stall_way: StallWay::Turns,
            loss_per_million: 10_000,
            rate: 16_000,
        };
        assert_eq!(typed(line), Ok(expected));
        assert_eq!(typed("lag"), Ok(Profile::default()));
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_sentence() {
        for (line, says) in [
            ("lag --rtt fast", "a time looks like"),
            ("lag --rtt -5", "unexpected argument"),
            ("lag --stall 500ms", "--stall-every"),
            ("lag --rtt 10 --jitter 20", "before they are sent"),
            ("lag --rtt 1000s", "at most 60000 ms"),
            ("lag --loss 101", "between 0 and 100"),
            ("lag --rate 2kB", "bytes look like"),
        ] {
            let refused = typed(line).expect_err(line);
            assert!(refused.contains(says), "{line}: {refused}");
        }
    }
}
