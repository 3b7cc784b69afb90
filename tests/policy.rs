//! One address is not everybody: what one takes, and that the others have theirs, over real sockets from several of this
//! machine's addresses. None of them is exempt here.

mod support;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use support::sockets::{Client, Server, config, frame, until};
use tickroom::config::{Config, PolicyConfig, RoomConfig, ServerConfig};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, RoomWish, ServerMessage, Welcome};
use tokio::io::AsyncWriteExt;

fn with_policy(policy: PolicyConfig) -> Config {
    let server = ServerConfig { sessions_max: 8, rooms_max: 8, ..config().server };
    Config { policy: PolicyConfig { exempt: vec![], ..policy }, server, ..config() }
}

fn address(last: u8) -> IpAddr {
    [127, 0, 0, last].into()
}

const CREATE: RoomWish = RoomWish::Create { private: true };

/// Somebody from an address: in, or the code and sentence with which they are refused.
async fn join(server: &Server, from: IpAddr, wish: RoomWish) -> Result<(Client, Welcome), (u16, String)> {
    let mut client = server.try_connect_from(from, &[]).await.expect("the server upgrades");
    client.hello(wish).await;
    match client.next().await {
        Some(ServerMessage::Welcome(welcome)) => Ok((client, *welcome)),
        Some(ServerMessage::Closing(closing)) => Err((closing.code, closing.text)),
        other => panic!("{other:?} is no answer to Hello"),
    }
}

#[track_caller]
fn refused<T>(result: Result<T, (u16, String)>, reason: CloseReason) {
    let Err(said) = result else { panic!("it must be refused with {reason:?}") };
    assert_eq!(said, (reason.code(), reason.text().to_owned()));
}

/// How many of `times` joins succeed; the first refusal ends it.
async fn joins(
    server: &Server,
    from: IpAddr,
    wish: &RoomWish,
    times: usize,
) -> (Vec<(Client, Welcome)>, Option<String>) {
    let mut joined = Vec::new();
    for _ in 0..times {
        match join(server, from, wish.clone()).await {
            Ok(client) => joined.push(client),
            Err((code, text)) => {
                assert_eq!(code, CloseReason::Busy.code());
                return (joined, Some(text));
            }
        }
    }
    (joined, None)
}

#[tokio::test]
async fn one_address_begins_half_of_the_rooms_and_each_other_has_its_share() {
    let server = Server::start(with_policy(PolicyConfig { rooms: 2, sessions: 8, ..PolicyConfig::default() }));
    let (mut greedy, refusal) = joins(&server, address(2), &CREATE, 9).await;
    assert_eq!((greedy.len(), refusal.as_deref()), (4, Some(CloseReason::AddressRooms.text())));
    for other in [3, 4] {
        let (theirs, refusal) = joins(&server, address(other), &CREATE, 2).await;
        assert_eq!((theirs.len(), refusal), (2, None), "address {other} has its share");
        // They leave, and their rooms end, with which their share is whole again.
        for (mut client, _) in theirs {
            client.send(&ClientMessage::Leave).await;
        }
    }
    // The same again once one of its own rooms has ended.
    let (mut client, _) = greedy.pop().expect("it has four");
    client.send(&ClientMessage::Leave).await;
    until("a room to end", async || join(&server, address(2), CREATE).await.is_ok()).await;
}

#[tokio::test]
async fn a_private_room_in_which_nobody_stayed_ends_in_seconds_and_one_that_was_played_in_does_not() {
    let room = RoomConfig { idle_ms: 60_000, ..config().room };
    let server = Server::start(Config { room, ..with_policy(PolicyConfig::default()) });
    let (mut ann, begun) = join(&server, address(2), CREATE).await.expect("there is room");
    let (mut ben, played) = join(&server, address(3), CREATE).await.expect("there is room");
    let (mut cleo, public) =
        join(&server, address(4), RoomWish::Create { private: false }).await.expect("there is room");
    ann.send(&ClientMessage::Leave).await;
    cleo.send(&ClientMessage::Leave).await;
    let left = Instant::now();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (mut again, _) =
        join(&server, address(5), RoomWish::Code(begun.code.clone())).await.expect("it is still there");
    again.send(&ClientMessage::Leave).await;
    // Played for as long as the test takes; and whoever looks by code would keep it alive, so the rooms are counted.
    tokio::time::sleep(Duration::from_millis(6000)).await;
    refused(join(&server, address(5), RoomWish::Code(begun.code)).await, CloseReason::UnknownRoom);
    ben.send(&ClientMessage::Leave).await;
    tokio::time::sleep(Duration::from_millis(5000)).await;
    assert!(left.elapsed() < Duration::from_secs(20), "the machine is too slow for this test");
    for kept in [played, public] {
        join(&server, address(6), RoomWish::Code(kept.code)).await.expect("its time is not over");
    }
}

#[tokio::test]
async fn one_address_has_half_of_the_sessions_and_each_other_its_share() {
    let server = Server::start(with_policy(PolicyConfig { sessions: 2, ..PolicyConfig::default() }));
    let watch = RoomWish::Spectate(None);
    let (_first, _) = join(&server, address(2), RoomWish::Quick).await.expect("nobody is there");
    let (mut greedy, refusal) = joins(&server, address(2), &watch, 9).await;
    assert_eq!((greedy.len(), refusal.as_deref()), (3, Some(CloseReason::AddressSessions.text())));
    let (more, refusal) = joins(&server, address(3), &watch, 9).await;
    assert_eq!((more.len(), refusal.as_deref()), (2, Some(CloseReason::AddressSessions.text())));
    let (_rest, _) = joins(&server, address(4), &watch, 2).await;
    drop(more);
    until("a share to be free again", async || join(&server, address(3), watch.clone()).await.is_ok()).await;
    greedy.clear();
}

#[tokio::test]
async fn who_tried_too_many_wrong_codes_learns_nothing_of_a_right_one() {
    let policy = PolicyConfig { wrong_codes_per_minute: 20, wrong_codes_burst: 5, ..PolicyConfig::default() };
    let server = Server::start(with_policy(policy));
    let (_ann, hidden) = join(&server, address(2), CREATE).await.expect("there is room");
    let right = RoomWish::Code(hidden.code.clone());
    let wrong = |number: usize| match number % 2 {
        0 => RoomWish::Code("BCDFGHJK".into()),
        _ => RoomWish::Spectate(Some("bcdfghjk".into())),
    };
    for number in 0..5 {
        refused(join(&server, address(3), wrong(number)).await, CloseReason::UnknownRoom);
    }
    for wish in [wrong(0), wrong(1), right.clone(), RoomWish::Spectate(Some(hidden.code))] {
        refused(join(&server, address(3), wish).await, CloseReason::AddressCodes);
    }
    join(&server, address(3), RoomWish::Quick).await.expect("it may play without a code");
    join(&server, address(4), right.clone()).await.expect("others may use codes");
    // One more every three seconds, and to be refused costs nothing.
    until("the next try", async || join(&server, address(3), right.clone()).await.is_ok()).await;
}

#[tokio::test]
async fn joins_of_one_address_come_at_a_pace_and_so_does_what_is_told_to_it() {
    let policy = PolicyConfig { joins_per_second: 1, joins_burst: 4, sessions: 1, ..PolicyConfig::default() };
    let server = Server::start(with_policy(policy));
    let mut last = None;
    for _ in 0..4 {
        last = Some(join(&server, address(2), RoomWish::Quick).await.expect("a burst"));
    }
    refused(join(&server, address(2), RoomWish::Quick).await, CloseReason::AddressJoins);
    drop(last);
    let (_here, _) = join(&server, address(3), RoomWish::Quick).await.expect("others are not meant");
    // Half of the sessions are taken by others: a second one of this address is told so, until it has asked too often.
    let mut idle = Vec::new();
    for _ in 0..4 {
        idle.push(server.try_connect_from(address(4), &[]).await.expect("half is free"));
    }
    let mut told = 0;
    let status = loop {
        match server.try_connect_from(address(3), &[]).await {
            Ok(client) if told == 0 => client.ended().await.expect(CloseReason::AddressSessions),
            Ok(client) => assert_eq!(client.ended().await.frame.map(|(code, _)| code), Some(CloseReason::Busy.code())),
            Err(status) => break status,
        }
        told += 1;
        assert!(told < 30, "it is told again and again");
    };
    assert_eq!(status, 429);
    assert!(told >= 1, "a page can't read a status");
}

#[tokio::test]
async fn whom_a_trusted_proxy_asks_for_is_limited_and_this_machine_is_not() {
    let policy = PolicyConfig { sessions: 1, joins_burst: 64, ..PolicyConfig::default() };
    let server = ServerConfig { sessions_max: 8, ..config().server };
    let server = Server::start(Config { policy, server, ..config() });
    let mut here = Vec::new();
    for _ in 0..4 {
        here.push(server.try_connect_from(address(1), &[]).await.expect("this machine is exempt"));
    }
    let mut behind = async |header: &'static str, value: &str| {
        let mut client = server.try_connect_from(address(1), &[(header, value)]).await.expect("the server upgrades");
        client.hello(RoomWish::Quick).await;
        match client.next().await {
            Some(ServerMessage::Welcome(_)) => {
                here.push(client);
                true
            }
            _ => {
                client.ended().await.expect(CloseReason::AddressSessions);
                false
            }
        }
    };
    assert!(behind("X-Forwarded-For", "203.0.113.1").await);
    assert!(!behind("X-Forwarded-For", "203.0.113.1").await, "one is its share");
    assert!(!behind("X-Forwarded-For", "198.51.100.9, 203.0.113.1").await, "it can't say to be another");
    assert!(!behind("Forwarded", "for=\"203.0.113.1:4711\";proto=https").await, "the other header means the same");
    assert!(behind("X-Forwarded-For", "203.0.113.2").await, "another has its own");
    assert!(behind("Forwarded", "for=\"[2001:db8:1:2::3]\"").await);
    assert!(!behind("X-Forwarded-For", "2001:db8:1:2:ffff::4").await, "the same network");
    let mut local = server.try_connect_from(address(1), &[]).await.expect("this machine is exempt");
    local.hello(RoomWish::Quick).await;
    local.welcome().await;
}

#[tokio::test]
async fn what_a_session_took_is_given_back_however_it_ends() {
    let policy = PolicyConfig { sessions: 1, joins_burst: 1000, joins_per_second: 1000, ..PolicyConfig::default() };
    let mut config = with_policy(policy);
    config.server.hello_ms = 300;
    let server = Server::start(config);
    for round in 0..60 {
        let from = address(2);
        let Ok(mut client) = server.try_connect_from(from, &[]).await else { panic!("round {round} is not told why") };
        match round % 6 {
            0 => client.drop_connection(),
            1 => drop(client.ended().await),
            2 => {
                client.hello(RoomWish::Code("NOWHERE".into())).await;
                drop(client.ended().await);
            }
            3 => {
                client.hello(RoomWish::Quick).await;
                client.drop_connection();
            }
            4 => {
                client.hello(RoomWish::Quick).await;
                client.send(&ClientMessage::Leave).await;
                drop(client.ended().await);
            }
            _ => {
                client.socket.get_mut().write_all(&frame(0x81, b"text")).await.expect("the server reads");
                drop(client.ended().await);
            }
        }
    }
    // Those that are closing go within a second; then half of the server is to be had again, and no more.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let (held, refusal) = joins(&server, address(2), &RoomWish::Quick, 9).await;
    assert_eq!((held.len(), refusal.as_deref()), (4, Some(CloseReason::AddressSessions.text())));
}
