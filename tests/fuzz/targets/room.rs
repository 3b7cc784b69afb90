//! A room of the demo game under people who do anything, in any order: join, watch, drop, resume with right and wrong
//! tokens, send any message, decoded from any bytes or made up, read slowly or not at all, while time passes evenly or
//! in jumps.
//!
//! Whatever they do, no call panics, the room's counts hold, and a client that applies what it is sent holds exactly
//! what its seat may see.

use std::collections::BTreeMap;

use tickroom::arena::Arena;
use tickroom::config::RoomConfig;
use tickroom::game::{Game, Rows, VisibleSet};
use tickroom::ids::{Micros, ResumeToken, SeatId, ViewerId};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, Input, Tier};

use crate::peers::{Link, Table};

/// One run simulates at most so many ticks: more would find nothing new, slowly.
const TICKS_MAX: u32 = 200;

/// Reads the script; zeros when it is over.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().map_or((0, self.0), |(first, rest)| (*first, rest));
        self.0 = rest;
        first
    }

    fn number(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    fn bytes(&mut self) -> &[u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (taken, rest) = self.0.split_at(length);
        self.0 = rest;
        taken
    }
}

struct Run<'a> {
    script: Script<'a>,
    table: Table<Arena>,
    /// Every token that anybody was shown.
    tokens: Vec<ResumeToken>,
    ticks: u32,
}

const SEATS: u16 = 4;
const SPECTATORS: u16 = 2;

pub(crate) fn run(data: &[u8]) {
    let mut script = Script(data);
    let config = RoomConfig {
        fill_to: u16::from(script.byte() % 4),
        seats_max: SEATS,
        spectators_max: SPECTATORS,
        seat_kept_ms: 500,
        idle_ms: 1000,
        ..RoomConfig::default()
    };
    let table = Table::new(config, &<Arena as Game>::Options::default());
    let mut run = Run { script, table, tokens: Vec::new(), ticks: 0 };
    while !run.script.0.is_empty() && run.ticks < TICKS_MAX {
        run.act();
        run.check_counts();
    }
}

impl Run<'_> {
    fn act(&mut self) {
        match self.script.byte() % 12 {
            0 => self.join(),
            1 => self.resume(),
            2 => self.any_message(),
            3 | 4 => self.input(),
            5 => {
                let (viewer, millis) = (self.viewer(), self.script.byte());
                self.table.room.handle_rtt(viewer, Micros::from_millis(millis.into()));
            }
            6 => {
                let (viewer, now) = (self.viewer(), self.table.now);
                self.table.room.handle_leave(viewer, now);
                self.table.peers.remove(&viewer);
            }
            7 => {
                let (viewer, now) = (self.viewer(), self.table.now);
                self.table.room.handle_drop(viewer, now);
                self.table.peers.remove(&viewer);
            }
            8 => {
                let (viewer, link) = (self.viewer(), self.script.byte());
                if let Some(peer) = self.table.peers.get_mut(&viewer) {
                    peer.link = [Link::Open, Link::Busy, Link::Full][usize::from(link % 3)];
                }
            }
            9 => {
                // The clock stands still, jumps ahead, or the timer comes late.
                let millis = u64::from(self.script.byte());
                self.table.now = self.table.now.after(Micros::from_millis(millis * millis / 8));
                self.pass(1);
            }
            _ => {
                let ticks = 1 + u32::from(self.script.byte() % 16);
                self.pass(ticks);
            }
        }
    }

    /// A viewer that is there, or one that never was.
    fn viewer(&mut self) -> ViewerId {
        let at = usize::from(self.script.byte());
        let mut known: Vec<ViewerId> = self.table.peers.keys().copied().collect();
        known.sort_unstable();
        if at % 16 == 15 || known.is_empty() { ViewerId(1000 + at as u32) } else { known[at % known.len()] }
    }

    fn join(&mut self) {
        let flags = self.script.byte();
        let name = String::from_utf8_lossy(self.script.bytes()).into_owned();
        let tier = if flags & 1 == 0 { Tier::Delta } else { Tier::Full };
        let spectate = flags & 2 != 0;
        match self.table.try_join(&name, tier, spectate) {
            Ok(viewer) => {
                let welcome = &self.table.peer(viewer).welcome;
                assert_eq!((welcome.seat.is_none(), welcome.token.is_none()), (spectate, spectate));
                self.tokens.extend(welcome.token.map(ResumeToken));
            }
            Err(CloseReason::RoomFull) => assert!(!spectate),
            Err(CloseReason::SpectatorsFull) => assert!(spectate),
            Err(other) => panic!("a join was refused with {other:?}"),
        }
    }

    fn resume(&mut self) {
        let at = usize::from(self.script.byte());
        let known = (!self.tokens.is_empty() && at % 8 != 7).then(|| self.tokens[at % self.tokens.len()]);
        let token = known.unwrap_or(ResumeToken([at as u8; 16]));
        match self.table.resume(token) {
            Ok(viewer) => {
                assert!(known.is_some(), "a token that nobody was shown took a seat");
                let welcome = &self.table.peer(viewer).welcome;
                assert!(welcome.resumed && welcome.seat.is_some());
                self.tokens.extend(welcome.token.map(ResumeToken));
            }
            Err(reason) => assert_eq!(reason, CloseReason::SeatGone),
        }
    }

    /// What a session does with bytes: decode, and hand on what comes out.
    fn any_message(&mut self) {
        let viewer = self.viewer();
        let now = self.table.now;
        let Ok(message) = ClientMessage::decode(self.script.bytes()) else { return };
        match message {
            ClientMessage::Hello(_) => {}
            ClientMessage::Input(input) => self.take_input(viewer, &input),
            ClientMessage::Ping(ping) => self.table.room.handle_seen(viewer, ping.seen, now),
            ClientMessage::Resync => self.table.room.handle_resync(viewer, now),
            ClientMessage::Leave => {
                self.table.room.handle_leave(viewer, now);
                self.table.peers.remove(&viewer);
            }
        }
    }

    /// An input that makes sense, or almost.
    fn input(&mut self) {
        let viewer = self.viewer();
        let shape = self.script.byte();
        let next = self.table.room.current_tick().0;
        let seq = self.table.peers.get_mut(&viewer).map_or(1, |peer| {
            peer.seq = peer.seq.wrapping_add(u32::from(shape & 3));
            peer.seq
        });
        let tick = match shape >> 2 & 3 {
            0 => 0,
            1 => next.saturating_add(u32::from(self.script.byte())),
            2 => next.saturating_sub(u32::from(self.script.byte())),
            _ => self.script.number(),
        };
        let seen = match shape >> 4 & 3 {
            0 => 0,
            1 => next,
            2 => next.saturating_sub(u32::from(self.script.byte())),
            _ => self.script.number(),
        };
        let wild = shape & 64 != 0;
        let count = self.table.room.schema().inputs.len() - usize::from(shape & 128 != 0);
        let row = (0..count)
            .map(|_| if wild { self.script.number() as i32 } else { i32::from(self.script.byte() as i8) })
            .collect();
        let seen_ago = u16::from(self.script.byte()) * 8;
        self.take_input(viewer, &Input { seq, tick, seen, seen_ago, row });
    }

    fn take_input(&mut self, viewer: ViewerId, input: &Input) {
        let fits = input.row.len() == self.table.room.schema().inputs.len();
        let taken = self.table.room.handle_input(viewer, input, self.table.now);
        assert_eq!(taken, if fits { Ok(()) } else { Err(CloseReason::OutOfOrder) });
    }

    /// Time passes tick by tick, and every view that was told something is compared.
    fn pass(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.ticks += 1;
            let told: BTreeMap<ViewerId, usize> =
                self.table.peers.iter().map(|(&viewer, peer)| (viewer, peer.snapshots.len())).collect();
            self.table.run(1);
            for (viewer, before) in told {
                if self.table.peer(viewer).snapshots.len() > before {
                    self.check_view(viewer);
                }
            }
        }
    }

    fn check_view(&mut self, viewer: ViewerId) {
        let peer = self.table.peer(viewer);
        assert!(peer.errors.is_empty(), "{:?}", peer.errors);
        let (game, schema) = (self.table.room.game(), self.table.room.schema());
        let seat = peer.welcome.seat.map(SeatId);
        let (mut rows, mut seen) = (Rows::default(), VisibleSet::default());
        game.rows(&mut rows);
        game.visible(game.viewpoint(seat), &mut seen);
        let expected: BTreeMap<u32, (u8, Vec<i32>)> = rows
            .iter()
            .filter(|row| match row.owner {
                Some(owner) => seat == Some(owner),
                None => seat.is_none() || seen.contains(row.id),
            })
            .map(|row| {
                let fields = &schema.kinds[usize::from(row.kind.0)].fields;
                let quantised = row.fields.iter().zip(fields).map(|(&value, field)| field.quantise(value)).collect();
                (row.id.get(), (row.kind.0, quantised))
            })
            .collect();
        let held: BTreeMap<u32, (u8, Vec<i32>)> =
            peer.view.rows().map(|(id, kind, fields)| (id.get(), (kind.0, fields.to_vec()))).collect();
        assert_eq!(held, expected, "{viewer:?}");
    }

    fn check_counts(&self) {
        let info = self.table.room.info();
        assert!(info.people + info.bots <= SEATS, "{info:?}");
        assert!(info.spectators <= SPECTATORS, "{info:?}");
        assert_eq!(self.table.room.viewers(), self.table.peers.len(), "{info:?}");
        let seated = self.table.peers.values().filter(|peer| peer.welcome.seat.is_some()).count();
        assert!(usize::from(info.people) >= seated, "{info:?}");
    }
}
