//! What does one tick of Arena cost, by ships? Steps alone, and a whole tick: step, rows, and what each viewpoint sees.
//!
//! Crowding is that of the default arena with 32 ships, whatever their number; everybody flies, turns and shoots.
//! `cargo bench --bench tick`; with `-- --test` each case runs once. Every case asserts that the work was done.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tickroom::arena::tuning::Tuning;
use tickroom::arena::{Arena, ArenaOptions, schema};
use tickroom::game::{
    Events, Game, InputStatus, Joiner, Rows, SeatInput, SeatInputs, Setup, Viewpoint, VisibleSet, neutral_row,
};
use tickroom::ids::SeatId;
use tickroom::protocol::schema::INPUT_FIELDS_MAX;
use tickroom::sim::rng::Rng;

/// Inputs are made before measuring; so many ticks of them go round.
const INPUT_TICKS: usize = 64;
/// Ships have spread and bolts are in the air when measuring starts.
const WARM_TICKS: usize = 240;

struct Match {
    game: Arena,
    inputs: Vec<SeatInputs>,
    tick: usize,
    events: Events,
    rows: Rows,
    visible: VisibleSet,
    viewpoints: Vec<Viewpoint>,
    hits: usize,
}

impl Match {
    fn new(ships: u16) -> Self {
        let options = ArenaOptions {
            round_seconds: Some(86_400),
            ..ArenaOptions::for_ships(u32::from(ships), &Tuning::shipped().map)
        };
        let mut game = Arena::new(&Setup { seed: 1, tick_rate: 60, seats_max: ships, options });
        for seat in 0..ships {
            game.join(SeatId(seat), &Joiner::person(""));
        }
        let mut this = Self {
            game,
            inputs: inputs(ships),
            tick: 0,
            events: Events::default(),
            rows: Rows::default(),
            visible: VisibleSet::default(),
            viewpoints: Vec::new(),
            hits: 0,
        };
        (0..WARM_TICKS).for_each(|_| this.step());
        this
    }

    fn step(&mut self) {
        self.events.clear();
        self.game.step(&self.inputs[self.tick % INPUT_TICKS], &mut self.events);
        self.tick += 1;
        self.hits += self.events.iter().filter(|&(kind, ..)| kind == schema::EVENT_HIT).count();
    }

    /// As a room does on a snapshot tick, with one visible set per viewpoint that somebody has.
    fn whole_tick(&mut self, ships: u16) {
        self.step();
        self.rows.clear();
        self.game.rows(&mut self.rows);
        self.viewpoints.clear();
        self.viewpoints.extend((0..ships).map(|seat| self.game.viewpoint(Some(SeatId(seat)))));
        self.viewpoints.sort_unstable();
        self.viewpoints.dedup();
        for &from in &self.viewpoints {
            self.visible.clear();
            self.game.visible(from, &mut self.visible);
            black_box(&self.visible);
        }
    }

    /// How much all viewpoints of the last whole tick see together: counted apart, since to count the bits of a set takes
    /// several times as long as to make it.
    fn seen(&mut self) -> usize {
        let mut seen = 0;
        for &from in &self.viewpoints {
            self.visible.clear();
            self.game.visible(from, &mut self.visible);
            seen += self.visible.len();
        }
        seen
    }

    fn places(&self) -> Vec<(i32, i32)> {
        let mut rows = Rows::default();
        self.game.rows(&mut rows);
        rows.iter().filter(|row| row.kind == schema::OWN).map(|row| (row.fields[0], row.fields[1])).collect()
    }
}

/// Everybody holds the keys for a quarter of a second, then presses others: mostly ahead, mostly firing.
fn inputs(ships: u16) -> Vec<SeatInputs> {
    let mut rng = Rng::new(7);
    let neutral = neutral_row(&schema::schema());
    let mut held: Vec<SeatInput> = (0..ships)
        .map(|_| SeatInput {
            status: InputStatus::Held,
            levels: neutral,
            presses: [0; INPUT_FIELDS_MAX],
            seen_ago: 9 * 16,
        })
        .collect();
    (0..INPUT_TICKS)
        .map(|_| {
            let mut tick = SeatInputs::default();
            for (seat, input) in held.iter_mut().enumerate() {
                input.presses[schema::INPUT_DASH] = 0;
                if rng.chance(7) {
                    input.levels[schema::INPUT_THRUST] = rng.between(-40, 127);
                    input.levels[schema::INPUT_TURN] = rng.between(-127, 127);
                    input.levels[schema::INPUT_FIRE] = i32::from(rng.chance(70));
                    input.levels[schema::INPUT_BEAM] = i32::from(rng.chance(20));
                    input.presses[schema::INPUT_DASH] = u8::from(rng.chance(20));
                }
                tick.push(SeatId(seat as u16), *input);
            }
            tick
        })
        .collect()
}

fn tick(c: &mut Criterion) {
    let mut group = c.benchmark_group("tick");
    for ships in [100_u16, 1000, 10_000] {
        group.throughput(Throughput::Elements(u64::from(ships)));
        for whole in [false, true] {
            let mut play = Match::new(ships);
            let (from, before) = (play.places(), play.tick);
            let name = if whole { "step, rows, visible" } else { "step" };
            group.bench_function(BenchmarkId::new(name, ships), |bencher| {
                bencher.iter(|| if whole { play.whole_tick(ships) } else { play.step() });
            });
            if play.tick == before {
                continue; // filtered out on the command line
            }
            play.whole_tick(ships);
            let moved = play.places().iter().zip(&from).filter(|(now, then)| now != then).count();
            let bolts = play.rows.iter().filter(|row| row.kind == schema::BOLT).count();
            assert!(moved > usize::from(ships) / 2, "only {moved} of {ships} ships moved");
            assert!(bolts > usize::from(ships) / 20, "only {bolts} bolts fly among {ships} ships");
            let seen = play.seen();
            assert!(play.hits > 0 && seen > usize::from(ships), "{} hits, {seen} seen", play.hits);
        }
    }
    group.finish();
}

/// One crowded room: 32 bots that steer themselves.
fn bots(c: &mut Criterion) {
    let options = ArenaOptions { round_seconds: Some(86_400), ..ArenaOptions::default() };
    let mut game = Arena::new(&Setup { seed: 1, tick_rate: 60, seats_max: 32, options });
    let mut rows = vec![neutral_row(&schema::schema()); 32];
    for seat in 0..32 {
        game.join(SeatId(seat), &Joiner::bot(""));
    }
    let (mut inputs, mut events, mut hits) = (SeatInputs::default(), Events::default(), 0);
    let mut tick = || {
        inputs.clear();
        for (seat, row) in rows.iter_mut().enumerate() {
            let pressed = row[schema::INPUT_DASH];
            game.steer_bot(SeatId(seat as u16), row);
            let mut presses = [0; INPUT_FIELDS_MAX];
            presses[schema::INPUT_DASH] = u8::from(row[schema::INPUT_DASH] != pressed);
            let input = SeatInput { status: InputStatus::Fresh, levels: *row, presses, seen_ago: 0 };
            inputs.push(SeatId(seat as u16), input);
        }
        events.clear();
        game.step(&inputs, &mut events);
        hits += events.iter().filter(|&(kind, ..)| kind == schema::EVENT_HIT).count();
    };
    (0..600).for_each(|_| tick());
    c.benchmark_group("bots").throughput(Throughput::Elements(32)).bench_function("steer and step 32", |bencher| {
        bencher.iter(&mut tick);
    });
    assert!(hits > 10, "32 bots hit {hits} times in ten seconds");
}

criterion_group!(benches, tick, bots);
criterion_main!(benches);
