//! What a panic says, and where.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{self, PanicHookInfo};

/// The words of a panic.
#[must_use]
pub fn words(payload: &dyn Any) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words")
}

/// From now on panics are log lines. The standard library's own way to tell of them waits for whoever reads stderr.
pub fn log_them() {
    panic::set_hook(Box::new(log));
}

fn log(info: &PanicHookInfo<'_>) {
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("without a name");
    let place = info.location().map(ToString::to_string).unwrap_or_default();
    let text = words(info.payload());
    // As RUST_BACKTRACE says.
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(thread, place, "panicked: {text}\n{backtrace}");
    } else {
        tracing::error!(thread, place, "panicked: {text}");
    }
}
