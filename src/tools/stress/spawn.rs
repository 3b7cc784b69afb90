//! A server for one run: this very program, on a free port, on cores of its own, gone when the run is over.

use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What the server is told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program; `None`: the one that runs now.
    pub program: Option<PathBuf>,
    /// Settings in the words of `tickroom serve --set`.
    pub set: Vec<String>,
    /// The cores that it may run on; empty: all.
    pub cores: Vec<usize>,
}

/// A server that ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `ws://host:port/ws`.
    pub url: String,
}

/// How long it may take to say where it listens.
const START_TIME: Duration = Duration::from_secs(20);

impl Server {
    /// Starts it and waits until it listens.
    ///
    /// # Errors
    /// It could not be started, or ended, or was silent for too long.
    pub fn start(settings: &Settings) -> io::Result<Self> {
        let program = settings.program.clone().map_or_else(std::env::current_exe, Ok)?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--log", "error"]);
        for set in &settings.set {
            command.args(["--set", set]);
        }
        // A child takes its parent's cores, so ours are the server's until it runs.
        let own = if settings.cores.is_empty() { None } else { Some(pin(&settings.cores)?) };
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        if let Some(own) = own {
            unpin(&own)?;
        }
        let mut child = spawned?;
        let stdout = child.stdout.take();
        let mut server = Self { child, url: String::new() };
        let (tell, hear) = mpsc::channel();
        std::thread::spawn(move || {
            // Reads on to the end, so that the server never waits for us to read. Nobody hears what comes later.
            for line in BufReader::new(stdout.expect("stdout was asked for")).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let deadline = std::time::Instant::now() + START_TIME;
        loop {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            match hear.recv_timeout(left) {
                Ok(line) => {
                    if let Some(host) = host_of(&line) {
                        server.url = format!("ws://{host}/ws");
                        return Ok(server);
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    return Err(io::Error::other("the server did not say within 20 s where it listens"));
                }
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    let status = server.child.wait()?;
                    return Err(io::Error::other(format!("the server ended at once: {status}")));
                }
            }
        }
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It holds nothing that must be kept. Either call fails only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `127.0.0.1:8080` out of the line that says where the server listens.
fn host_of(line: &str) -> Option<&str> {
    let rest = &line[line.find("http://")? + "http://".len()..];
    let end = rest.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(rest.len());
    (end > 0).then(|| &rest[..end])
}

#[cfg(target_os = "linux")]
mod affinity {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    use std::io;

    /// Runs this thread, and what it starts, on these cores only; returns where it ran before.
    pub(super) fn pin(cores: &[usize]) -> io::Result<CpuSet> {
        let before = sched_getaffinity(None)?;
        let mut set = CpuSet::new();
        for &core in cores {
            if core >= CpuSet::MAX_CPU || !before.is_set(core) {
                return Err(io::Error::other(format!("there is no core {core} to run on")));
            }
            set.set(core);
        }
        sched_setaffinity(None, &set)?;
        Ok(before)
    }

    pub(super) fn unpin(before: &CpuSet) -> io::Result<()> {
        Ok(sched_setaffinity(None, before)?)
    }
}

#[cfg(not(target_os = "linux"))]
mod affinity {
    use std::io;

    pub(super) fn pin(_: &[usize]) -> io::Result<()> {
        Err(io::Error::other("cores can be chosen on Linux only"))
    }

    pub(super) fn unpin(_: &()) -> io::Result<()> {
        Ok(())
    }
}

use affinity::{pin, unpin};

/// Runs this thread on these cores only, from now on; on all if there are none.
///
/// # Errors
/// There is no such core, or this system does not let one choose.
pub fn stay_on(cores: &[usize]) -> io::Result<()> {
    if !cores.is_empty() {
        pin(cores)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_line_tells_its_host() {
        assert_eq!(host_of("tickroom: play at http://127.0.0.1:40123"), Some("127.0.0.1:40123"));
        assert_eq!(host_of("http://[::1]:9/ is where"), Some("[::1]:9"));
        assert_eq!(host_of("listening"), None);
        assert_eq!(host_of("http://"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_core_that_is_not_there_is_refused() {
        // In a thread of its own: a thread's cores are its own.
        let refused = std::thread::spawn(|| stay_on(&[100_000]).expect_err("no such core")).join().expect("it ends");
        assert!(refused.to_string().contains("no core 100000"), "{refused}");
    }
}
