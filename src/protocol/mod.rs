//! The wire: plain data and its bytes. No clock, no socket, no game, no room.
//!
//! PROTOCOL.md in this folder is the normative text.
//!
//! # A headless client
//!
//! With its default features off, this crate is what a client in Rust needs and no more. Bring a WebSocket of your own:
//! hand in what comes, send what comes out.
//!
//! ```
//! use tickroom::protocol::codec::CodecError;
//! use tickroom::protocol::message::{ClientMessage, Hello, Input, PROTOCOL_VERSION, RoomWish, ServerMessage, Tier};
//! use tickroom::protocol::view::View;
//!
//! #[derive(Default)]
//! struct Client {
//!     view: Option<View>,
//!     controls: usize,
//!     seq: u32,
//! }
//!
//! impl Client {
//!     /// The first message of a session.
//!     fn hello(&self) -> Vec<u8> {
//!         let (name, wish, tier) = ("Ada".into(), RoomWish::Quick, Tier::Delta);
//!         ClientMessage::Hello(Hello { protocol: PROTOCOL_VERSION, name, wish, tier, resume: None, features: 0 }).encode()
//!     }
//!
//!     /// One binary message came; returns what to send back, if anything.
//!     fn take(&mut self, bytes: &[u8]) -> Result<Option<Vec<u8>>, CodecError> {
//!         match ServerMessage::decode(bytes)? {
//!             (ServerMessage::Welcome(welcome), _) => {
//!                 self.controls = welcome.schema.inputs.len();
//!                 self.view = Some(View::new(&welcome.schema));
//!             }
//!             (ServerMessage::Snapshot(header), body) => {
//!                 if let Some(Err(_)) = self.view.as_mut().map(|view| view.apply(&header, body)) {
//!                     return Ok(Some(ClientMessage::Resync.encode()));
//!                 }
//!             }
//!             (ServerMessage::Closing(closing), _) => println!("{} ({})", closing.text, closing.code),
//!             (ServerMessage::Roster(_) | ServerMessage::Pong(_), _) => {}
//!         }
//!         Ok(None)
//!     }
//!
//!     /// Full ahead, from now on.
//!     fn ahead(&mut self) -> Vec<u8> {
//!         self.seq += 1;
//!         let mut row = vec![0; self.controls];
//!         row[0] = 127;
//!         let seen = self.view.as_ref().map_or(0, |view| view.tick().0);
//!         ClientMessage::Input(Input { seq: self.seq, tick: 0, seen, seen_ago: 0, row }).encode()
//!     }
//! }
//!
//! // The other end of the WebSocket: here a room of the demo game in the same process.
//! use tickroom::arena::Arena;
//! use tickroom::config::RoomConfig;
//! use tickroom::game::Game;
//! use tickroom::ids::{Micros, ResumeToken, ViewerId};
//! use tickroom::room::{JoinRequest, Outbox, Room, SendOutcome};
//!
//! struct Wire(Vec<Vec<u8>>);
//! impl Outbox for Wire {
//!     fn is_open(&mut self, _: ViewerId) -> bool {
//!         true
//!     }
//!     fn send(&mut self, _: ViewerId, message: &[u8]) -> SendOutcome {
//!         self.0.push(message.to_vec());
//!         SendOutcome::Accepted
//!     }
//! }
//!
//! let options = <Arena as Game>::Options::default();
//! let mut room = Room::<Arena>::new(RoomConfig::default(), &options, "DOCS".into(), 1, Micros(0)).unwrap();
//! let mut client = Client::default();
//! let Ok(ClientMessage::Hello(hello)) = ClientMessage::decode(&client.hello()) else { unreachable!() };
//! let who = JoinRequest { name: hello.name, tier: hello.tier, spectate: false, origin: None };
//! let joined = room.handle_join(who, ResumeToken([7; 16]), Micros(0)).unwrap();
//! assert_eq!(client.take(&joined.welcome), Ok(None));
//!
//! let (mut now, mut wire) = (Micros(0), Wire(Vec::new()));
//! for _ in 0..120 {
//!     let Ok(ClientMessage::Input(input)) = ClientMessage::decode(&client.ahead()) else { unreachable!() };
//!     room.handle_input(joined.viewer, &input, now).unwrap();
//!     now = room.next_tick_at(now);
//!     room.tick(now);
//!     room.poll_outbound(&mut wire);
//!     for message in wire.0.drain(..) {
//!         assert_eq!(client.take(&message), Ok(None), "every snapshot fits");
//!     }
//! }
//! let view = client.view.unwrap();
//! assert_eq!(view.tick().0, 120);
//! assert!(view.rows().count() > 10, "ships, rocks, pickups, a scoreboard");
//! ```

pub mod bits;
pub mod close;
pub mod codec;
pub mod delta;
pub mod hex;
pub mod message;
pub mod schema;
pub mod view;
