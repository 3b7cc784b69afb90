//! The load generator against the real server, over real sockets: its numbers must agree with each other and with what
//! was asked for. Small and short; how fast anything is, is not judged here.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;

fn stress(arguments: &str) -> (Output, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_tickroom"))
        .args(["stress", "--spawn", "--json"])
        .args(arguments.split(' '))
        .output()
        .expect("the program starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let report = serde_json::from_str(&text).unwrap_or_else(|error| {
        panic!("{error} in the report of `{arguments}`:\n{text}\n{}", String::from_utf8_lossy(&output.stderr))
    });
    (output, report)
}

/// Whatever the machine did, the parts are no more than the whole.
fn stalls_explain_no_more_than_there_was(report: &Value) {
    let stalls = number(report, "/generator_stalls/count");
    for (at, group) in report["groups"].as_array().expect("groups").iter().enumerate() {
        let of = |name: &str| number(report, &format!("/groups/{at}/{name}"));
        assert!(of("late_in_stalls") <= of("late") && of("late") <= of("snapshots"), "{group:#}");
        assert!(of("missing_in_stalls") <= of("missing"), "{group:#}");
        if stalls == 0.0 {
            assert_eq!((of("late_in_stalls"), of("missing_in_stalls")), (0.0, 0.0), "{group:#}");
        }
    }
}

fn number(report: &Value, path: &str) -> f64 {
    let value = report.pointer(path).unwrap_or(&Value::Null);
    value.as_f64().unwrap_or_else(|| panic!("{path} is {value} in\n{report:#}"))
}

/// Every view stayed the server's.
fn views_agree(report: &Value) {
    for (at, group) in report["groups"].as_array().expect("groups").iter().enumerate() {
        let of = |name: &str| number(report, &format!("/groups/{at}/{name}"));
        assert_eq!((of("digest_mismatches"), of("view_errors")), (0.0, 0.0), "{group:#}");
    }
}

#[test]
fn twenty_players_for_two_seconds_and_every_number_fits_the_others() {
    let (output, report) = stress("--players 20 --rooms 2 --seconds 2");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of = |name: &str| number(&report, &format!("/groups/0/{name}"));

    assert_eq!((of("players"), of("playing_at_end"), of("joined")), (20.0, 20.0, 20.0));
    assert_eq!((of("join_ms/count"), of("first_snapshot_ms/count")), (20.0, 20.0));
    assert!(of("first_snapshot_ms/p50") >= of("join_ms/p50"), "a snapshot came before its Welcome");
    assert_eq!(report["groups"][0]["closes"], serde_json::json!({"left": 20}));

    // Every snapshot of every player either came, had nothing to say, or is counted as missing. A busy machine may
    // skip ticks; the rest is rounding at both ends.
    let seconds = number(&report, "/seconds");
    assert!((1.9..2.5).contains(&seconds), "{seconds} s");
    let accounted = of("snapshots") + of("missing") + of("empty");
    let most = 20.0 * (seconds * 30.0 + 1.0);
    let least = 20.0 * ((seconds * 60.0 - of("ticks_skipped")) / 2.0 - 3.0);
    assert!((least..=most).contains(&accounted), "{accounted} snapshots accounted for, of {least} to {most}");
    assert_eq!(of("lateness_ms/count"), of("snapshots"));
    assert!((number(&report, "/snapshots_per_second") * seconds - of("snapshots")).abs() < 1.0);
    for spans in ["lateness_ms", "ack_ms", "ack_ticks", "rtt_ms", "silence_ms"] {
        let at = |name: &str| of(&format!("{spans}/{name}"));
        assert!(at("count") > 0.0 && at("p50") <= at("p99") && at("p99") <= at("max"), "{spans}");
    }

    // The generator is due once a millisecond.
    let beats = number(&report, "/generator_late_ms/count");
    assert!((beats - seconds * 1e3).abs() < 2.0, "{beats} beats in {seconds} s");
    stalls_explain_no_more_than_there_was(&report);

    // A row in force is sent again every 100 ms, and an ack takes at least until the next snapshot.
    assert!(of("inputs") >= 20.0 * (seconds * 10.0 - 2.0), "{} inputs", of("inputs"));
    assert!(of("ack_ms/count") <= of("inputs") && of("ack_ticks/p50") >= 1.0);
    assert!(of("digests") >= 20.0, "a view is compared once a second, {} were", of("digests"));
    views_agree(&report);
    assert!(of("rows_held") > 10.0 && of("bytes_up_per_player_second") > 10.0 * 15.0);
    let bytes = of("bytes_down_per_player_second") / of("snapshots_per_player_second");
    assert!((20.0..20_000.0).contains(&bytes), "{bytes} bytes per snapshot");

    if cfg!(target_os = "linux") {
        let cores = number(&report, "/server/process/cores");
        let by_snapshot = number(&report, "/server/cpu_us_per_snapshot") * of("snapshots") / (seconds * 1e6);
        assert!(cores > 0.0 && (by_snapshot / cores - 1.0).abs() < 0.1, "{cores} cores, {by_snapshot} by snapshots");
        assert!(number(&report, "/server/process/resident_kib") > 1000.0);
        assert!(number(&report, "/generator/cores") > 0.0);
    }
}

/// A stopped process measures nothing, and what it finds when it goes on is late; the server is not stopped.
#[cfg(unix)]
#[test]
fn a_stall_of_the_generator_is_not_taken_for_the_servers() {
    use rustix::process::{Pid, Signal, kill_process};

    let mut generator = Command::new(env!("CARGO_BIN_EXE_tickroom"))
        .args(["stress", "--spawn", "--json", "--players", "10", "--rooms", "1", "--seconds", "6"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // By the system call: to start `kill` can take longer than the measurement on a machine whose disk is busy.
    let pid = Pid::from_child(&generator);
    let signal = |which| kill_process(pid, which).expect("it runs");
    // It says every three seconds how it goes, so the first time is in the first half of the measurement.
    let mut lines = BufReader::new(generator.stderr.take().expect("asked for")).lines().map_while(Result::ok);
    lines.find(|line| line.contains("snapshots/s")).expect("it measures");
    signal(Signal::STOP);
    std::thread::sleep(Duration::from_millis(300));
    signal(Signal::CONT);
    lines.for_each(drop);
    let output = generator.wait_with_output().expect("it ends");
    let report: Value = serde_json::from_slice(&output.stdout).expect("the report is JSON");
    assert!(output.status.success(), "{report:#}");
    let (late, total) = (number(&report, "/generator_late_ms/max"), number(&report, "/generator_stalls/total_ms"));
    assert!(late >= 299.0 && number(&report, "/generator_stalls/count") >= 1.0, "{late} ms late at most");
    assert!(total >= 299.0, "stalls of {total} ms in all");
    // Nine snapshots were due for each of the ten, and lay in their sockets or were not sent.
    let explained = number(&report, "/groups/0/late_in_stalls") + number(&report, "/groups/0/missing_in_stalls");
    assert!(explained >= 70.0, "{explained} explained in\n{report:#}");
    stalls_explain_no_more_than_there_was(&report);
}

/// Everybody leaves in one moment, most of them while the room is sending: all seats are free at once, the room ends, and
/// what it and its sessions used goes back to the system.
#[test]
fn what_two_hundred_players_used_is_given_back_when_they_have_left() {
    let (output, report) = stress("--players 200 --seconds 2 --profile crowd");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(report["groups"][0]["closes"], serde_json::json!({"left": 200}));
    if cfg!(all(target_os = "linux", target_env = "gnu")) {
        let kib = |name: &str| number(&report, &format!("/server/{name}"));
        let (before, in_play) = (kib("resident_before_kib"), kib("process/resident_kib"));
        let after = kib("resident_after_kib");
        // The rest is code that was read in from the program's file, and what a server that has run keeps.
        assert!(after - before < (in_play - before) / 2.0, "{before} KiB before, {in_play} in play, {after} after");
    }
}

#[test]
fn a_threshold_that_is_missed_fails_the_run() {
    let (output, report) = stress("--players 2 --seconds 1 --max-p99-ms 0.000001");
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("p99 lateness"));
    assert!(number(&report, "/groups/0/lateness_ms/p99") > 0.000001);
}

#[test]
fn a_storm_of_joins_is_reported_apart_from_those_who_play() {
    let (output, report) = stress("--players 20 --seconds 2 --profile join-storm --rooms 1");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!((&report["groups"][0]["name"], &report["groups"][1]["name"]), (&"standing".into(), &"storm".into()));
    assert_eq!((number(&report, "/groups/0/joined"), number(&report, "/groups/1/joined")), (2.0, 18.0));
    assert_eq!(number(&report, "/groups/1/playing_at_end"), 18.0);
    views_agree(&report);
}

/// A room that settles many joins in one go tells the lobby of each: a ticket that expires there closes its session.
#[test]
fn whoever_came_in_a_storm_still_plays_when_its_ticket_would_have_expired() {
    let (output, report) =
        stress("--players 200 --seconds 3 --profile join-storm --rooms 1 --set server.reservation_ms=1000");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(number(&report, "/groups/1/playing_at_end"), 180.0, "{:#}", report["groups"][1]["closes"]);
}

/// Who acks and does not read is sent nothing more; who does not ack is sent on until its socket is full, and then cut: late,
/// because it goes on saying what it does.
#[test]
fn who_stops_reading_without_acks_is_cut() {
    // 100 kB a second, with so many bots in view: the sockets are full after less than two of the ten seconds.
    let (output, report) = stress(
        "--players 4 --seconds 10 --profile slow-reader --slow stop --no-ack --tier full --rooms 1 --set server.stuck_ms=300 \
         --set room.ticks_per_snapshot=1 --set room.seats_max=64 --set room.fill_to=64",
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(number(&report, "/groups/0/playing_at_end"), 2.0);
    let at_end = number(&report, "/groups/1/playing_at_end");
    let cut = |name: &str| number(&report, &format!("/groups/1/{name}"));
    assert!(at_end == 0.0 && cut("cut_after_ms/count") == 2.0, "{:#}", report["groups"][1]);
    assert_eq!(report["groups"][0]["kernel_bytes_max"], Value::Null, "nobody asks for those who read");
    if cfg!(target_os = "linux") {
        // It is cut in time, and not before. What the kernel holds may still move when the server's last chunk is stuck
        // already (probes of a closed window), so the least is counted from where the reading stopped.
        let least = 12.0 * 300.0 - 150.0 - 2.0 * number(&report, "/generator_late_ms/max");
        assert!(cut("cut_after_ms/p50") >= least, "{least} ms at least; {:#}", report["groups"][1]);
        assert!((1.0..=5600.0).contains(&cut("stuck_ms/max")), "{:#}", report["groups"][1]);
        assert!(cut("stuck_ms/max") <= cut("cut_after_ms/max"), "it can be stuck only once it does not read");
        assert!((1.0..=65_536.0).contains(&cut("kernel_bytes_max")), "{:#}", report["groups"][1]);
    }
}

#[test]
fn everybody_drops_and_takes_the_same_seat_back() {
    let (output, report) = stress("--players 10 --seconds 4 --profile reconnect-storm --storm-every 2");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of = |name: &str| number(&report, &format!("/groups/0/{name}"));
    // After one second and after three.
    assert_eq!((of("resumed"), of("joined"), of("resume_ms/count")), (20.0, 30.0, 20.0));
    assert_eq!(of("closes/dropped by us"), 20.0);
    views_agree(&report);
}

#[test]
fn slow_readers_are_reported_apart_and_the_healthy_keep_their_rate() {
    let (output, report) = stress("--players 8 --seconds 3 --profile slow-reader --rooms 1");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names: Vec<_> = report["groups"].as_array().expect("groups").iter().map(|group| &group["name"]).collect();
    assert_eq!(names, ["healthy", "stopped", "crawling", "bursting"]);
    assert_eq!(number(&report, "/groups/1/snapshots"), 0.0, "whoever does not read gets nothing");
    // Ten reads a second of 200 bytes at most.
    assert!(number(&report, "/groups/2/bytes_down_per_player_second") <= 2100.0);
    let bursting = number(&report, "/groups/3/silence_ms/max");
    assert!(bursting > 800.0, "one that reads once a second heard something {bursting} ms after the last");
    assert!(number(&report, "/groups/0/snapshots_per_player_second") > 10.0);
    for (at, group) in report["groups"].as_array().expect("groups").iter().enumerate() {
        assert_eq!(group["playing_at_end"], group["players"], "who acks is never cut for being slow: {group:#}");
        if at > 0 && cfg!(target_os = "linux") {
            let bytes = number(&report, &format!("/groups/{at}/kernel_bytes_max"));
            assert!(bytes <= 65_536.0, "{bytes} bytes lay in the kernel for one of {}", group["name"]);
        }
    }
    views_agree(&report);
}

#[test]
fn who_floods_is_closed_for_it_and_the_honest_are_not() {
    let (output, report) = stress("--players 8 --seconds 3 --profile flood --share 0.25 --rooms 1");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(report["groups"][0]["closes"], serde_json::json!({"left": 6}));
    assert!(number(&report, "/groups/1/closes/too_fast") >= 2.0, "{:#}", report["groups"][1]);
}
