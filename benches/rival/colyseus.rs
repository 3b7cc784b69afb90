//! The other side of `rival`: a Colyseus server and its clients, both in Node, measured from outside.

use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tickroom::tools::stress::procfs::Usage;
use tickroom::tools::stress::spawn;

use super::{Cost, Size, TICK_RATE};

/// Where the scripts are, and the packages that they import.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/rival")
}

/// Or a sentence that says what is missing, and the remedy.
pub(crate) fn is_installed() -> Result<(), String> {
    if let Err(error) = Command::new("node").arg("--version").stdout(Stdio::null()).status() {
        return Err(format!("--colyseus needs Node, and `node` does not start: {error}"));
    }
    if !folder().join("node_modules/@colyseus/core").is_dir() {
        let remedy = format!("npm install --no-package-lock --prefix {}", folder().display());
        return Err(format!("--colyseus needs packages that are not installed yet: first `{remedy}`"));
    }
    Ok(())
}

/// A Node process, and what it says.
struct Node {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Node {
    /// Runs `script` on these cores: a child stays where its parent's thread is, so call it in a thread of its own.
    fn start(script: &str, arguments: &[String], cores: &[usize]) -> Self {
        spawn::stay_on(cores).expect("the core is there");
        let mut node = Command::new("node");
        let mut child = node
            .arg(folder().join(script))
            .args(arguments)
            .env("NODE_ENV", "production")
            .stdout(Stdio::piped())
            .spawn()
            .expect("Node is installed");
        let lines = BufReader::new(child.stdout.take().expect("asked for")).lines();
        Self { child, lines }
    }

    /// The rest of the next line that begins so.
    fn hear(&mut self, beginning: &str) -> String {
        let mut lines = self.lines.by_ref().map_while(Result::ok);
        let rest = lines.find_map(|line| line.strip_prefix(beginning).map(str::to_owned));
        rest.unwrap_or_else(|| panic!("it ended before it said `{beginning}`"))
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // Either fails only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn round(size: &Size) -> Cost {
    let Size { players, seconds, least, server_cores, load_cores } = *size;
    std::thread::scope(|scope| {
        let server = scope.spawn(|| Node::start("server.mjs", &[], server_cores)).join();
        let mut server = server.expect("the server starts");
        let port = server.hear("port ");
        let arguments = [port, players.to_string(), seconds.to_string()];
        let mut clients = Node::start("clients.mjs", &arguments, load_cores);
        clients.hear("begin");
        let usage = || Usage::of(server.child.id()).expect("the server runs").total_cpu_us();
        let before = usage();
        let counted = clients.hear("end ");
        let used = usage() - before;
        let counted: serde_json::Value = serde_json::from_str(&counted).expect("the clients speak JSON");
        let number = |name: &str| counted[name].as_f64().unwrap_or_else(|| panic!("no {name} in {counted}"));
        let ticks = number("seconds") * f64::from(TICK_RATE) * players as f64;
        assert!(number("patches") > ticks * least && number("inputs") > ticks * least, "{counted} in {ticks} ticks");
        println!("          {:.3} cores", used as f64 / 1e6 / number("seconds"));
        Cost {
            cpu_us_per_client_tick: used as f64 / ticks,
            bytes_per_player_tick: number("bytes") / ticks / players as f64,
            traffic: None,
        }
    })
}
