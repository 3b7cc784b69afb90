//! What an operator gets wrong is a sentence and an exit code, never a panic; and what surrounds the server (a terminal
//! that closes, variables of others) keeps it neither from starting nor from running.

mod support;

use std::process::Command;
use std::time::Duration;

use support::program::Program;

/// The program under a limit of the shell's, as in `-n 16`.
fn limited(limit: &str, arguments: &str) -> Program {
    let mut shell = Command::new("sh");
    let script = format!("ulimit {limit} && exec \"$0\" --listen 127.0.0.1:0 {arguments}");
    shell.args(["-c", &script, env!("CARGO_BIN_EXE_tickroom")]);
    Program::spawn(&mut shell)
}

/// A start that fails: one sentence, which says all of `words`, and exit code `code`.
#[track_caller]
fn fails(mut program: Program, code: i32, words: &[&str]) {
    let (status, errors) = program.end();
    assert_eq!(status.code(), Some(code), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    let said: Vec<&str> = errors.lines().filter(|line| line.starts_with("tickroom: ")).collect();
    assert_eq!(said.len(), 1, "one sentence: {errors}");
    for word in words {
        assert!(said[0].contains(word), "{word} is missing: {errors}");
    }
}

#[test]
fn a_port_in_use_is_said_with_a_remedy() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it is bound");
    let in_use = format!("{address} is in use");
    fails(Program::start(&["--listen", &address.to_string()]), 1, &[&in_use, "--listen"]);
}

#[test]
fn a_system_that_lets_too_little_run_is_said_with_a_remedy() {
    let threads = "--set server.workers=2 --set server.arbiters=2";
    for descriptors in [8, 12, 16, 24] {
        fails(limited(&format!("-n {descriptors}"), threads), 1, &["open files", "ulimit -n", "server.workers"]);
    }
    for kilobytes in [20_000, 30_000, 40_000] {
        // A shell whose own address space is too small for the program's libraries could say nothing.
        fails(limited(&format!("-v {kilobytes}"), threads), 1, &["too little memory", "ulimit", "server.workers"]);
    }
}

/// Trap 10 of DESIGN.md section 9: two descriptors per session, and a system that lets a process have a few.
#[test]
fn too_few_descriptors_are_said_with_a_remedy_and_the_server_runs_all_the_same() {
    let said = |limit: &str| {
        let mut program = limited(limit, "--set server.sessions_max=1000");
        program.address();
        program.signal("TERM");
        let (status, errors) = program.end();
        assert!(status.success(), "{status}: {errors}");
        errors
    };
    let errors = said("-n 300");
    assert!(errors.contains("WARN") && errors.contains("limit=300"), "{errors}");
    assert!(errors.contains("ulimit -n") && errors.contains("server.sessions_max"), "{errors}");
    // A soft limit is no limit: it is raised, without a word.
    let errors = said("-S -n 300");
    assert!(!errors.contains("WARN"), "{errors}");
}

#[test]
fn a_wrong_setting_is_named_wherever_it_was_made() {
    fails(Program::start(&["--set", "room.seats_max=-1"]), 2, &["room.seats_max", "--set", "-1"]);
    fails(Program::start(&["--set", "server.allowed_origins=[\"*\"]"]), 2, &["server.allowed_origins", "https://"]);
    fails(Program::start(&["--log", "warning"]), 1, &["--log", "`warning`", "warn"]);
    fails(Program::start(&["--set", "game.no_such_rule=1"]), 1, &["[game]", "no_such_rule"]);
    let mut variable = Command::new(env!("CARGO_BIN_EXE_tickroom"));
    variable.env("TICKROOM_ROOM_SEATS_MAX", "many");
    fails(Program::spawn(&mut variable), 2, &["TICKROOM_ROOM_SEATS_MAX", "room.seats_max"]);
}

#[test]
fn variables_of_others_keep_no_server_from_starting() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tickroom"));
    command
        .args(["--listen", "localhost:0"])
        .env("TICKROOM_PORT", "tcp://10.0.0.1:8080")
        .env("TICKROOM_SERVICE_HOST", "10.0.0.1")
        .env("TICKROOM_CONFIG", "")
        .env("TICKROOM_LOG", "")
        .env("TICKROOM_ROOM_SEAT_MAX", "3");
    let mut program = Program::spawn(&mut command);
    assert!(program.address().ip().is_loopback());
    program.signal("TERM");
    let (status, errors) = program.end();
    assert!(status.success(), "{errors}");
    let warned: Vec<&str> = errors.lines().filter(|line| line.contains("WARN") && line.contains("TICKROOM_")).collect();
    assert_eq!(warned.len(), 1, "{errors}");
    assert!(warned[0].contains("TICKROOM_ROOM_SEAT_MAX") && warned[0].contains("TICKROOM_ROOM_SEATS_MAX"), "{errors}");
}

#[tokio::test]
async fn a_terminal_that_closes_ends_no_match() {
    let mut program = Program::start(&["--listen", ":0"]);
    // It listens everywhere, and says where it can be opened.
    let address = program.address();
    assert!(address.ip().is_loopback(), "{address}");
    for _ in 0..3 {
        program.signal("HUP");
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    tokio::net::TcpStream::connect(address).await.expect("it still serves");
    program.signal("TERM");
    let (status, errors) = program.end();
    assert!(status.success(), "{errors}");
    assert!(errors.contains("SIGHUP"), "{errors}");
}
