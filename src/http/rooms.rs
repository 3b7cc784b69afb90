//! The list of rooms, made once a second at most and shared by all who ask.

use std::time::{Duration, Instant};

use actix::Addr;
use bytes::Bytes;
use tokio::sync::Mutex;

use crate::actors::lobby::{ListRooms, Lobby};

/// How old a list may be: people read it, and a match lasts minutes.
const AGE_MAX: Duration = Duration::from_secs(1);

/// The lobby answers at once unless it is drowning.
const LOBBY_TIMEOUT: Duration = Duration::from_secs(1);

/// The list as it was last made.
pub struct Rooms {
    lobby: Addr<Lobby>,
    /// Locked while the lobby is asked: others wait for its answer instead of asking too.
    last: Mutex<Option<Made>>,
}

/// The list's JSON, or nothing if the lobby did not answer: nor is it asked again before the time.
struct Made {
    at: Instant,
    json: Option<Bytes>,
}

impl Rooms {
    /// Nobody has asked yet.
    #[must_use]
    pub fn new(lobby: Addr<Lobby>) -> Self {
        Self { lobby, last: Mutex::default() }
    }

    /// The list as JSON; `None` while the lobby does not answer.
    pub async fn json(&self) -> Option<Bytes> {
        let mut last = self.last.lock().await;
        if let Some(made) = last.as_ref().filter(|made| made.at.elapsed() < AGE_MAX) {
            return made.json.clone();
        }
        let json = match self.lobby.send(ListRooms).timeout(LOBBY_TIMEOUT).await {
            Ok(rooms) => serde_json::to_vec(&rooms).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = &json {
            tracing::warn!(%error, "the lobby did not list its rooms");
        }
        let made = last.insert(Made { at: Instant::now(), json: json.ok().map(Bytes::from) });
        made.json.clone()
    }
}
