//! Wiring: the listener, the lobby, the watch, the rooms' arbiters, the HTTP workers, and the order in which they end.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Actor, Addr, Arbiter, ArbiterHandle};
use actix_web::dev::{Server, ServerHandle};
use actix_web::web;
use socket2::{Domain, Protocol, Socket, Type};

use crate::actors::clock::Clock;
use crate::actors::courier::{Worker, WorkerId};
use crate::actors::lobby::{Drain, Lobby, LobbyConfig, StartRoom};
use crate::actors::room::RoomActor;
use crate::actors::session::Door;
use crate::actors::shares::Shares;
use crate::actors::watch::{EndAll, Watch};
use crate::config::{Config, ConfigError, RoomConfig, ServerConfig};
use crate::game::Game;
use crate::host::rehearsal::{self, Refused};
use crate::host::{panics, process};
use crate::http::files::Files;
use crate::http::rooms::Rooms;
use crate::http::service::Stopping;
use crate::http::upgrade::TOLD_BUSY_MAX;
use crate::http::{self, Site};
use crate::ids::Micros;
use crate::protocol::close::CloseReason;
use crate::room::{RoomError, try_out};

/// Connections that wait to be taken, at most.
const BACKLOG: i32 = 1024;

/// What HTTP requests that are being answered are given at shutdown, after the sessions have had theirs.
const HTTP_GRACE: Duration = Duration::from_millis(400);

/// What rooms that are in the middle of a tick are given to end it.
const ROOMS_GRACE: Duration = Duration::from_millis(500);

/// How often shutdown looks whether the sessions have gone.
const SHUTDOWN_BEAT: Duration = Duration::from_millis(10);

/// Why the server cannot run. Each names its remedy.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// A setting is out of range.
    #[error("the configuration is wrong: {0}")]
    Config(#[from] ConfigError),
    /// The game does not understand its options.
    #[error("the [game] settings are wrong: {0}")]
    GameOptions(serde_path_to_error::Error<serde_json::Error>),
    /// No room can be made.
    #[error("the game cannot be served: {0}")]
    Room(#[from] RoomError),
    /// The game panics.
    #[error(
        "the game panics as soon as a room of it begins: {0}. If its settings (game.*) are such as it takes, that is a mistake \
         in the game; RUST_BACKTRACE=1 shows where"
    )]
    Game(String),
    /// Another process listens there.
    #[error(
        "{0} is in use: another server runs there. Stop it, or choose another port, as in `--listen 127.0.0.1:0` (any \
         free one)"
    )]
    InUse(SocketAddr),
    /// The system does not let us listen there.
    #[error("cannot listen on {0}: {1}. Ports below 1024 need privileges; the address must be one of this machine's")]
    Listen(SocketAddr, io::Error),
    /// The system does not let us have what the server starts with.
    #[error(transparent)]
    System(#[from] Refused),
    /// A folder of files is not there.
    #[error("{0} is not a folder: `--client-dir` and `--assets-dir` name the folders to serve files from")]
    Folder(PathBuf),
    /// HTTP ended by itself.
    #[error("the HTTP server failed: {0}")]
    Http(#[from] io::Error),
}

/// Serves the game until `shutdown` completes, then ends every session with a reason. `announce` is told the address as
/// soon as connections are taken. Runs inside an actix system; signals are the caller's.
///
/// # Errors
/// [`ServeError`], before anything is announced; or if HTTP fails.
pub async fn run<G: Game>(
    mut config: Config,
    shutdown: impl Future<Output = ()>,
    announce: impl FnOnce(SocketAddr),
) -> Result<(), ServeError> {
    config.check()?;
    let options: G::Options = catch_unwind(|| serde_path_to_error::deserialize(config.game.clone()))
        .map_err(|panic| ServeError::Game(panics::words(&*panic).to_owned()))?
        .map_err(ServeError::GameOptions)?;
    // Once, so that a game that cannot be served is known now and not when the first player comes.
    catch_unwind(AssertUnwindSafe(|| try_out::<G>(&config.room, &options)))
        .map_err(|panic| ServeError::Game(panics::words(&*panic).to_owned()))??;
    let site_files = (
        files(config.client_dir.clone(), Files::BuiltInClient)?,
        files(config.assets_dir.clone(), Files::BuiltInAssets)?,
    );
    // Before any actor is started: one that was never run does not survive an early return.
    let (listener, address) = listen(config.listen)?;
    let descriptors = raise_descriptor_limit(config.server.descriptors());
    config.server.fit(descriptors);
    warn_of_shares(&config);
    let workers = or_cores(config.server.workers);
    let arbiters = or_cores(config.server.arbiters);
    rehearsal::rehearse(workers + arbiters)?;

    let clock = Clock::start();
    let server = Arc::new(config.server.for_rate(config.room.tick_rate));
    let shares = Shares::new(&config, clock);
    let arbiters = Arbiters::start(arbiters);
    let lobby = start_lobby::<G>(&config, options, clock, shares.clone(), arbiters.handles());
    let watch = Watch::new(server.clone(), clock).start();
    let door = Arc::new(Door {
        config: server.clone(),
        clock,
        shares,
        lobby: lobby.clone().recipient(),
        watch: watch.clone(),
        sessions: Arc::new(AtomicU32::new(0)),
        draining: AtomicBool::new(false),
    });
    let site = web::Data::new(Site {
        door: door.clone(),
        rooms: Rooms::new(lobby.clone()),
        client: site_files.0,
        assets: site_files.1,
    });
    let worker_count = Arc::new(AtomicUsize::new(0));
    let connections_max = config.server.connections_max as usize / workers + 1;
    let builder = Server::build();
    let stopping = builder.graceful_shutdown_signal();
    let http = builder
        .workers(workers)
        // Never reached: to take no more would shut the door for everybody. Each kind of connection has its own limit.
        .max_concurrent_connections((config.server.sessions_max + TOLD_BUSY_MAX) as usize + 2 * connections_max)
        .disable_signals()
        .shutdown_timeout(1)
        .listen("http", listener, move || {
            // Runs once on each worker's thread.
            let number = worker_count.fetch_add(1, Ordering::Relaxed);
            process::name_thread(&format!("worker-{number}"));
            let stopping = stopping.clone();
            let stopping: Stopping = Rc::new(move || {
                let stopping = stopping.clone();
                Box::pin(async move { stopping.notified().await })
            });
            http::service::service(site.clone(), Worker::start(WorkerId(number)), connections_max, stopping)
        })?
        .run();
    let handle = http.handle();
    let mut http = actix_web::rt::spawn(http);
    tracing::info!(%address, workers, arbiters = arbiters.len(), "serving");
    announce(address);

    tokio::select! {
        () = shutdown => {}
        ended = &mut http => return ended.map_err(io::Error::other)?.map_err(ServeError::Http),
    }
    tracing::info!(sessions = door.sessions.load(Ordering::Acquire), "shutting down");
    drain(&door, &lobby, &watch, &handle, &config.server).await;
    arbiters.stop().await;
    tracing::info!("stopped");
    Ok(())
}

/// No more joins; Closing and a Close frame to everybody; their time to answer; the cut; the end of HTTP.
async fn drain(door: &Door, lobby: &Addr<Lobby>, watch: &Addr<Watch>, http: &ServerHandle, config: &ServerConfig) {
    door.draining.store(true, Ordering::Release);
    if lobby.send(Drain).await.is_err() || watch.send(EndAll::Gently(CloseReason::Shutdown)).await.is_err() {
        tracing::error!("the lobby or the watch was gone before the server");
    }
    let (begun, time) = (door.clock.now(), Micros::from_millis(config.closing_ms.into()));
    while door.sessions.load(Ordering::Acquire) > 0 && door.clock.waited(begun) < time {
        tokio::time::sleep(SHUTDOWN_BEAT).await;
    }
    if door.sessions.load(Ordering::Acquire) > 0 {
        let left = door.sessions.load(Ordering::Acquire);
        tracing::info!(sessions = left, "cutting those that did not close in time");
        if watch.send(EndAll::Now).await.is_err() {
            tracing::error!("the watch was gone before the sessions");
        }
    }
    if tokio::time::timeout(HTTP_GRACE, http.stop(true)).await.is_err() {
        http.stop(false).await;
    }
}

/// A share that is more than half of what there is lets one address take all, which may be meant.
fn warn_of_shares(config: &Config) {
    let (server, policy) = (&config.server, &config.policy);
    for (share, most, setting, limit) in [
        (policy.sessions, server.sessions_max, "policy.sessions", "server.sessions_max"),
        (policy.rooms, server.rooms_max, "policy.rooms", "server.rooms_max"),
        (policy.connections, server.connections_max, "policy.connections", "server.connections_max"),
    ] {
        if share > most / 2 {
            tracing::warn!(share, most, "one address may take more than half: {setting} is large for this {limit}");
        }
    }
}

/// Listens there; the address that it came to be.
fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), ServeError> {
    let listen = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A server that was just stopped leaves connections behind that must not keep the next one from starting.
        socket.set_reuse_address(true)?;
        if address.is_ipv6() {
            // `[::]` is every address, those of version 4 too, whatever the system's default.
            socket.set_only_v6(false)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let listener = TcpListener::from(socket);
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    listen().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse(address),
        _ => ServeError::Listen(address, error),
    })
}

fn start_lobby<G: Game>(
    config: &Config,
    options: G::Options,
    clock: Clock,
    shares: Shares,
    arbiters: Vec<ArbiterHandle>,
) -> Addr<Lobby> {
    let lobby_config = LobbyConfig {
        rooms_max: config.server.rooms_max,
        reservation: Micros::from_millis(config.server.reservation_ms.into()),
        seats_max: config.room.seats_max,
        spectators_max: config.room.spectators_max,
    };
    let start_room = starter::<G>(config.room.clone(), options, clock, arbiters);
    Lobby::new(lobby_config, clock, shares, start_room).start()
}

/// Starts rooms on the arbiters in turn.
fn starter<G: Game>(room: RoomConfig, options: G::Options, clock: Clock, arbiters: Vec<ArbiterHandle>) -> StartRoom {
    let mut turn = 0;
    Box::new(move |new, lobby| {
        turn = (turn + 1) % arbiters.len();
        let (room, options) = (room.clone(), options.clone());
        RoomActor::<G>::start_in_arbiter(&arbiters[turn], move |_| RoomActor::new(new, room, options, clock, lobby))
            .recipient()
    })
}

/// The rooms' threads.
struct Arbiters(Vec<Arbiter>);

impl Arbiters {
    fn start(count: usize) -> Self {
        let start = |number| {
            let arbiter = Arbiter::new();
            arbiter.spawn_fn(move || process::name_thread(&format!("rooms-{number}")));
            arbiter
        };
        Self((0..count).map(start).collect())
    }

    fn handles(&self) -> Vec<ArbiterHandle> {
        self.0.iter().map(Arbiter::handle).collect()
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    /// Ends the rooms, each after the tick that it is in.
    async fn stop(self) {
        for arbiter in &self.0 {
            arbiter.stop();
        }
        let (ended, all_ended) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            for arbiter in self.0 {
                if arbiter.join().is_err() {
                    tracing::error!("a thread of rooms had died");
                }
            }
            // Nobody waits any more if it took too long.
            let _ = ended.send(());
        });
        if tokio::time::timeout(ROOMS_GRACE, all_ended).await.is_err() {
            tracing::error!("a room hangs in its tick: leaving it behind");
        }
    }
}

fn files(folder: Option<PathBuf>, built_in: Files) -> Result<Files, ServeError> {
    match folder {
        None => Ok(built_in),
        Some(folder) if folder.is_dir() => Ok(Files::Folder(folder)),
        Some(folder) => Err(ServeError::Folder(folder)),
    }
}

fn or_cores(count: u16) -> usize {
    match count {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        count => count.into(),
    }
}

/// A session takes two descriptors, and many systems begin with 1024. How many there are now.
fn raise_descriptor_limit(needed: u64) -> u64 {
    let limit = rlimit::increase_nofile_limit(needed);
    match &limit {
        Ok(limit) if *limit >= needed => {}
        Ok(limit) => tracing::warn!(
            limit,
            needed,
            "the system allows fewer descriptors than server.sessions_max needs: raise the limit (ulimit -n, or \
             LimitNOFILE in systemd) or lower server.sessions_max"
        ),
        Err(error) => tracing::warn!(%error, needed, "the limit of descriptors could not be raised"),
    }
    limit.unwrap_or(needed)
}
