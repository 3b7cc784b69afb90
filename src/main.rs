//! The server program: parse, set up logging, run, exit code. The only file that names the game, and that hears signals.

use std::io::{self, IsTerminal, Write};
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use tickroom::arena::{Arena, ArenaOptions};
use tickroom::cli::{self, Job, Serve};
use tickroom::host::{addresses, log, panics, rehearsal};
use tickroom::server;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

/// What the crates underneath log. They call a stranger's bytes an error, and nothing that a stranger sends may raise
/// our log level; their own mistakes show as answers that do not come.
const QUIET: &str = "actix=off,actix_http=off,actix_web=off,actix_server=warn,";

/// The exit code of a process that a second signal ended at once, as shells count SIGINT.
const EXIT_AT_ONCE: i32 = 130;

/// How long the last lines of the log may keep a process that has ended.
const FLUSH_MOST: Duration = Duration::from_millis(250);

type ShutdownSignal = Pin<Box<dyn Future<Output = ()>>>;

fn main() -> ExitCode {
    let _last = LastLines;
    run_job()
}

/// Lets the log be written at the end, be that a panic.
struct LastLines;

impl Drop for LastLines {
    fn drop(&mut self) {
        log::flush(FLUSH_MOST);
    }
}

fn run_job() -> ExitCode {
    let job = match cli::read(&ArenaOptions::SETTINGS) {
        Ok(job) => job,
        Err(error) => return ExitCode::from(error.report()),
    };
    match job {
        Job::Serve(serve) => run_serve(*serve),
        Job::Lag(lag) => run(Hangup::Ends, async |shutdown| lag.run(shutdown).await),
        Job::Stress(stress) => match stress.run() {
            Ok(passed) => verdict(passed),
            Err(error) => exit_code(Err(error)),
        },
        Job::Conformance(conformance) => block_on(async { conformance.run().await.map(verdict) }),
    }
}

fn verdict(passed: bool) -> ExitCode {
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run_serve(Serve { config, log: level, warnings }: Serve) -> ExitCode {
    if let Some(word) = level.split(',').map(str::trim).find(|word| is_no_level(word)) {
        return exit_code(Err(format!(
            "`--log {level}`: `{word}` is no level; it must be off, error, warn, info, debug or trace, or more exactly as in \
             `info,tickroom::actors=debug`"
        )));
    }
    let filter = match EnvFilter::try_new(format!("{QUIET}{level}")) {
        Ok(filter) => filter,
        Err(error) => return exit_code(Err(format!("`--log {level}` is not understood: {error}"))),
    };
    let lines = match log::to_stderr() {
        Ok(lines) => lines,
        Err(error) => return exit_code(Err(format!("the system has no thread to log on: {error}"))),
    };
    let colours = io::stderr().is_terminal();
    // What does not fit the log's lines would go to stderr past it.
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colours).log_internal_errors(false);
    subscriber.with_writer(lines).init();
    panics::log_them();
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let announce = |address| {
        // All that goes to stdout. If nobody reads it, that is no reason to stop, or to wait.
        let print = move || {
            for address in addresses::reachable(address) {
                let _ = writeln!(io::stdout(), "http://{address}");
            }
        };
        if let Err(error) = std::thread::Builder::new().name("announce".into()).spawn(print) {
            tracing::warn!(%error, "the system has no thread to print the address on");
        }
    };
    run(Hangup::Passes, async |shutdown| server::run::<Arena>(config, shutdown, announce).await)
}

/// True for a word that would be taken for the name of a crate: the log would say nothing, without a word of why.
fn is_no_level(word: &str) -> bool {
    !word.contains(['=', ':', '[']) && word != "tickroom" && word.parse::<LevelFilter>().is_err()
}

/// What SIGHUP does: a terminal that closes sends it to what runs in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hangup {
    /// Ends a tool, as is usual.
    Ends,
    /// Ends no match. Daemons read their settings anew at it; ours are read once, which the log says.
    Passes,
}

/// Runs a job that ends at the first signal, or by itself.
fn run<E: std::fmt::Display>(hangup: Hangup, job: impl AsyncFnOnce(ShutdownSignal) -> Result<(), E>) -> ExitCode {
    // What even a program without a server needs: the libraries would panic.
    if let Err(refused) = rehearsal::rehearse(0) {
        return exit_code(Err(refused));
    }
    match first_signal(hangup) {
        Ok(shutdown) => block_on(async { job(Box::pin(shutdown)).await.map(|()| ExitCode::SUCCESS) }),
        Err(error) => exit_code(Err(format!("signals cannot be heard: {error}"))),
    }
}

/// Runs `job` inside an actix system.
fn block_on<E: std::fmt::Display>(job: impl Future<Output = Result<ExitCode, E>>) -> ExitCode {
    // Made here, because actix panics where the system has no descriptor left for one.
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return exit_code(Err(format!("the system lets nothing run: {error}"))),
    };
    match actix::System::with_tokio_rt(|| runtime).block_on(job) {
        Ok(code) => code,
        Err(error) => exit_code(Err(error)),
    }
}

fn exit_code<E: std::fmt::Display>(ended: Result<(), E>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::say(&format!("tickroom: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What completes at the first SIGINT or SIGTERM after this call; a second one ends the process at once. Signals are
/// heard on a thread of their own, so that even a server that hangs can be stopped.
fn first_signal(hangup: Hangup) -> io::Result<impl Future<Output = ()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut terminate, mut interrupt, hung_up) = {
        let _inside = runtime.enter();
        // A log file as long as the system allows (ulimit -f) is an error to whoever writes, and not the end: once heard,
        // the signal kills nobody.
        let _ = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
        let hung_up = if hangup == Hangup::Passes { Some(signal(SignalKind::hangup())?) } else { None };
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?, hung_up)
    };
    let (first, heard) = oneshot::channel();
    let listen = move || {
        runtime.block_on(async {
            if let Some(mut hung_up) = hung_up {
                tokio::spawn(async move {
                    while hung_up.recv().await.is_some() {
                        tracing::info!("SIGHUP: settings are read at the start alone; restart to change one");
                    }
                });
            }
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            // Nobody waits any more if the server has ended by itself.
            let _ = first.send(());
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
            std::process::exit(EXIT_AT_ONCE)
        })
    };
    std::thread::Builder::new().name("signals".into()).spawn(listen)?;
    // The other end lives as long as the process.
    Ok(async { heard.await.unwrap_or_default() })
}
