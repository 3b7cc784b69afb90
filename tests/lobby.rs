//! Rooms as players meet them: quick join, codes, private rooms, limits, spectators, the end of a room.

mod support;

use support::sockets::{Client, Server, config, until};
use tickroom::config::{Config, RoomConfig, ServerConfig};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, Input, RoomWish, ServerMessage, Welcome};

fn with_room(room: RoomConfig) -> Config {
    Config { room, ..config() }
}

fn small() -> RoomConfig {
    RoomConfig { seats_max: 2, spectators_max: 1, fill_to: 0, ..RoomConfig::default() }
}

async fn refused(server: &Server, wish: RoomWish, reason: CloseReason) {
    let mut client = server.connect().await;
    client.hello(wish).await;
    client.ended().await.expect(reason);
}

fn code(welcome: &Welcome) -> RoomWish {
    RoomWish::Code(welcome.code.clone())
}

#[tokio::test]
async fn quick_join_fills_a_room_before_it_opens_another() {
    let server = Server::start(with_room(small()));
    let mut players: Vec<(Client, Welcome)> = Vec::new();
    for _ in 0..5 {
        players.push(server.join(RoomWish::Quick).await);
    }
    let codes: Vec<&str> = players.iter().map(|(_, welcome)| welcome.code.as_str()).collect();
    assert_eq!(codes[0], codes[1]);
    assert_eq!(codes[2], codes[3]);
    assert!(codes[0] != codes[2] && codes[2] != codes[4] && codes[0] != codes[4], "{codes:?}");
    assert!(codes.iter().all(|code| code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_uppercase())));
}

#[tokio::test]
async fn many_who_come_at_once_share_rooms_and_nobody_is_sent_to_a_full_one() {
    let server = Server::start(with_room(small()));
    let joins = futures_util::future::join_all((0..20).map(|_| server.join(RoomWish::Quick))).await;
    let mut people = std::collections::HashMap::new();
    for (_, welcome) in &joins {
        *people.entry(welcome.code.clone()).or_insert(0) += 1;
    }
    assert!(people.values().all(|&people| people == 2) && people.len() == 10, "{people:?}");
}

#[tokio::test]
async fn a_crowd_that_comes_at_once_all_gets_in() {
    let server = Server::start(config());
    let joins = futures_util::future::join_all((0..100).map(|_| server.join(RoomWish::Quick))).await;
    let mut people = std::collections::HashMap::new();
    for (_, welcome) in &joins {
        *people.entry(welcome.code.clone()).or_insert(0) += 1;
    }
    let mut people: Vec<i32> = people.into_values().collect();
    people.sort_unstable();
    assert_eq!(people, [4, 32, 32, 32]);
}

#[tokio::test]
async fn a_room_is_joined_by_its_code_in_any_case_until_it_is_full() {
    let server = Server::start(with_room(small()));
    let (_ann, welcome) = server.join(RoomWish::Create { private: false }).await;
    let (_ben, same) = server.join(RoomWish::Code(welcome.code.to_lowercase())).await;
    assert_eq!(same.code, welcome.code);
    refused(&server, code(&welcome), CloseReason::RoomFull).await;
    refused(&server, RoomWish::Code("AEIOU".into()), CloseReason::UnknownRoom).await;
    refused(&server, RoomWish::Code(String::new()), CloseReason::UnknownRoom).await;
    refused(&server, RoomWish::Spectate(Some("AEIOU".into())), CloseReason::UnknownRoom).await;
}

#[tokio::test]
async fn a_private_room_is_in_no_list_and_found_by_its_code_alone() {
    let server = Server::start(config());
    let (_ann, hidden) = server.join(RoomWish::Create { private: true }).await;
    assert_eq!(hidden.code.len(), 8, "nobody guesses one of 20^8");
    let (_ben, public) = server.join(RoomWish::Quick).await;
    assert_ne!(public.code, hidden.code);
    let (_watcher, watched) = server.join(RoomWish::Spectate(None)).await;
    assert_eq!(watched.code, public.code);
    let list = server.rooms().await;
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(list[0]["code"], public.code.as_str());
    let (_cleo, joined) = server.join(code(&hidden)).await;
    assert_eq!(joined.code, hidden.code);
}

#[tokio::test]
async fn spectators_watch_without_a_seat_and_have_their_own_limit() {
    let server = Server::start(with_room(small()));
    let (mut ann, welcome) = server.join(RoomWish::Quick).await;
    let (mut watcher, watching) = server.join(RoomWish::Spectate(Some(welcome.code.clone()))).await;
    assert_eq!((watching.seat, watching.token), (None, None));
    ann.input(&[50, 0, 0]).await;
    let seat = welcome.seat.expect("Ann plays");
    watcher.mover_that(seat, |x| x > i32::from(seat) * 10 + 300).await;
    // What a spectator sends as input moves nothing, and is no offence.
    let row = vec![100, 0, 0];
    watcher.send(&ClientMessage::Input(Input { seq: 1, tick: 0, seen: 0, seen_ago: 0, row })).await;
    refused(&server, RoomWish::Spectate(Some(welcome.code.clone())), CloseReason::SpectatorsFull).await;
    let list = server.rooms().await;
    assert_eq!((&list[0]["people"], &list[0]["spectators"]), (&1.into(), &1.into()), "{list:?}");
    watcher.drop_connection();
    until("the spectator's place to be free", async || server.rooms().await[0]["spectators"] == 0).await;
    server.join(RoomWish::Spectate(Some(welcome.code))).await;
}

#[tokio::test]
async fn who_wants_to_watch_an_empty_server_gets_a_room_of_their_own() {
    let server = Server::start(with_room(RoomConfig { fill_to: 3, ..RoomConfig::default() }));
    let (mut watcher, _) = server.join(RoomWish::Spectate(None)).await;
    watcher.mover_that(2, |_| true).await;
}

#[tokio::test]
async fn no_more_rooms_are_made_than_the_limit() {
    let server_config = ServerConfig { rooms_max: 2, ..config().server };
    let server = Server::start(Config { server: server_config, room: small(), ..config() });
    let (_a, _) = server.join(RoomWish::Create { private: false }).await;
    let (_b, _) = server.join(RoomWish::Create { private: true }).await;
    refused(&server, RoomWish::Create { private: false }, CloseReason::Busy).await;
    let (_c, _) = server.join(RoomWish::Quick).await;
    refused(&server, RoomWish::Quick, CloseReason::Busy).await;
}

#[tokio::test]
async fn a_room_that_nobody_needs_ends_and_its_code_is_unknown_then() {
    let server = Server::start(with_room(RoomConfig { idle_ms: 100, seat_kept_ms: 60_000, ..small() }));
    let (dropped, kept) = server.join(RoomWish::Create { private: false }).await;
    let (mut leaving, left) = server.join(RoomWish::Create { private: false }).await;
    dropped.drop_connection();
    leaving.send(&ClientMessage::Leave).await;
    leaving.ended().await.expect(CloseReason::Left);
    until("the empty room to end", async || server.rooms().await.len() == 1).await;
    refused(&server, code(&left), CloseReason::UnknownRoom).await;
    // The other room has a kept seat: it goes on, and its owner comes back.
    tokio::time::sleep(std::time::Duration::from_millis(1500)).await;
    let (_back, again) = server.resume(kept.token.expect("a seat has a token")).await;
    assert_eq!(again.code, kept.code);
}

#[tokio::test]
async fn a_game_that_panics_ends_its_own_room_and_no_other() {
    let server = Server::start(with_room(RoomConfig { seats_max: 4, ..small() }));
    let (mut ann, doomed) = server.join(RoomWish::Create { private: false }).await;
    let (ben, _) = server.join(code(&doomed)).await;
    let (mut cleo, safe) = server.join(RoomWish::Create { private: false }).await;
    ann.input(&[support::toy::PANIC, 0, 0]).await;
    ann.ended().await.expect(CloseReason::RoomFailed);
    ben.ended().await.expect(CloseReason::RoomFailed);
    refused(&server, code(&doomed), CloseReason::UnknownRoom).await;
    let mut lost = server.connect().await;
    let resume = ClientMessage::Hello(tickroom::protocol::message::Hello {
        resume: doomed.token,
        ..support::sockets::hello(RoomWish::Quick)
    });
    lost.send(&resume).await;
    lost.ended().await.expect(CloseReason::SeatGone);
    let seat = safe.seat.expect("Cleo plays");
    cleo.input(&[50, 0, 0]).await;
    cleo.mover_that(seat, |x| x > i32::from(seat) * 10 + 300).await;
    let mut fresh = server.connect().await;
    fresh.hello(RoomWish::Quick).await;
    assert!(matches!(fresh.next().await, Some(ServerMessage::Welcome(_))), "the server goes on");
}
