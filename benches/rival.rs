//! What does Tickroom cost where Colyseus was measured? One room, everybody sees everybody, 20 ticks and as many snapshots
//! a second; each player changes five fields of 16 bits a tick and sends one input. The real server with its sockets and
//! actors in a process of its own on one core, the load on another. Prints the server's processor time per client and
//! tick, and the bytes that a client gets per player and tick; and beside it what a process takes that does nothing but
//! write as many bytes to as many sockets and read as many inputs.
//!
//! `cargo bench --bench rival -- PLAYERS SECONDS ROUNDS` for other sizes than 200 players, 10 seconds, 3 rounds. With
//! `--colyseus` each round is followed by one of a Colyseus server that moves the same movers by the same inputs; it
//! needs Node and packages, and says before the first round how to get what is missing.

#[path = "rival/colyseus.rs"]
mod colyseus;
#[path = "support/crowd.rs"]
mod crowd;
#[path = "fanout/floor.rs"]
mod floor;
#[path = "rival/movers.rs"]
mod movers;

use std::process::ExitCode;

use crowd::Crowd;
use movers::Movers;
use tickroom::cli::{self, Job};
use tickroom::game::{Events, Game, InputStatus, Joiner, SeatInput, SeatInputs, Setup};
use tickroom::ids::{Micros, SeatId};
use tickroom::protocol::schema::INPUT_FIELDS_MAX;
use tickroom::tools::stress::pilot::{Inputs, Pilot};

const TICK_RATE: u32 = 20;

/// What one server took for it.
struct Cost {
    cpu_us_per_client_tick: f64,
    bytes_per_player_tick: f64,
    /// What its floor must carry, where it is to be compared with one.
    traffic: Option<floor::Traffic>,
}

/// How long, how many, where.
struct Size {
    players: usize,
    seconds: u64,
    /// The share of snapshots and inputs that must have come, or nothing was measured.
    least: f64,
    server_cores: &'static [usize],
    load_cores: &'static [usize],
}

/// This program as the server: what a game author's `main` comes down to.
fn serve() {
    let Ok(Job::Serve(serve)) = cli::read(&[]) else { panic!("not the words of `tickroom serve`") };
    let announce = |address| println!("http://{address}");
    let served = tickroom::server::run::<Movers>(serve.config, std::future::pending(), announce);
    actix::System::new().block_on(served).expect("the game is served");
}

fn tickroom_round(size: &Size) -> Cost {
    let Size { players, seconds, least, server_cores, load_cores } = *size;
    let input_hz = f64::from(TICK_RATE);
    let crowd = Crowd { players, seconds, inputs: Inputs::Script, input_hz, server_cores, load_cores };
    let set = [format!("room.tick_rate={TICK_RATE}"), "room.ticks_per_snapshot=1".to_owned()];
    let report = crowd.play(std::env::current_exe().expect("this program"), set);
    let group = &report.groups[0];
    assert_eq!(group.rows_held.round() as usize, players, "not everybody was seen: {report}");
    let ticks = report.seconds * f64::from(TICK_RATE) * players as f64;
    assert!(group.snapshots as f64 > ticks * least, "{} snapshots in {ticks} ticks: {report}", group.snapshots);
    assert!(group.inputs as f64 > ticks * least, "{} inputs in {ticks} ticks: {report}", group.inputs);
    let measured = report.server.as_ref().expect("the server is on this machine");
    let threads = measured.process.cores_by_thread.iter().map(|(name, share)| format!("{name} {share:.3}"));
    let lateness = group.lateness_ms.as_ref().map_or(0.0, |lateness| lateness.p99);
    println!(
        "          {:.3} cores ({}); p99 lateness {lateness:.2} ms",
        measured.process.cores,
        threads.collect::<Vec<_>>().join(", ")
    );
    Cost {
        cpu_us_per_client_tick: measured.cpu_us_per_player_tick,
        bytes_per_player_tick: group.bytes_down_per_player_tick / players as f64,
        traffic: Some(crowd::traffic(&report)),
    }
}

/// How many fields of a mover change in a tick, on average, by the inputs that both servers get.
fn fields_changed(players: u16) -> f64 {
    let schema = Movers::schema(&movers::Options::default());
    let options = movers::Options::default();
    let mut game = Movers::new(&Setup { seed: 1, tick_rate: TICK_RATE as u16, seats_max: players, options });
    let period = Micros(1_000_000 / u64::from(TICK_RATE));
    let mut pilots: Vec<Pilot> = (0..players)
        .map(|number| {
            game.join(SeatId(number), &Joiner::person(""));
            let mut pilot = Pilot::new(Inputs::Script, 1, u32::from(number), Micros(0), f64::from(TICK_RATE));
            pilot.begin_session(&schema.inputs, Micros(0));
            pilot
        })
        .collect();
    let (mut changed, ticks) = (0, 200_u64);
    for tick in 1..=ticks {
        let mut inputs = SeatInputs::default();
        for (seat, pilot) in pilots.iter_mut().enumerate() {
            while pilot.due() < Micros(period.0 * tick) {
                pilot.act();
            }
            let mut levels = [0; INPUT_FIELDS_MAX];
            levels[..pilot.row().len()].copy_from_slice(pilot.row());
            let input = SeatInput { status: InputStatus::Fresh, levels, presses: [0; INPUT_FIELDS_MAX], seen_ago: 0 };
            inputs.push(SeatId(seat as u16), input);
        }
        let before: Vec<_> = game.iter().map(|(_, mover)| mover.fields()).collect();
        game.step(&inputs, &mut Events::default());
        let after = game.iter().map(|(_, mover)| mover.fields());
        changed += after.zip(before).map(|(a, b)| a.iter().zip(&b).filter(|(a, b)| a != b).count()).sum::<usize>();
    }
    changed as f64 / ticks as f64 / f64::from(players)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        serve();
        return ExitCode::SUCCESS;
    }
    if floor::is_asked_for() {
        floor::serve();
        return ExitCode::SUCCESS;
    }
    let given = |flag: &str| std::env::args().any(|argument| argument == flag);
    if given("--colyseus")
        && let Err(missing) = colyseus::is_installed()
    {
        eprintln!("{missing}");
        return ExitCode::FAILURE;
    }
    let quick = given("--test") || !given("--bench");
    let numbers: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (players, seconds, rounds) = match (quick, numbers.as_slice()) {
        (true, _) => (8, 1, 1),
        (false, [players, seconds, rounds]) => (*players, *seconds as u64, *rounds),
        (false, _) => (200, 10, 3),
    };
    let (server_cores, load_cores) = crowd::cores();
    // A machine that runs other tests beside this one may skip ticks; that is no fault of a quick run.
    let least = if quick { 0.2 } else { 0.8 };
    let size = Size { players, seconds, least, server_cores, load_cores };

    let changed = fields_changed(players as u16);
    assert!(changed > 4.8, "only {changed} fields of a mover change in a tick");
    println!("{players} players, {TICK_RATE} ticks/s; {changed:.2} fields of a player change in a tick");
    type Round = fn(&Size) -> Cost;
    let servers: &[(&str, Round)] = if given("--colyseus") {
        &[("tickroom", tickroom_round), ("colyseus", colyseus::round)]
    } else {
        &[("tickroom", tickroom_round)]
    };
    let mut costs: Vec<Vec<Cost>> = servers.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for ((name, run), costs) in servers.iter().zip(&mut costs) {
            // In a thread, since it stays on the load's core, and the next server must not start there.
            let cost = std::thread::scope(|scope| scope.spawn(|| run(&size)).join().expect("a round"));
            let Cost { cpu_us_per_client_tick: cpu_us, bytes_per_player_tick: bytes, traffic } = cost;
            println!("round {round}: {name} {cpu_us:.1} us per client and tick, {bytes:.2} bytes per player and tick");
            assert!(cpu_us > 0.0 && bytes > 1.0, "nothing was measured");
            if let Some(traffic) = traffic {
                let floor = floor::measure(players, seconds, traffic, server_cores, load_cores);
                println!("          its floor {floor:.1} us, ratio {:.2}", cpu_us / floor);
            }
            costs.push(cost);
        }
    }
    for ((name, _), costs) in servers.iter().zip(&costs) {
        println!(
            "median: {name} {:.1} us per client and tick, {:.2} bytes per player and tick",
            median(costs.iter().map(|cost| cost.cpu_us_per_client_tick).collect()),
            median(costs.iter().map(|cost| cost.bytes_per_player_tick).collect())
        );
    }
    if quick {
        println!("Success");
    }
    ExitCode::SUCCESS
}
