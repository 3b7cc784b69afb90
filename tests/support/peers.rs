//! Clients without sockets: a pure room on a virtual clock, and peers that decode what it sends them.

use std::collections::{BTreeMap, HashMap};

use tickroom::config::RoomConfig;
use tickroom::game::Game;
use tickroom::ids::{Micros, OriginId, ResumeToken, ViewerId};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{Input, Occupant, ServerMessage, SnapshotHeader, Tier, Welcome};
use tickroom::protocol::view::{Applied, View, ViewError};
use tickroom::room::{JoinRequest, Joined, Outbox, Room, SendOutcome};

/// How a viewer's session takes messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Every message arrives at once.
    Open,
    /// The last message has not reached the socket yet.
    Busy,
    /// It says that it is open, but its queue is full.
    Full,
    /// The session is gone.
    Gone,
}

/// One client.
pub struct Peer {
    pub viewer: ViewerId,
    pub welcome: Welcome,
    pub link: Link,
    pub view: View,
    pub names: BTreeMap<u16, Occupant>,
    pub roster: u32,
    /// Every snapshot header, with the number of bytes of the whole message.
    pub snapshots: Vec<(SnapshotHeader, usize)>,
    /// Every event, as (kind, tick, fields).
    pub events: Vec<(u8, u32, Vec<i32>)>,
    pub errors: Vec<ViewError>,
    pub seq: u32,
}

impl Peer {
    pub fn last(&self) -> &SnapshotHeader {
        &self.snapshots.last().expect("a snapshot came").0
    }

    pub fn token(&self) -> ResumeToken {
        ResumeToken(self.welcome.token.expect("a seat has a token"))
    }

    fn take(&mut self, bytes: &[u8]) {
        let (message, body) = ServerMessage::decode(bytes).expect("a room sends whole messages");
        match message {
            ServerMessage::Roster(roster) => {
                if roster.since == 0 {
                    self.names.clear();
                } else {
                    assert_eq!(roster.since, self.roster, "a roster changes the version that its viewer has");
                }
                self.roster = roster.version;
                for entry in roster.entries {
                    match entry.who {
                        Some(who) => self.names.insert(entry.seat, who),
                        None => self.names.remove(&entry.seat),
                    };
                }
            }
            ServerMessage::Snapshot(header) => {
                self.snapshots.push((header, bytes.len()));
                match self.view.apply(&header, body) {
                    Ok(Applied::Yes) => {
                        let events = self.view.events().map(|e| (e.kind.0, e.tick.0, e.fields.to_vec()));
                        self.events.extend(events);
                    }
                    Ok(Applied::Waiting) => {}
                    Err(error) => self.errors.push(error),
                }
            }
            other => panic!("a room sends no {other:?} by itself"),
        }
    }
}

/// A room, its clock, its peers.
pub struct Table<G: Game> {
    pub room: Room<G>,
    pub now: Micros,
    pub peers: HashMap<ViewerId, Peer>,
    tokens: u64,
}

/// 60 Hz ticks, 30 Hz snapshots, no bots.
pub fn config() -> RoomConfig {
    RoomConfig { fill_to: 0, seats_max: 8, spectators_max: 4, ..RoomConfig::default() }
}

impl<G: Game> Table<G> {
    pub fn new(config: RoomConfig, options: &G::Options) -> Self {
        let now = Micros::from_millis(5_000);
        let room = Room::new(config, options, "TEST".into(), 1, now).expect("the configuration is in range");
        Self { room, now, peers: HashMap::new(), tokens: 0 }
    }

    pub fn fresh_token(&mut self) -> ResumeToken {
        self.tokens += 1;
        ResumeToken((u128::from(self.tokens) << 64 | 0xA5A5).to_le_bytes())
    }

    pub fn try_join(&mut self, name: &str, tier: Tier, spectate: bool) -> Result<ViewerId, CloseReason> {
        self.try_join_from(None, name, tier, spectate)
    }

    pub fn try_join_from(
        &mut self,
        origin: Option<OriginId>,
        name: &str,
        tier: Tier,
        spectate: bool,
    ) -> Result<ViewerId, CloseReason> {
        let token = self.fresh_token();
        let joined =
            self.room.handle_join(JoinRequest { name: name.into(), tier, spectate, origin }, token, self.now)?;
        Ok(self.admit(&joined))
    }

    pub fn join(&mut self, name: &str) -> ViewerId {
        self.try_join(name, Tier::Delta, false).expect("there is a seat")
    }

    pub fn resume(&mut self, token: ResumeToken) -> Result<ViewerId, CloseReason> {
        let fresh = self.fresh_token();
        let joined = self.room.handle_resume(token, Tier::Delta, fresh, self.now)?;
        Ok(self.admit(&joined))
    }

    fn admit(&mut self, joined: &Joined) -> ViewerId {
        if let Some(replaced) = joined.replaced {
            self.peers.remove(&replaced);
        }
        let (message, _) = ServerMessage::decode(&joined.welcome).expect("a Welcome");
        let ServerMessage::Welcome(welcome) = message else { panic!("{message:?} is no Welcome") };
        let view = View::new(&welcome.schema);
        let peer = Peer {
            viewer: joined.viewer,
            welcome: *welcome,
            link: Link::Open,
            view,
            names: BTreeMap::new(),
            roster: 0,
            snapshots: Vec::new(),
            events: Vec::new(),
            errors: Vec::new(),
            seq: 0,
        };
        self.peers.insert(joined.viewer, peer);
        joined.viewer
    }

    pub fn peer(&self, viewer: ViewerId) -> &Peer {
        &self.peers[&viewer]
    }

    pub fn peer_mut(&mut self, viewer: ViewerId) -> &mut Peer {
        self.peers.get_mut(&viewer).expect("the peer is there")
    }

    /// Sends the peer's next input, to count as soon as possible.
    pub fn input(&mut self, viewer: ViewerId, row: &[i32]) {
        self.input_at(viewer, 0, row).expect("a good row");
    }

    pub fn input_at(&mut self, viewer: ViewerId, tick: u32, row: &[i32]) -> Result<(), CloseReason> {
        let peer = self.peer_mut(viewer);
        peer.seq += 1;
        let input = Input { seq: peer.seq, tick, seen: 0, seen_ago: 0, row: row.to_vec() };
        self.room.handle_input(viewer, &input, self.now)
    }

    /// Lets ticks pass, one timer call each.
    pub fn run(&mut self, ticks: u32) {
        for _ in 0..ticks {
            self.now = self.room.next_tick_at(self.now);
            self.tick_now();
        }
    }

    /// One timer call at the clock's present.
    pub fn tick_now(&mut self) {
        self.room.tick(self.now);
        self.room.poll_outbound(&mut Mail { peers: &mut self.peers });
    }
}

struct Mail<'a> {
    peers: &'a mut HashMap<ViewerId, Peer>,
}

impl Outbox for Mail<'_> {
    fn is_open(&mut self, viewer: ViewerId) -> bool {
        self.peers.get(&viewer).is_none_or(|peer| peer.link != Link::Busy)
    }

    fn send(&mut self, viewer: ViewerId, message: &[u8]) -> SendOutcome {
        let Some(peer) = self.peers.get_mut(&viewer) else { return SendOutcome::Closed };
        match peer.link {
            Link::Open => peer.take(message),
            Link::Busy => panic!("the room sent to a viewer that is not open"),
            Link::Full => return SendOutcome::Full,
            Link::Gone => return SendOutcome::Closed,
        }
        SendOutcome::Accepted
    }
}
