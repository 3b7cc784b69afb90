//! Where does a snapshot's time go? Rows, interest, encoding once, and splicing per viewer, apart from each other.
//!
//! `poll_outbound` does all of it in one go, so the parts are differences of whole rounds: nobody's window open (rows,
//! quantised, full bytes), one open (and the deltas, encoded once), all open (and a message for each).

#[path = "support/mod.rs"]
mod support;

use std::cell::Cell;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput};
use support::{Match, arena_for, quick};
use tickroom::config::RoomConfig;
use tickroom::game::{Game, Rows, VisibleSet};
use tickroom::ids::SeatId;
use tickroom::protocol::message::Tier;

/// Plays one round after the other and measures `poll_outbound` alone.
fn rounds(game: &mut Match, iterations: u64, fastest: &Cell<f64>) -> Duration {
    game.begin();
    for _ in 0..iterations {
        game.run(2);
    }
    let mean = game.sending.as_nanos() as f64 / iterations as f64;
    fastest.set(fastest.get().min(mean));
    game.sending
}

fn of(criterion: &mut Criterion, people: u16, sees_all: bool) {
    let options = arena_for(people.into(), sees_all);
    let fresh = || {
        let mut game = Match::new(people, 0, &options, RoomConfig::default(), Tier::Delta);
        game.run(240);
        game
    };
    let mut group =
        criterion.benchmark_group(format!("snapshot of {people} ships{}", if sees_all { ", all seen" } else { "" }));
    group.sample_size(10);

    let mut game = fresh();
    let visible = game.visible();
    let mut rows = Rows::default();
    game.room.game().rows(&mut rows);
    let table_rows = rows.len();
    assert!(visible >= usize::from(people), "{visible} entities seen by {people} seats");
    let best = || Cell::new(f64::INFINITY);
    let (shut, one, all) = (best(), best(), best());

    group.throughput(Throughput::Elements(table_rows as u64));
    group.bench_function(BenchmarkId::new("rows", table_rows), |bencher| {
        bencher.iter(|| {
            rows.clear();
            game.room.game().rows(black_box(&mut rows));
        });
    });
    group.throughput(Throughput::Elements(u64::from(people)));
    group.bench_function(BenchmarkId::new("interest, per seat", people), |bencher| {
        let mut set = VisibleSet::default();
        bencher.iter(|| {
            for seat in 0..people {
                set.clear();
                let arena = game.room.game();
                arena.visible(arena.viewpoint(Some(SeatId(seat))), black_box(&mut set));
            }
        });
    });
    group.throughput(Throughput::Elements(table_rows as u64));
    group.bench_function(BenchmarkId::new("table, no window open", table_rows), |bencher| {
        game.sink.shut = true;
        bencher.iter_custom(|iterations| rounds(&mut game, iterations, &shut));
        assert_eq!(game.sink.messages, 0, "all windows are shut");
    });
    let mut game = fresh();
    group.bench_function(BenchmarkId::new("table and deltas, one viewer", table_rows), |bencher| {
        game.sink.only = Some(game.viewer(0));
        bencher.iter_custom(|iterations| rounds(&mut game, iterations, &one));
        assert!(game.sink.messages > 0, "one window is open");
    });
    let mut game = fresh();
    group.throughput(Throughput::Elements(visible as u64));
    group.bench_function(BenchmarkId::new("everything, per visible entity and viewer", visible), |bencher| {
        bencher.iter_custom(|iterations| {
            let time = rounds(&mut game, iterations, &all);
            let (least, most) =
                (iterations * u64::from(people) * 9 / 10, iterations * u64::from(people) + u64::from(people) * 3);
            assert!(
                (least..=most).contains(&game.sink.messages),
                "{} messages in {iterations} rounds",
                game.sink.messages
            );
            time
        });
    });
    group.finish();
    if quick() {
        return; // one round each says nothing of time
    }
    let per_pair = (all.get() - one.get()) / visible as f64;
    println!(
        "{people} ships, {table_rows} rows, {:.0} seen by each: table {:.1} us, deltas {:.1} us, {:.2} ns per visible entity \
         and viewer (whole round {:.1} us)\n",
        visible as f64 / f64::from(people),
        shut.get() / 1e3,
        (one.get() - shut.get()) / 1e3,
        per_pair,
        all.get() / 1e3
    );
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    if quick() {
        of(&mut criterion, 20, true);
    } else {
        of(&mut criterion, 100, true);
        of(&mut criterion, 1000, false);
    }
    criterion.final_summary();
}
