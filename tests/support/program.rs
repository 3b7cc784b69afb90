//! The built program as its operator runs it: arguments, signals, streams, exit code.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::sockets::PATIENCE;

/// The built program, which is killed when a test is done with it.
pub struct Program {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Program {
    /// With these arguments.
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_tickroom")).args(arguments))
    }

    /// By a command that becomes the program.
    pub fn spawn(command: &mut Command) -> Self {
        Self::spawn_with(command, Stdio::piped())
    }

    /// The same, with another stderr: then [`Self::end`] tells nothing of it.
    pub fn spawn_with(command: &mut Command, stderr: impl Into<Stdio>) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the program was built");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, stdout }
    }

    /// What the first line says.
    pub fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the program prints a line");
        let address = line.trim_end().strip_prefix("http://").expect("the line is an address");
        address.parse().expect("the line is an address")
    }

    /// Sends it a signal, by its name without SIG.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// How it ended, and what it wrote to stderr.
    pub fn end(&mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("the program is ours") {
                Some(status) => break status,
                None if start.elapsed() > PATIENCE => panic!("the program does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let mut errors = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut errors).expect("logs are text");
        }
        (status, errors)
    }

    /// What is left on stdout.
    pub fn stdout(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).expect("stdout is text");
        rest
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
