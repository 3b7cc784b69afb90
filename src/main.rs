//! The server program: parse, set up logging, run, exit code. The only file that names the game, and that hears signals.

use std::io::{self, IsTerminal, Write};
use std::pin::Pin;
use std::process::ExitCode;

use tickroom::arena::{Arena, ArenaOptions};
use tickroom::cli::{self, Job, Serve};
use tickroom::server;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing_subscriber::EnvFilter;

/// What the crates underneath log. They call a stranger's bytes an error, and nothing that a stranger sends may raise
/// our log level; their own mistakes show as answers that do not come.
const QUIET: &str = "actix=off,actix_http=off,actix_web=off,actix_server=warn,";

/// The exit code of a process that a second signal ended at once, as shells count SIGINT.
const EXIT_AT_ONCE: i32 = 130;

type ShutdownSignal = Pin<Box<dyn Future<Output = ()>>>;

fn main() -> ExitCode {
    let job = match cli::read(&ArenaOptions::SETTINGS) {
        Ok(job) => job,
        Err(error) => return ExitCode::from(error.report()),
    };
    match job {
        Job::Serve(serve) => run_serve(*serve),
        Job::Lag(lag) => run(async |shutdown| lag.run(shutdown).await),
        Job::Stress(stress) => match stress.run() {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => exit_code(Err(error)),
        },
        Job::Conformance(conformance) => match actix::System::new().block_on(conformance.run()) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => exit_code(Err(error)),
        },
    }
}

fn run_serve(Serve { config, log }: Serve) -> ExitCode {
    let filter = match EnvFilter::try_new(format!("{QUIET}{log}")) {
        Ok(filter) => filter,
        Err(error) => return exit_code(Err(format!("`--log {log}` is not understood: {error}"))),
    };
    let colours = io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).with_ansi(colours).init();
    let announce = |address| {
        // The one line on stdout. If nobody reads it, that is no reason to stop.
        let _ = writeln!(io::stdout(), "http://{address}");
    };
    run(async |shutdown| server::run::<Arena>(config, shutdown, announce).await)
}

/// Runs a job that ends at the first signal, or by itself.
fn run<E: std::fmt::Display>(job: impl AsyncFnOnce(ShutdownSignal) -> Result<(), E>) -> ExitCode {
    match first_signal() {
        Ok(shutdown) => exit_code(actix::System::new().block_on(job(Box::pin(shutdown)))),
        Err(error) => exit_code(Err(format!("signals cannot be heard: {error}"))),
    }
}

fn exit_code<E: std::fmt::Display>(ended: Result<(), E>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tickroom: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What completes at the first SIGINT or SIGTERM after this call; a second one ends the process at once. Signals are
/// heard on a thread of their own, so that even a server that hangs can be stopped.
fn first_signal() -> io::Result<impl Future<Output = ()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt) = {
        let _inside = runtime.enter();
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
    };
    let (first, heard) = oneshot::channel();
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            // Nobody waits any more if the server has ended by itself.
            let _ = first.send(());
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            std::process::exit(EXIT_AT_ONCE)
        })
    });
    // The other end lives as long as the process.
    Ok(async { heard.await.unwrap_or_default() })
}
