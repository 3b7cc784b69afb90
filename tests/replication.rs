//! Replication under chaos: whatever happens, a client that applies what it is sent holds exactly what the server
//! means it to hold, and not a row more.

mod support;

use std::collections::BTreeMap;

use rand::rngs::ChaCha8Rng;
use rand::{RngExt, SeedableRng};
use support::chaos::Chaos;
use support::peers::{Link, Table, config};
use tickroom::config::RoomConfig;
use tickroom::game::Game;
use tickroom::ids::{SeatId, ViewerId};
use tickroom::protocol::message::Tier;

/// What a viewer must hold now, computed from the game alone.
fn expected(table: &Table<Chaos>, viewer: ViewerId) -> BTreeMap<u32, (u8, Vec<i32>)> {
    let game = table.room.game();
    let schema = table.room.schema();
    let seat = table.peer(viewer).welcome.seat;
    let from = game.viewpoint(seat.map(SeatId));
    let sees = |entity: &support::chaos::Entity| match (entity.owner, seat) {
        (Some(owner), seat) => Some(owner) == seat,
        (None, None) => true,
        (None, Some(_)) => entity.seen_from >> from.0 & 1 == 1,
    };
    let rows = game.entities().iter().filter(|(_, entity)| sees(entity)).map(|(&id, entity)| {
        let fields = &schema.kinds[usize::from(entity.kind)].fields;
        let quantised = entity.fields.iter().zip(fields).map(|(&value, field)| field.quantise(value)).collect();
        (id, (entity.kind, quantised))
    });
    rows.collect()
}

/// Plays one seed, with so many people there from the start; returns how many views were compared.
fn run(seed: u64, steps: u32, crowd: u16) -> u32 {
    run_at(60, 2, seed, steps, crowd)
}

/// The same with so many ticks a second, and from one snapshot to the next.
fn run_at(tick_rate: u16, ticks_per_snapshot: u16, seed: u64, steps: u32, crowd: u16) -> u32 {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let config = RoomConfig { tick_rate, ticks_per_snapshot, seats_max: 8 + crowd, ..config() };
    let mut table = Table::<Chaos>::new(config, &());
    for _ in 0..crowd {
        table.join("p");
    }
    let mut checked = 0;
    for step in 0..steps {
        match rng.random_range(0..40) {
            0 | 1 => {
                let tier = if rng.random_range(0..5) == 0 { Tier::Full } else { Tier::Delta };
                // A full room refuses; that is fine.
                let _ = table.try_join("p", tier, rng.random_range(0..4) == 0);
            }
            2 => {
                if let Some(viewer) = table.peers.keys().copied().min() {
                    table.room.handle_leave(viewer, table.now);
                    table.peers.remove(&viewer);
                }
            }
            3 => {
                if let Some(viewer) = table.peers.keys().copied().max() {
                    table.room.handle_resync(viewer, table.now);
                }
            }
            _ => {}
        }
        let mut viewers: Vec<ViewerId> = table.peers.keys().copied().collect();
        viewers.sort();
        for &viewer in &viewers {
            if rng.random_range(0..4) == 0 {
                let link = match rng.random_range(0..8) {
                    0..2 => Link::Busy,
                    2..4 => Link::Full,
                    _ => Link::Open,
                };
                table.peer_mut(viewer).link = link;
            }
        }
        let before: Vec<usize> = viewers.iter().map(|&viewer| table.peer(viewer).snapshots.len()).collect();
        table.run(1);
        for (&viewer, before) in viewers.iter().zip(before) {
            let peer = table.peer(viewer);
            assert!(peer.errors.is_empty(), "seed {seed}, step {step}, {viewer:?}: {:?}", peer.errors);
            if peer.snapshots.len() > before {
                let held: BTreeMap<u32, (u8, Vec<i32>)> =
                    peer.view.rows().map(|(id, kind, fields)| (id.get(), (kind.0, fields.to_vec()))).collect();
                assert_eq!(held, expected(&table, viewer), "seed {seed}, step {step}, {viewer:?}");
                for (_, tick, fields) in &peer.events {
                    assert_eq!(fields[1], *tick as i32, "seed {seed}, step {step}: when it happened");
                }
                checked += 1;
            }
        }
    }
    checked
}

#[test]
fn a_client_holds_exactly_what_it_may_see_whatever_happens() {
    let seed = std::env::var("TICKROOM_SEED").ok().and_then(|seed| seed.parse().ok());
    let checked = match seed {
        Some(seed) => run(seed, 2000, 0),
        None => (0..200).map(|seed| run(seed, 300, 0)).sum(),
    };
    assert!(seed.is_some() || checked > 50_000, "only {checked} views were compared");
}

/// A crowd's snapshots come at different ticks, from tables of every tick.
#[test]
fn a_crowd_that_takes_turns_holds_exactly_what_it_may_see() {
    let checked: u32 = (0..4).map(|seed| run(seed, 100, 150)).sum();
    assert!(checked > 5_000, "only {checked} views were compared");
}

#[test]
fn at_every_rate_of_ticks_and_snapshots_a_client_holds_exactly_what_it_may_see() {
    for tick_rate in [5, 10, 20, 30, 128, 240] {
        for ticks_per_snapshot in [1, 2] {
            let checked: u32 = (0..6).map(|seed| run_at(tick_rate, ticks_per_snapshot, seed, 300, 0)).sum();
            let crowded = run_at(tick_rate, ticks_per_snapshot, 1, 40, 100);
            assert!(
                checked > 500 && crowded > 300,
                "{tick_rate} Hz, one in {ticks_per_snapshot}: {checked} + {crowded} views"
            );
        }
    }
}
