//! The conformance runner against a client that is right, which must pass, and against clients with one fault each, which
//! must fail at the step that is about it.
#![cfg(feature = "server")]

#[path = "conformance/mutant.rs"]
mod mutant;

use std::time::Duration;

use mutant::{Fault, live};
use tickroom::tools::conformance::script::{self, Patience};
use tickroom::tools::conformance::{Report, Verdict};
use tokio::net::TcpListener;

/// Runs the script with a client that has this fault, and starts it again whenever it ends by itself.
async fn with_client(fault: Fault) -> Report {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ws", listener.local_addr().unwrap());
    let client = tokio::spawn(async move {
        loop {
            live(&url, fault).await;
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    });
    let patience = Patience {
        away: Duration::from_millis(500),
        back_within: Duration::from_secs(12),
        start_within: Duration::from_secs(5),
    };
    let report = script::play(listener, patience, |_| {}).await;
    client.abort();
    report
}

#[tokio::test]
async fn each_fault_is_found_at_the_step_that_is_about_it() {
    // All at once: they mostly wait.
    let cases = [
        (Fault::WrongVersion, "hello", "protocol"),
        (Fault::ResumesAtFirst, "hello", "fresh"),
        (Fault::TalksBeforeWelcome, "welcome", "between Hello and Welcome"),
        (Fault::SendsText, "stream", "text"),
        (Fault::LongNumbers, "stream", "shortest form"),
        (Fault::ShortRow, "stream", "the row has"),
        (Fault::OutOfRange, "stream", "outside"),
        (Fault::SameSeq, "stream", "it must rise"),
        (Fault::SeenAhead, "stream", "seen is"),
        (Fault::Cries, "stream", "a Resync, although"),
        (Fault::NeverSteers, "input", "no Input"),
        (Fault::NeverPings, "ping", "no Ping"),
        (Fault::NoDigest, "digest", "no Resync"),
        (Fault::AsksTooOften, "digest", "at most one a second"),
        (Fault::ForgetsToken, "resume", "resume is nothing"),
        (Fault::KeepsSeq, "new_session_stream", "must be 1"),
        (Fault::KeepsFirstToken, "newest_token", "expected 02"),
        (Fault::AlwaysComesBack, "close_1002", "after the end"),
        (Fault::NeverComesBack, "resume", "no connection came"),
    ];
    let runs: Vec<_> = cases.iter().map(|&(fault, ..)| tokio::spawn(with_client(fault))).collect();
    for ((fault, name, why), run) in cases.into_iter().zip(runs) {
        let report = run.await.unwrap();
        let step = report.steps.iter().find(|step| step.name == name).unwrap_or_else(|| panic!("{fault:?}\n{report}"));
        let found = step.fault.as_ref().map_or("", |fault| fault.why.as_str());
        assert!(found.contains(why), "{fault:?} at {name}: {found:?}\n{report}");
        let earlier = report.steps.iter().take_while(|step| step.name != name);
        for step in earlier {
            assert_ne!(step.verdict, Verdict::Failed, "{fault:?}\n{report}");
        }
        // Two faults are against a SHOULD.
        assert_eq!(report.passed(), matches!(fault, Fault::NeverPings), "{fault:?}\n{report}");
    }
}

#[tokio::test]
async fn a_client_without_fault_conforms() {
    let report = with_client(Fault::None).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.count(Verdict::Skipped) + report.count(Verdict::Warned), 0, "{report}");
    assert!(report.steps.len() >= 35, "{report}");
}

#[tokio::test]
async fn a_client_of_the_full_tier_conforms() {
    let report = with_client(Fault::FullTier).await;
    assert!(report.passed(), "{report}");
    assert_eq!(report.count(Verdict::Skipped), 3, "what only concerns the delta tier\n{report}");
}
