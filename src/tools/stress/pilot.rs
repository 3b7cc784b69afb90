//! What a player does, out of the schema alone, so that any game can be loaded. Its inputs have due times of their own:
//! a change now and then, and the row in force again after 100 ms without one, as a real client does.

use super::schedule::Every;
use crate::ids::Micros;
use crate::protocol::schema::{InputField, InputSort, Neutral};
use crate::sim::rng::Rng;

/// How players play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inputs {
    /// Keys go down and up, aims wander, presses happen: at random times, other ones for each player and seed.
    Random,
    /// The same for the same player number in every run and at exact times: to compare servers.
    Script,
    /// Nothing: neutral rows, as a tab that nobody touches.
    Idle,
}

/// The row in force is sent again after this long without a change.
const REPEAT: Micros = Micros::from_millis(100);

/// The hands of one player.
#[derive(Debug)]
pub struct Pilot {
    inputs: Inputs,
    fields: Vec<InputField>,
    row: Vec<i32>,
    rng: Rng,
    player: u32,
    changes: Every,
    change_at: Micros,
    repeat_at: Micros,
    step: u32,
}

impl Pilot {
    /// Player number `player` of a run, which begins to play at `start` and changes its input `per_second` times a
    /// second on average.
    #[must_use]
    pub fn new(inputs: Inputs, seed: u64, player: u32, start: Micros, per_second: f64) -> Self {
        let mut rng = Rng::fork(seed, player);
        let period = 1e6 / per_second;
        // Players are spread over the period, or all of them would send in the same moment.
        let first = start.after(Micros((period * f64::from(rng.below(1000)) / 1000.0) as u64));
        let changes = Every::per_second(per_second, first);
        let mut pilot = Self {
            inputs,
            fields: Vec::new(),
            row: Vec::new(),
            rng,
            player,
            changes,
            change_at: first,
            repeat_at: first,
            step: 0,
        };
        if inputs == Inputs::Idle {
            pilot.change_at = Micros(u64::MAX);
        }
        pilot
    }

    /// When the next input is due.
    #[must_use]
    pub fn due(&self) -> Micros {
        self.change_at.min(self.repeat_at)
    }

    /// The row of the input that is due, and the step to the next one.
    pub fn act(&mut self) -> &[i32] {
        let due = self.due();
        if self.change_at <= due {
            self.change();
            self.changes.advance();
            self.change_at = self.changes.due();
            if self.inputs == Inputs::Random {
                // Half a period to either side: as often on average, at no fixed beat.
                let period = self.changes.due().since(due).0.max(1);
                let jitter = period * self.rng.below(1000) as u64 / 1000;
                self.change_at = Micros((self.change_at.0 + jitter).saturating_sub(period / 2).max(due.0 + 1));
            }
        }
        self.repeat_at = due.after(REPEAT);
        &self.row
    }

    /// The row in force.
    #[must_use]
    pub fn row(&self) -> &[i32] {
        &self.row
    }

    /// A session begins: it takes these fields, nothing was pressed yet. What was due before is let go, the schedule
    /// stays.
    pub fn begin_session(&mut self, fields: &[InputField], now: Micros) {
        self.fields = fields.to_vec();
        self.row = fields.iter().map(neutral).collect();
        while self.inputs != Inputs::Idle && self.change_at < now {
            self.changes.advance();
            self.change_at = self.changes.due();
        }
        self.repeat_at = now;
    }

    fn change(&mut self) {
        self.step += 1;
        match self.inputs {
            Inputs::Idle => {}
            Inputs::Random => {
                if self.fields.is_empty() {
                    return;
                }
                let at = self.rng.below(self.fields.len() as u32) as usize;
                let field = &self.fields[at];
                self.row[at] = match (field.sort, self.rng.below(4)) {
                    (InputSort::Press, _) => (self.row[at] + 1) & 0xFF,
                    // Keys are down or up more often than in between.
                    (InputSort::Level, 0) => field.min,
                    (InputSort::Level, 1) => field.max,
                    (InputSort::Level, 2) => neutral(field),
                    (InputSort::Level, _) => between(field, u64::from(self.rng.next_u32()), u64::from(u32::MAX)),
                };
            }
            Inputs::Script => {
                for (at, (value, field)) in self.row.iter_mut().zip(&self.fields).enumerate() {
                    let step = self.step + self.player + at as u32 * 5;
                    match field.sort {
                        // Up and down again in 32 steps: every value of the range is met, in a different phase for
                        // each field and player.
                        InputSort::Level => {
                            let saw = step % 32;
                            *value = between(field, u64::from(saw.min(32 - saw)), 16);
                        }
                        InputSort::Press if step.is_multiple_of(16) => *value = (*value + 1) & 0xFF,
                        InputSort::Press => {}
                    }
                }
            }
        }
    }
}

/// `part / whole` of the way from the field's least to its greatest value.
fn between(field: &InputField, part: u64, whole: u64) -> i32 {
    let span = (i64::from(field.max) - i64::from(field.min)) as u64;
    (i64::from(field.min) + (u128::from(span) * u128::from(part) / u128::from(whole)) as i64) as i32
}

fn neutral(field: &InputField) -> i32 {
    match (field.sort, field.neutral) {
        (InputSort::Level, Neutral::Value(value)) => value,
        (InputSort::Level, Neutral::Hold) => field.min.max(0).min(field.max),
        (InputSort::Press, _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Vec<InputField> {
        vec![
            InputField::level("go", -127, 127, Neutral::Value(0)),
            InputField::level("aim", 0, 65_535, Neutral::Hold),
            InputField::level("wide", i32::MIN, i32::MAX, Neutral::Value(0)),
            InputField::press("fire"),
        ]
    }

    fn play(inputs: Inputs, player: u32, per_second: f64) -> Vec<(Micros, Vec<i32>)> {
        let mut pilot = Pilot::new(inputs, 7, player, Micros(0), per_second);
        pilot.begin_session(&fields(), Micros(0));
        let mut acts = Vec::new();
        while pilot.due() < Micros::from_millis(10_000) {
            let due = pilot.due();
            acts.push((due, pilot.act().to_vec()));
        }
        acts
    }

    #[test]
    fn rows_stay_in_range_and_presses_rise_by_one() {
        for inputs in [Inputs::Random, Inputs::Script] {
            let acts = play(inputs, 3, 20.0);
            let mut fired = 0;
            let mut aims = std::collections::BTreeSet::new();
            for (_, row) in &acts {
                assert!((-127..=127).contains(&row[0]) && (0..=65_535).contains(&row[1]), "{row:?}");
                let pressed = (row[3] - fired) & 0xFF;
                assert!(pressed <= 1, "{pressed} presses at once");
                fired = row[3];
                aims.insert(row[1]);
            }
            assert!(fired > 5 && aims.len() > 5, "{inputs:?} does too little: {fired} presses, {} aims", aims.len());
        }
    }

    #[test]
    fn a_script_is_exact_and_differs_between_players() {
        let acts = play(Inputs::Script, 1, 20.0);
        assert_eq!(acts.len(), 201, "20 a second for 10 seconds, and the session's first");
        assert!(acts[1..].windows(2).all(|pair| pair[1].0.since(pair[0].0) == Micros(50_000)));
        assert_eq!(acts, play(Inputs::Script, 1, 20.0));
        assert_ne!(acts[1].1, play(Inputs::Script, 2, 20.0)[1].1);
    }

    #[test]
    fn random_play_keeps_its_rate_and_repeats_the_row_after_a_while() {
        let fast = play(Inputs::Random, 1, 30.0).len();
        assert!((270..=330).contains(&fast), "{fast} inputs in ten seconds at 30 a second");
        let slow = play(Inputs::Random, 1, 2.0);
        assert!(slow.windows(2).all(|pair| pair[1].0.since(pair[0].0) <= REPEAT), "a client repeats itself");
        let idle = play(Inputs::Idle, 1, 30.0);
        assert!((95..=101).contains(&idle.len()), "{} repeats", idle.len());
        assert!(idle.iter().all(|(_, row)| row == &idle[0].1));
    }
}
