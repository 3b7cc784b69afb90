//! Tickroom: an authoritative multiplayer game state server.
//!
//! Every WebSocket session is an actor that hands decoded inputs to its room; the room runs a deterministic simulation
//! at a fixed tick and sends each viewer snapshots of what it may see. Without default features this crate has no
//! actor, no socket and no async code: it is the protocol, the simulation kit, the room, and the demo game.
//!
//! # Layout
//!
//! | module | what it is | what it does not contain |
//! |---|---|---|
//! | [`ids`] | newtypes for everything that is numbered | |
//! | [`protocol`] | messages, schema, deltas, a client's view, close reasons; `PROTOCOL.md` | clock, socket, game |
//! | [`sim`] | the deterministic kit: tick clock, input queue, fixed point, grid, history | system clock, float, thread |
//! | [`game`] | the [`Game`](game::Game) trait: the seam between server and rules | wire formats, sessions |
//! | [`room`] | the pure room: seats, ticks, replication | actor, timer, socket, file |
//! | [`arena`] | the demo game | anything of the server |
//! | [`policy`] | what one address may take, and whose word is taken for an address | clock, lock, socket |
//! | [`config`] | what server and rooms are told | parsing |
//! | `host` | what the system is asked for (feature `server`) | rooms, sessions, settings |
//! | `actors`, `http`, `server` | thin shells that feed a room from sockets (feature `server`) | rules |
//! | `tools` | the other subcommands: clients of the protocol (feature `server`) | the server |
//!
//! # The life of one input
//!
//! 1. A client samples its controls once per tick, sends [`Input`](protocol::message::Input) when they changed, and
//!    steps its own ship at once.
//! 2. The session actor decodes the message and hands it to the room actor, which calls
//!    [`Room::handle_input`](room::Room::handle_input): the row is clamped and queued. Nothing is simulated here.
//! 3. The room's timer fires; [`Room::tick`](room::Room::tick) asks the [`TickClock`](sim::clock::TickClock) how many
//!    ticks are due and steps each: joins and leaves, inputs by seat, [`Game::step`](game::Game::step).
//! 4. On a snapshot tick [`Room::poll_outbound`](room::Room::poll_outbound) asks the game for its rows once, makes each
//!    entity's bytes at most once, and splices every viewer's message from them.
//! 5. The client applies the snapshot to its [`View`](protocol::view::View), drops the inputs that it acknowledges, and
//!    replays the rest on top of it.
//!
//! # Invariants
//!
//! - Same seed and same calls give the same state, bit for bit, on every machine: integers only, no clock, no hash order.
//! - What a seat may not see never reaches its bytes.
//! - A seat's base advances only when its session accepted the message; an accepted message is delivered or the session
//!   ends. So a skipped snapshot costs hardly a byte and heals itself.
//! - Nothing that a client sends can panic the room, grow a queue, or raise the log level.
//!
//! # Write your own game
//!
//! Implement [`Game`](game::Game): describe rows and inputs as a [`Schema`](protocol::schema::Schema), and step.
//!
//! ```
//! use tickroom::game::{Events, Game, InputRow, Joiner, LoadError, Rows, SeatInputs, Setup, Viewpoint, VisibleSet};
//! use tickroom::game::{Decode, Encode, decode_state, encode_state};
//! use tickroom::ids::{EntityId, KindId, SeatId};
//! use tickroom::protocol::schema::{EntityKind, Field, InputField, Neutral, Schema};
//!
//! /// Everybody walks along a line.
//! #[derive(Default, Encode, Decode)]
//! struct Walk {
//!     walkers: std::collections::BTreeMap<u16, i32>,
//! }
//!
//! fn entity(seat: u16) -> EntityId {
//!     EntityId::new(u32::from(seat) + 1).expect("seats are few")
//! }
//!
//! impl Game for Walk {
//!     type Options = ();
//!
//!     fn schema((): &()) -> Schema {
//!         Schema {
//!             game: "walk".into(),
//!             rules: 1,
//!             // 16 units to a step, of which the wire drops two bits.
//!             kinds: vec![EntityKind::public("walker", vec![Field::step("seat"), Field::linear("x", 16, 2)])],
//!             inputs: vec![InputField::level("go", -16, 16, Neutral::Value(0))],
//!             events: vec![],
//!         }
//!     }
//!     fn tuning((): &()) -> Vec<u8> {
//!         Vec::new()
//!     }
//!     fn new(_: &Setup<()>) -> Self {
//!         Self::default()
//!     }
//!     fn join(&mut self, seat: SeatId, _who: &Joiner) {
//!         self.walkers.insert(seat.0, 0);
//!     }
//!     fn leave(&mut self, seat: SeatId) {
//!         self.walkers.remove(&seat.0);
//!     }
//!     fn steer_bot(&mut self, _seat: SeatId, out: &mut InputRow) {
//!         out[0] = 8;
//!     }
//!     fn step(&mut self, inputs: &SeatInputs, _events: &mut Events) {
//!         for (seat, input) in inputs.iter() {
//!             if let Some(x) = self.walkers.get_mut(&seat.0) {
//!                 *x += input.levels[0];
//!             }
//!         }
//!     }
//!     fn rows(&self, out: &mut Rows) {
//!         for (&seat, &x) in &self.walkers {
//!             out.push(entity(seat), KindId(0), None, &[i32::from(seat), x]);
//!         }
//!     }
//!     fn viewpoint(&self, _seat: Option<SeatId>) -> Viewpoint {
//!         Viewpoint(0)
//!     }
//!     fn visible(&self, _from: Viewpoint, out: &mut VisibleSet) {
//!         self.walkers.keys().for_each(|&seat| out.insert(entity(seat)));
//!     }
//!     fn save(&self, out: &mut Vec<u8>) {
//!         encode_state(self, out);
//!     }
//!     fn load(bytes: &[u8], _: &Setup<()>) -> Result<Self, LoadError> {
//!         decode_state(bytes)
//!     }
//! }
//!
//! // A room of it, without a server: the bots walk.
//! use tickroom::config::RoomConfig;
//! use tickroom::ids::{Micros, ResumeToken};
//! use tickroom::protocol::message::Tier;
//! use tickroom::room::{JoinRequest, Room};
//!
//! let config = RoomConfig { fill_to: 3, ..RoomConfig::default() };
//! let mut room = Room::<Walk>::new(config, &(), "WALK".into(), 1, Micros(0))?;
//! let who = JoinRequest { name: "Ann".into(), tier: Tier::Delta, spectate: true, origin: None };
//! room.handle_join(who, ResumeToken([0; 16]), Micros(0)).expect("a spectator place is free");
//! let mut now = Micros(0);
//! while now < Micros::from_millis(1_000) {
//!     now = room.next_tick_at(now);
//!     room.tick(now);
//! }
//! assert!(room.game().walkers.values().all(|&x| x > 400));
//! # Ok::<(), tickroom::room::RoomError>(())
//! ```

#[cfg(feature = "server")]
pub mod actors;
pub mod arena;
#[cfg(feature = "server")]
pub mod cli;
pub mod config;
pub mod game;
#[cfg(feature = "server")]
pub mod host;
#[cfg(feature = "server")]
pub mod http;
pub mod ids;
pub mod policy;
pub mod protocol;
pub mod room;
#[cfg(feature = "server")]
pub mod server;
pub mod sim;
#[cfg(feature = "server")]
pub mod tools;
