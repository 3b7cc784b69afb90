//! What is shown while a run goes on: a bar on a terminal, a line now and then elsewhere. All of it on stderr.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::stats::Window;
use crate::host::log;
use crate::ids::Micros;

/// From one line to the next where there is no terminal.
const LINE_EVERY: Micros = Micros::from_millis(3000);

/// What a run looks like at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Sight {
    /// Sessions asked for.
    pub players: usize,
    /// Sessions in rooms.
    pub playing: usize,
    /// Snapshots counted so far.
    pub snapshots: u64,
    /// Lateness of the worst group so far.
    pub p99_us: u64,
    /// Snapshots that did not come so far.
    pub missing: u64,
    /// What counts.
    pub window: Window,
}

/// Where it is shown.
pub struct Progress {
    bar: Option<ProgressBar>,
    line_at: Micros,
    quiet: bool,
}

impl Progress {
    /// A bar if stderr is a terminal, else lines.
    #[must_use]
    pub fn new(time: Duration) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(Some(time.as_millis() as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:30} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style);
            bar
        });
        Self { bar, line_at: Micros(0), quiet: false }
    }

    /// Shows nothing, for tests.
    #[must_use]
    pub fn quiet() -> Self {
        Self { bar: None, line_at: Micros(0), quiet: true }
    }

    /// Shows how far it is, if it is time to.
    pub fn show(&mut self, now: Micros, sight: impl FnOnce() -> Sight) {
        if self.quiet || (self.bar.is_none() && now < self.line_at) {
            return;
        }
        self.line_at = now.after(LINE_EVERY);
        let sight = sight();
        let text = text(now, &sight);
        match &self.bar {
            Some(bar) => {
                bar.set_position(now.since(sight.window.start).millis());
                bar.set_message(text);
            }
            None => log::say(&text),
        }
    }

    /// Takes the bar away: the report comes.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn text(now: Micros, sight: &Sight) -> String {
    let Sight { players, playing, snapshots, p99_us, missing, window } = *sight;
    if now < window.start {
        return format!("{playing} of {players} players are in");
    }
    if now >= window.end {
        return format!("{playing} players still leave");
    }
    let seconds = now.since(window.start).0.max(1) as f64 / 1e6;
    let total = window.end.since(window.start).0 as f64 / 1e6;
    let per_second = snapshots as f64 / seconds;
    format!(
        "{seconds:.0} of {total:.0} s · {playing} players · {per_second:.0} snapshots/s · p99 {:.1} ms late · {missing} missing",
        p99_us as f64 / 1e3
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_says_what_it_is_about() {
        let window = Window { start: Micros::from_millis(1000), end: Micros::from_millis(11_000) };
        let sight = Sight { players: 20, playing: 12, snapshots: 600, p99_us: 1500, missing: 3, window };
        assert_eq!(text(Micros(0), &sight), "12 of 20 players are in");
        let now = Micros::from_millis(3000);
        assert_eq!(text(now, &sight), "2 of 10 s · 12 players · 300 snapshots/s · p99 1.5 ms late · 3 missing");
        assert_eq!(text(Micros::from_millis(12_000), &sight), "12 players still leave");
    }
}
