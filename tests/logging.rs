//! What stderr is must not matter to anybody who plays: a pipe that nobody reads, a disk that is full, an end that has
//! gone. Nothing waits for the log, not even the end.
#![cfg(target_os = "linux")]

mod support;

use std::io::{PipeReader, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use support::program::Program;
use support::sockets::{PATIENCE, frame, hello, take_message, upgrade, within};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, Ping, RoomWish, ServerMessage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Settings under which strangers cause many lines, in a log that tells of everything.
const TALKATIVE: [&str; 6] =
    ["--listen", "127.0.0.1:0", "--log", "debug", "--set", "server.messages_per_second=1000000"];

/// The longest time without a snapshot that still is a game that goes on: far above what a busy machine makes of 33 ms.
const PAUSE_MAX: Duration = Duration::from_millis(700);

async fn connect(address: SocketAddr) -> TcpStream {
    upgrade(TcpStream::connect(address).await.expect("the program listens"), address).await
}

async fn say(socket: &mut TcpStream, message: &ClientMessage) {
    socket.write_all(&frame(0x82, &message.encode())).await.expect("the program reads");
}

/// Plays until the session ends: the longest pause between two messages, and why it ended.
async fn play(address: SocketAddr) -> (Duration, Option<u16>) {
    let mut socket = connect(address).await;
    say(&mut socket, &ClientMessage::Hello(hello(RoomWish::Quick))).await;
    let (mut bytes, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    let (mut pause, mut closing, mut last) = (Duration::ZERO, None, None::<Instant>);
    while let Ok(read @ 1..) = within("a snapshot or the end", socket.read(&mut chunk)).await {
        pause = pause.max(last.map_or(Duration::ZERO, |last| last.elapsed()));
        last = Some(Instant::now());
        bytes.extend_from_slice(&chunk[..read]);
        while let Some((first, message)) = take_message(&mut bytes) {
            if let (0x82, Ok((ServerMessage::Closing(said), _))) = (first, ServerMessage::decode(&message)) {
                closing = Some(said.code);
                socket.write_all(&frame(0x88, &[])).await.expect("the program reads");
            }
        }
    }
    (pause, closing)
}

/// Strangers of whom the log tells thousands of lines: rooms that begin, sessions that break off, and what is refused.
async fn make_noise(address: SocketAddr) {
    let ping = frame(0x82, &ClientMessage::Ping(Ping { time: 1, seen: 1 }).encode());
    for _ in 0..12 {
        let mut socket = connect(address).await;
        say(&mut socket, &ClientMessage::Hello(hello(RoomWish::Create { private: true }))).await;
        within("a Welcome", socket.read_exact(&mut [0; 64])).await.expect("the program answers");
        // A tick takes 64 of them.
        socket.write_all(&ping.repeat(1500)).await.expect("the program reads");
    }
    for _ in 0..20 {
        let mut socket = connect(address).await;
        socket.write_all(&frame(0x82, b"no message")).await.expect("the program reads");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
}

/// A match goes on beside all of it, and ends with its reason and in time.
async fn nobody_notices(what: &str, mut program: Program) {
    let address = program.address();
    let playing = tokio::spawn(play(address));
    make_noise(address).await;
    let start = Instant::now();
    program.signal("TERM");
    let (pause, closing) = within("the end", playing).await.expect("it plays");
    let (status, _) = program.end();
    assert!(status.success(), "{what}: {status}");
    assert_eq!(closing, Some(CloseReason::Shutdown.code()), "{what}: a player must be told");
    assert!(pause < PAUSE_MAX, "{what}: the match stood still for {pause:?}");
    assert!(start.elapsed() < Duration::from_secs(4), "{what}: it took {:?} to end", start.elapsed());
}

fn program(stderr: impl Into<Stdio>) -> Program {
    Program::spawn_with(Command::new(env!("CARGO_BIN_EXE_tickroom")).args(TALKATIVE), stderr)
}

/// By a shell that does something to stderr first.
fn in_shell(script: &str) -> Program {
    let mut shell = Command::new("sh");
    Program::spawn_with(shell.args(["-c", script, env!("CARGO_BIN_EXE_tickroom")]).args(TALKATIVE), Stdio::null())
}

fn full_pipe() -> (PipeReader, std::io::PipeWriter) {
    let (reader, mut writer) = std::io::pipe().expect("a pipe can be made");
    rustix::io::ioctl_fionbio(&writer, true).expect("a pipe has this option");
    while writer.write(b"what somebody else wrote\n").is_ok() {}
    (reader, writer)
}

#[tokio::test]
async fn a_log_that_cannot_be_written_is_no_players_trouble() {
    let (reader, closed) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    nobody_notices("a pipe whose other end has gone", program(closed)).await;
    nobody_notices("a stderr that was closed", in_shell("exec \"$0\" \"$@\" 2>&-")).await;
    nobody_notices("a full disk", in_shell("exec \"$0\" \"$@\" 2>/dev/full")).await;
    let short = std::env::temp_dir().join(format!("tickroom-log-{}", std::process::id()));
    let script = format!("ulimit -f 1 && exec \"$0\" \"$@\" 2>{}", short.display());
    nobody_notices("a log file as long as it may be", in_shell(&script)).await;
    let written = std::fs::metadata(&short).expect("it was made").len();
    assert!((512..=1024).contains(&written), "{written} bytes were written: the limit was not reached");
    std::fs::remove_file(short).expect("it was made");
}

#[tokio::test]
async fn a_log_that_nobody_reads_is_no_players_trouble() {
    let (_reader, writer) = full_pipe();
    nobody_notices("a full pipe that does not block", program(writer)).await;
    let (_reader, writer) = full_pipe();
    rustix::io::ioctl_fionbio(&writer, false).expect("a pipe has this option");
    nobody_notices("a full pipe", program(writer)).await;
}

#[tokio::test]
async fn an_address_that_nobody_takes_is_no_players_trouble() {
    let (mut reader, writer) = full_pipe();
    rustix::io::ioctl_fionbio(&writer, false).expect("a pipe has this option");
    let command = &mut Command::new(env!("CARGO_BIN_EXE_tickroom"));
    let mut child = command
        .args(["--listen", "127.0.0.1:0"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program was built");
    // The log tells the address too.
    let mut log = std::io::BufReader::new(child.stderr.take().expect("stderr is piped"));
    let address = loop {
        let mut line = String::new();
        std::io::BufRead::read_line(&mut log, &mut line).expect("logs are text");
        if let Some((_, after)) = line.split_once("address=") {
            break after.split(' ').next().and_then(|address| address.parse().ok()).expect("an address");
        }
    };
    let playing = tokio::spawn(play(address));
    tokio::time::sleep(Duration::from_millis(500)).await;
    let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill is there");
    assert!(killed.success());
    let (pause, closing) = within("the end", playing).await.expect("it plays");
    assert_eq!(closing, Some(CloseReason::Shutdown.code()));
    assert!(pause < PAUSE_MAX, "the match stood still for {pause:?}");
    let start = Instant::now();
    while child.try_wait().expect("the program is ours").is_none() {
        assert!(start.elapsed() < PATIENCE, "the program does not end");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut taken = vec![0; 4096];
    assert!(reader.read(&mut taken).expect("a pipe can be read") > 0);
}

/// Lines that were lost are counted, and the count is told to whoever reads again.
#[tokio::test]
async fn a_reader_that_comes_back_is_told_what_it_missed() {
    let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut program = program(writer);
    let address = program.address();
    // What the pipe and the program's own memory hold must be less.
    for _ in 0..8 {
        make_noise(address).await;
    }
    let log = std::thread::spawn(move || {
        let mut log = String::new();
        reader.read_to_string(&mut log).map(|_| log)
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    drop(connect(address).await);
    program.signal("TERM");
    let (status, _) = program.end();
    assert!(status.success());
    let log = log.join().expect("it reads").expect("logs are text");
    let told = log.lines().find(|line| line.contains("lines of the log were lost")).expect("it is told");
    let lost: u32 = told.split("log: ").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok()).expect("a count");
    assert!(lost > 100, "{told}");
    assert!(log.trim_end().ends_with("stopped"), "what came later is there");
    for line in log.lines() {
        assert!(line.starts_with("20") && line.contains("Z "), "every line is whole: {line:?}");
    }
}

/// Set for a process of this very program that is to panic: the name of the test.
const PANICS: &str = "TICKROOM_TEST_PANICS";

/// The standard library's own way to tell of a panic waits for whoever reads stderr, with the room that panicked.
#[test]
fn a_panic_is_a_line_of_the_log_and_waits_for_nobody() {
    const NAME: &str = "a_panic_is_a_line_of_the_log_and_waits_for_nobody";
    if std::env::var_os(PANICS).is_some() {
        let lines = tickroom::host::log::to_stderr().expect("a thread can be started");
        tracing_subscriber::fmt().with_writer(lines).with_ansi(false).init();
        tickroom::host::panics::log_them();
        let room = std::thread::Builder::new().name("room".into()).spawn(|| panic!("the game's mistake"));
        assert!(room.expect("a thread can be started").join().is_err());
        tickroom::host::log::flush(Duration::from_millis(500));
        std::process::exit(7);
    }
    let run = |stderr: Stdio| {
        let program = std::env::current_exe().expect("it runs");
        let mut command = Command::new(program);
        // Not the harness's way of holding back what is written.
        command.args(["--exact", NAME, "--nocapture"]).env(PANICS, "yes").env_remove("RUST_BACKTRACE");
        command.stdout(Stdio::null()).stderr(stderr).spawn().expect("it can be run")
    };
    let ends = |mut child: std::process::Child| {
        let start = Instant::now();
        loop {
            if let Some(status) = child.try_wait().expect("it is ours") {
                return status.code();
            }
            if start.elapsed() > PATIENCE {
                child.kill().expect("it is ours");
                panic!("it waits for whoever reads stderr");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    };
    let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
    assert_eq!(ends(run(writer.into())), Some(7));
    let mut log = String::new();
    reader.read_to_string(&mut log).expect("logs are text");
    assert!(log.contains("ERROR") && log.contains("panicked: the game's mistake"), "{log}");
    assert!(log.contains("thread=\"room\"") && log.contains("logging.rs:"), "{log}");
    let (_reader, writer) = full_pipe();
    rustix::io::ioctl_fionbio(&writer, false).expect("a pipe has this option");
    assert_eq!(ends(run(writer.into())), Some(7));
}
