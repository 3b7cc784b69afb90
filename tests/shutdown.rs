//! How the server ends: with a reason to everybody, in time, and at once when told twice. And what it says meanwhile.

mod support;

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use support::sockets::{PATIENCE, Server, config, frame, hello, read_to_end};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, RoomWish};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

#[tokio::test]
async fn clients_that_answer_are_told_and_the_server_ends_at_once() {
    let mut server = Server::start(config());
    let (playing, _) = server.join(RoomWish::Quick).await;
    let (watching, _) = server.join(RoomWish::Spectate(None)).await;
    let silent = server.connect().await;
    let start = Instant::now();
    server.ask_to_stop();
    let (playing, watching, silent) = tokio::join!(playing.ended(), watching.ended(), silent.ended());
    for ended in [playing, watching, silent] {
        ended.expect(CloseReason::Shutdown);
    }
    tokio::task::spawn_blocking(move || server.stop()).await.expect("the server ends well");
    assert!(start.elapsed() < Duration::from_millis(1000), "it took {:?}", start.elapsed());
}

#[tokio::test]
async fn clients_that_do_not_answer_are_cut_after_a_second() {
    let server = Server::start(config());
    let mut socket = server.raw().await;
    socket
        .write_all(&frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode()))
        .await
        .expect("the server reads");
    let took = tokio::task::spawn_blocking(move || server.stop()).await.expect("the server ends well");
    assert!((Duration::from_millis(900)..Duration::from_millis(2000)).contains(&took), "it took {took:?}");
    let (_, ended) = read_to_end(&mut socket, Duration::from_secs(5)).await;
    assert!(ended, "the connection must be cut");
}

#[test]
fn a_port_in_use_is_said_with_a_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it is bound");
    let mut program = Program::start(&["--listen", &address.to_string()]);
    let (status, errors) = program.end();
    assert!(!status.success());
    assert!(errors.contains(&format!("{address} is in use")) && errors.contains("--listen"), "{errors}");
}

/// Trap 10 of DESIGN.md section 9: two descriptors per session, and a system that lets a process have a few.
#[test]
fn too_few_descriptors_are_said_with_a_remedy_and_the_server_runs_all_the_same() {
    let limited = |limit: &str| {
        let mut shell = Command::new("sh");
        let script = format!("ulimit -n {limit} && exec \"$0\" --listen 127.0.0.1:0 --set server.sessions_max=1000");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_tickroom")]);
        let mut program = Program::spawn(&mut shell);
        program.address();
        program.signal("TERM");
        let (status, errors) = program.end();
        assert!(status.success(), "{status}: {errors}");
        errors
    };
    let errors = limited("300");
    assert!(errors.contains("WARN") && errors.contains("limit=300"), "{errors}");
    assert!(errors.contains("ulimit -n") && errors.contains("server.sessions_max"), "{errors}");
    // A soft limit is no limit: it is raised, without a word.
    let errors = limited("-S 300");
    assert!(!errors.contains("WARN"), "{errors}");
}

#[tokio::test]
async fn the_program_prints_one_line_tells_its_clients_and_exits_well() {
    let mut program = Program::start(&["--listen", "127.0.0.1:0"]);
    let address = program.address();
    let mut socket = joined(address).await;
    let start = Instant::now();
    program.signal("TERM");
    let (answer, ended) = read_to_end(&mut socket, Duration::from_secs(10)).await;
    assert!(ended);
    let told = CloseReason::Shutdown.text().as_bytes();
    assert!(answer.windows(told.len()).any(|window| window == told), "the client must be told: {answer:?}");
    let (status, errors) = program.end();
    assert!(status.success(), "{status}: {errors}");
    assert!(start.elapsed() < Duration::from_secs(4), "it took {:?}", start.elapsed());
    assert_eq!(program.stdout(), "", "one line is all that stdout gets");
}

#[tokio::test]
async fn a_second_signal_ends_the_program_at_once() {
    // Clients have an hour to close: without the second signal this test would wait that long.
    let mut program = Program::start(&["--listen", "127.0.0.1:0", "--set", "server.closing_ms=60000"]);
    let address = program.address();
    let mut socket = joined(address).await;
    program.signal("TERM");
    let told = CloseReason::Shutdown.text().as_bytes();
    let mut answer = Vec::new();
    while !answer.windows(told.len()).any(|window| window == told) {
        let (more, ended) = read_to_end(&mut socket, Duration::from_millis(200)).await;
        answer.extend(more);
        assert!(!ended, "the client has a minute");
    }
    let start = Instant::now();
    program.signal("INT");
    let (status, _) = program.end();
    assert_eq!(status.code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(2), "it took {:?}", start.elapsed());
}

#[tokio::test]
async fn nothing_that_a_stranger_sends_raises_the_log_level() {
    let mut program = Program::start(&["--listen", "127.0.0.1:0"]);
    let address = program.address();
    for bytes in [
        frame(0xF2, b"x"),
        frame(0x09, b"a control frame in fragments"),
        frame(0x81, b"text"),
        frame(0x82, &[0xFF; 100]),
        [&[0x82, 0xFF][..], &[0x7F; 8], &[0; 4]].concat(),
        frame(0x88, &[0, 0]),
        frame(0x89, &[]).repeat(5000),
    ] {
        let mut socket = upgraded(address).await;
        let _ = socket.write_all(&bytes).await;
        read_to_end(&mut socket, Duration::from_secs(5)).await;
    }
    for bytes in
        [&b"\x16\x03\x01\x02\0\x01\0"[..], b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"\r\n\r\nPRI * HTTP/2.0\r\n\r\n"]
    {
        let mut socket = TcpStream::connect(address).await.expect("the program listens");
        let _ = socket.write_all(bytes).await;
        let _ = socket.shutdown().await;
        read_to_end(&mut socket, Duration::from_secs(1)).await;
    }
    drop(joined(address).await);
    tokio::time::sleep(Duration::from_millis(200)).await;
    program.signal("TERM");
    let (status, errors) = program.end();
    assert!(status.success());
    assert!(!errors.contains("WARN") && !errors.contains("ERROR") && !errors.contains("panicked"), "{errors}");
    // Rooms are worth a line, sessions are not.
    assert!(errors.contains("room begins"), "{errors}");
    assert!(errors.lines().count() <= 8, "{errors}");
}

/// The built program, which is killed when a test is done with it.
struct Program {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Program {
    fn start(arguments: &[&str]) -> Self {
        Self::spawn(Command::new(env!("CARGO_BIN_EXE_tickroom")).args(arguments))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program was built");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        Self { child, stdout }
    }

    /// What the one line says.
    fn address(&mut self) -> SocketAddr {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("the program prints a line");
        let address = line.trim_end().strip_prefix("http://").expect("the line is an address");
        address.parse().expect("the line is an address")
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
    }

    /// How it ended, and what it wrote to stderr.
    fn end(&mut self) -> (ExitStatus, String) {
        let start = Instant::now();
        let status = loop {
            match self.child.try_wait().expect("the program is ours") {
                Some(status) => break status,
                None if start.elapsed() > PATIENCE => panic!("the program does not end"),
                None => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let mut errors = String::new();
        self.child.stderr.take().expect("stderr is piped").read_to_string(&mut errors).expect("logs are text");
        (status, errors)
    }

    /// What is left on stdout.
    fn stdout(&mut self) -> String {
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

async fn upgraded(address: SocketAddr) -> TcpStream {
    support::sockets::upgrade(TcpStream::connect(address).await.expect("the program listens"), address).await
}

/// A raw client that has had something of its room, so that it is in.
async fn joined(address: SocketAddr) -> TcpStream {
    let mut socket = upgraded(address).await;
    socket
        .write_all(&frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode()))
        .await
        .expect("the program reads");
    let mut first = [0; 64];
    support::sockets::within("a Welcome", tokio::io::AsyncReadExt::read_exact(&mut socket, &mut first))
        .await
        .expect("the program answers");
    socket
}
