//! What a game's author or its settings get wrong is said when the server starts, in a sentence with the remedy; what
//! shows only in play is borne by the room and told once.

mod support;

use std::process::{Command, Stdio};

use support::peers::{Table, config};
use support::toy::{Toy, ToyOptions};
use tickroom::config::{Config, RoomConfig};
use tickroom::game::{
    Audience, Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint, VisibleSet,
};
use tickroom::ids::{EntityId, EventKindId, KindId, Micros, SeatId};
use tickroom::protocol::message::Tier;
use tickroom::protocol::schema::{EntityKind, EventKind, Field, InputField, Neutral, Schema};
use tickroom::room::{Flaw, Room, RoomError, try_out};
use tickroom::server::{ServeError, run};

/// A game with one mistake, named in its options.
#[derive(Default)]
struct Flawed {
    mistake: String,
    tick: u32,
    taken: Vec<u16>,
}

#[derive(Clone, Default, serde::Deserialize)]
struct Options {
    mistake: String,
    size: usize,
}

impl Flawed {
    fn is(&self, mistake: &str) -> bool {
        self.mistake == mistake
    }
}

impl Game for Flawed {
    type Options = Options;

    fn schema(options: &Options) -> Schema {
        let is = |mistake: &str| options.mistake == mistake;
        assert!(!is("a schema that panics"), "the size of a board must be even");
        let fields = || vec![Field::step("x"), Field::step(if is("a field twice") { "x" } else { "y" })];
        let neutral = if is("a neutral out of range") { 7 } else { 0 };
        Schema {
            game: "flawed".into(),
            rules: if is("a schema that changes") { unsteady() } else { 1 },
            kinds: vec![
                EntityKind::public("thing", fields()),
                EntityKind::public(if is("a kind twice") { "thing" } else { "other" }, fields()),
                EntityKind::public(&"n".repeat(1 + if is("a long name") { options.size } else { 0 }), vec![]),
            ],
            inputs: vec![
                InputField::level("go", -1, 1, Neutral::Value(neutral)),
                InputField::press(if is("an input twice") { "go" } else { "jump" }),
            ],
            events: vec![
                EventKind::new("boom", vec![Field::step(if is("an event field without a name") { "" } else { "at" })]),
                EventKind::new(if is("an event twice") { "boom" } else { "bang" }, vec![]),
            ],
        }
    }

    fn tuning(options: &Options) -> Vec<u8> {
        vec![7; if options.mistake == "a long tuning" { options.size } else { 0 }]
    }

    fn check(setup: &Setup<Options>) -> Result<(), String> {
        if setup.options.mistake == "a rate that it cannot do" && setup.tick_rate != 20 {
            return Err(format!("chess clocks run at 20 ticks a second, not at {}", setup.tick_rate));
        }
        Ok(())
    }

    fn new(setup: &Setup<Options>) -> Self {
        assert!(setup.options.mistake != "options that panic", "no board is that small");
        Self { mistake: setup.options.mistake.clone(), ..Self::default() }
    }

    fn join(&mut self, seat: SeatId, _: &Joiner) {
        self.taken.push(seat.0);
    }

    fn leave(&mut self, seat: SeatId) {
        assert!(!self.is("a leave that panics"), "nobody leaves");
        self.taken.retain(|&taken| taken != seat.0);
    }

    fn steer_bot(&mut self, _: SeatId, _: &mut InputRow) {
        assert!(!self.is("a bot that panics"), "what should I do?");
    }

    fn step(&mut self, _: &SeatInputs, events: &mut Events) {
        self.tick += 1;
        let late = self.tick >= 100;
        if self.is("an unknown event") || late && self.is("an unknown event later") {
            events.push(EventKindId(9), Audience::All, &[1]);
        }
        if self.is("an event with too few fields") {
            events.push(EventKindId(0), Audience::All, &[]);
        }
        events.push(EventKindId(0), Audience::All, &[self.tick as i32]);
        if late && self.is("an unknown event later") {
            events.push(EventKindId(1), Audience::All, &[1, 2, 3]);
            events.push(EventKindId(u8::MAX), Audience::All, &[]);
        }
    }

    fn rows(&self, out: &mut Rows) {
        let kind = KindId(if self.is("a row of an unknown kind") { 3 } else { 0 });
        let fields: &[i32] = if self.is("a row with too few fields") { &[1] } else { &[1, 2] };
        out.push(EntityId::new(1).expect("1 is an id"), kind, None, fields);
    }

    fn viewpoint(&self, _: Option<SeatId>) -> Viewpoint {
        Viewpoint(0)
    }

    fn visible(&self, _: Viewpoint, out: &mut VisibleSet) {
        out.insert(EntityId::new(1).expect("1 is an id"));
    }

    fn save(&self, _: &mut Vec<u8>) {}

    fn load(_: &[u8], _: &Setup<Options>) -> Result<Self, LoadError> {
        Err(LoadError::Truncated)
    }
}

fn unsteady() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static ASKED: AtomicU32 = AtomicU32::new(0);
    ASKED.fetch_add(1, Ordering::Relaxed)
}

/// What the server says instead of starting.
fn start(mistake: &str, size: usize) -> Result<(), ServeError> {
    let game = serde_json::json!({ "mistake": mistake, "size": size });
    let room = RoomConfig { fill_to: 2, ..RoomConfig::default() };
    let config = Config { listen: ([127, 0, 0, 1], 0).into(), game, room, ..Config::default() };
    // It is asked to stop as soon as it has started.
    actix::System::new().block_on(run::<Flawed>(config, async {}, |_| {}))
}

#[test]
fn a_mistake_is_a_sentence_with_the_remedy_before_anybody_can_join() {
    start("none", 0).expect("a good game is served");
    for (mistake, size, says) in [
        ("a kind twice", 0, &["two entity kinds are named `thing`", "one of its own"][..]),
        ("an event twice", 0, &["two event kinds are named `boom`"]),
        ("an input twice", 0, &["two input fields are named `go`"]),
        ("a field twice", 0, &["two fields of `thing` are named `x`"]),
        ("an event field without a name", 0, &["some fields of event `boom` are named ``"]),
        ("a neutral out of range", 0, &["input.go", "neutral lies outside min..=max"]),
        ("a long tuning", 66_000, &["a Welcome would have 66", "65536 at most", "the tuning 66000"]),
        ("a long name", 65_536, &["65536 at most", "the schema takes 65"]),
        ("a schema that changes", 0, &["something else each time"]),
        ("a rate that it cannot do", 0, &["chess clocks run at 20 ticks a second, not at 60"]),
        ("options that panic", 0, &["panics as soon as a room of it begins: no board is that small", "game.*"]),
        ("a schema that panics", 0, &["the size of a board must be even", "game.*"]),
        ("a leave that panics", 0, &["nobody leaves"]),
        ("a bot that panics", 0, &["what should I do?"]),
        ("a row of an unknown kind", 0, &["entity 1 is of kind 3, which has no schema"]),
        ("a row with too few fields", 0, &["fields of a thing row"]),
        ("an unknown event", 0, &["an event of kind 9, but its schema has 2", "add the kind"]),
        ("an event with too few fields", 0, &["a `boom` event with 0 fields, but in its schema that kind has 1"]),
    ] {
        let error = start(mistake, size).expect_err(mistake).to_string();
        for part in says {
            assert!(error.contains(part), "{mistake}: {error}");
        }
    }
}

/// The longest that fits is let in, and one byte more is not.
#[test]
fn a_welcome_is_as_long_as_a_message_at_most() {
    let options = |size| Options { mistake: "a long tuning".into(), size };
    let fits = |size| Room::<Flawed>::new(config(), &options(size), "ABCDE".into(), 1, Micros(u64::MAX / 2)).ok();
    let most = (60_000..65_536).rev().find(|&size| fits(size).is_some()).expect("60,000 bytes fit");
    assert!(most > 65_000, "at most {most}");
    let mut table = Table::<Flawed>::new(config(), &options(most));
    for spectate in [false, true] {
        table.try_join(&"\u{1f600}".repeat(20), Tier::Delta, spectate).expect("a Welcome that can be read");
    }
}

#[test]
fn an_event_that_fits_no_kind_is_left_out_and_told_once() {
    let options = Options { mistake: "an unknown event later".into(), size: 0 };
    try_out::<Flawed>(&config(), &options).expect("nothing is wrong at first");
    let mut table = Table::<Flawed>::new(config(), &options);
    let viewer = table.join("Ann");
    table.run(98);
    assert_eq!(table.room.poll_flaw(), None);
    let from = table.peer(viewer).events.len();
    table.run(22);
    let peer = table.peer(viewer);
    assert!(peer.errors.is_empty(), "{:?}", peer.errors);
    assert_eq!(peer.events.len() - from, 22, "what is right arrives");
    assert!(peer.events.iter().all(|(kind, tick, fields)| *kind == 0 && fields[0] == *tick as i32));
    let flaws: Vec<Flaw> = std::iter::from_fn(|| table.room.poll_flaw()).collect();
    assert!(flaws.contains(&Flaw::EventKind { kind: 9, kinds: 2 }), "{flaws:?}");
    assert!(flaws.contains(&Flaw::EventFields { kind: "bang".into(), told: 3, fields: 0 }), "{flaws:?}");
    assert_eq!(flaws.len(), 2, "each once: {flaws:?}");
    table.run(20);
    assert_eq!(table.room.poll_flaw(), None);
}

#[test]
fn more_rows_than_a_view_holds_are_told_once() {
    let mut told = Vec::new();
    for mines in [3072 - 2, 3072 - 1] {
        let mut table = Table::<Toy>::new(config(), &ToyOptions { mines, ..ToyOptions::default() });
        let viewer = table.join("Ann");
        table.run(60);
        assert_eq!(table.peer(viewer).view.len(), 3072);
        told.push(table.room.poll_flaw());
        table.try_join("", Tier::Full, true).expect("a spectator place");
        table.run(60);
        assert_eq!(table.room.poll_flaw(), None, "once");
    }
    assert_eq!(told, [None, Some(Flaw::Rows { rows: 3073, most: 3072 })]);
    let sentence = Flaw::Rows { rows: 3073, most: 3072 }.to_string();
    assert!(sentence.contains("visible") && sentence.contains("room.seats_max"), "{sentence}");
}

#[test]
fn the_demo_game_takes_no_other_rate_than_its_own() {
    for tick_rate in ["30", "61", "240"] {
        let set = format!("room.tick_rate={tick_rate}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tickroom"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--set", &set]).stdin(Stdio::null());
        let output = command.output().expect("the program is built");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{tick_rate}: {stderr}");
        assert!(stderr.contains("made for 60 ticks a second") && stderr.contains("room.tick_rate"), "{stderr}");
        assert!(!stderr.contains("panicked"), "{stderr}");
    }
    let refused = Room::<tickroom::arena::Arena>::new(
        RoomConfig { tick_rate: 30, ..RoomConfig::default() },
        &tickroom::arena::ArenaOptions::default(),
        "R".into(),
        1,
        Micros(0),
    );
    assert!(matches!(refused.map(|_| ()), Err(RoomError::Setup(_))));
}
