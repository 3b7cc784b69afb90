//! How much of a core does one believable match take? 32 ships, 24 of them people with a session each and 8 bots, who fly,
//! shoot, die and come back for a minute, in a pure room: everything but the sockets.

#[path = "support/mod.rs"]
mod support;

use criterion::{Criterion, Throughput};
use support::{Match, arena_for, quick};
use tickroom::config::RoomConfig;
use tickroom::protocol::message::Tier;

const PEOPLE: u16 = 24;
const SHIPS: u16 = 32;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let seconds: u64 = if quick() { 2 } else { 60 };
    for (tier, name) in [(Tier::Delta, "delta"), (Tier::Full, "full")] {
        let options = arena_for(SHIPS.into(), false);
        let mut game = Match::new(PEOPLE, SHIPS, &options, RoomConfig::default(), tier);
        game.run(300);
        game.begin();
        game.run(60 * seconds as u32);
        let share = |time: std::time::Duration| 100.0 * time.as_secs_f64() / seconds as f64;
        let snapshots = game.sink.messages as f64 / seconds as f64 / f64::from(PEOPLE);
        assert!((20.0..31.5).contains(&snapshots), "{snapshots} snapshots per person and second");
        assert!(game.inputs > u64::from(PEOPLE) * seconds * 9, "{} inputs", game.inputs);
        println!(
            "{name} tier, 60 Hz ticks, 30 Hz snapshots: {:.2} % of a core (inputs and step {:.2} %, snapshots {:.2} %); {:.0} \
             bytes per person and second in {snapshots:.1} messages",
            share(game.ticking + game.sending),
            share(game.ticking),
            share(game.sending),
            game.sink.bytes as f64 / seconds as f64 / f64::from(PEOPLE)
        );
    }
    let mut group = criterion.benchmark_group("a match of 32");
    group.sample_size(10);
    group.throughput(Throughput::Elements(60));
    let mut game = Match::new(PEOPLE, SHIPS, &arena_for(SHIPS.into(), false), RoomConfig::default(), Tier::Delta);
    game.run(300);
    group.bench_function("one second of play", |bencher| {
        bencher.iter(|| game.run(60));
        assert!(game.sink.messages > u64::from(PEOPLE) * 20, "{} messages", game.sink.messages);
    });
    group.finish();
    criterion.final_summary();
}
