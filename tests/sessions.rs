//! Sessions over real sockets: joining, playing, dropping, resuming, and every polite end.

mod support;

use std::time::Duration;

use support::sockets::{self, Server, config, hello, until, within};
use tickroom::config::{Config, RoomConfig, ServerConfig};
use tickroom::protocol::close::CloseReason;
use tickroom::protocol::message::{ClientMessage, Hello, Ping, RoomWish, ServerMessage};
use tokio_tungstenite::tungstenite::Message;

#[tokio::test]
async fn a_player_joins_plays_and_sees_the_other_move() {
    let server = Server::start(config());
    let (mut ann, ann_in) = server.join(RoomWish::Quick).await;
    let (mut ben, ben_in) = server.join(RoomWish::Quick).await;
    assert_eq!(ann_in.code, ben_in.code, "two who want to play meet");
    let (ann_seat, ben_seat) = (ann_in.seat.expect("Ann plays"), ben_in.seat.expect("Ben plays"));
    assert_ne!(ann_seat, ben_seat);
    ann.input(&[50, 0, 0]).await;
    let start = i32::from(ann_seat) * 10;
    let own = ann.mover_that(ann_seat, |x| x > start + 500).await;
    let seen = ben.mover_that(ann_seat, |x| x > start + 500).await;
    assert!(own > start && seen > start);
}

#[tokio::test]
async fn a_ping_is_answered_with_the_servers_clock() {
    let server = Server::start(config());
    let (mut client, welcome) = server.join(RoomWish::Quick).await;
    let mut times = Vec::new();
    for time in [7, 8] {
        client.send(&ClientMessage::Ping(Ping { time, seen: 0 })).await;
        loop {
            if let ServerMessage::Pong(pong) = client.next().await.expect("the session lives") {
                assert_eq!(pong.time, time);
                times.push(pong.server_time);
                break;
            }
        }
    }
    assert!(times[0] >= welcome.epoch && times[1] >= times[0], "{times:?} after {}", welcome.epoch);
}

#[tokio::test]
async fn a_dropped_seat_is_taken_back_where_it_was() {
    let server = Server::start(config());
    let (mut ann, welcome) = server.join(RoomWish::Quick).await;
    let seat = welcome.seat.expect("Ann plays");
    ann.input(&[100, 0, 0]).await;
    let before = ann.mover_that(seat, |x| x > 1000).await;
    ann.drop_connection();
    let (mut ann, again) = server.resume(welcome.token.expect("a seat has a token")).await;
    assert_eq!((again.seat, again.code.clone(), again.resumed), (Some(seat), welcome.code, true));
    assert_ne!(again.token, welcome.token, "a token is used once");
    assert!(ann.mover_that(seat, |_| true).await >= before);
}

#[tokio::test]
async fn closing_the_page_keeps_the_seat_and_leave_frees_it() {
    let server = Server::start(config());
    let (client, welcome) = server.join(RoomWish::Quick).await;
    let mut client = client;
    client.send_raw(Message::Close(None)).await;
    let ended = client.ended().await;
    assert_eq!(ended.closing, None, "who closes need not be told why");
    let (mut client, again) = server.resume(welcome.token.expect("a seat has a token")).await;
    client.send(&ClientMessage::Leave).await;
    client.ended().await.expect(CloseReason::Left);
    let mut late = server.connect().await;
    late.send(&ClientMessage::Hello(Hello { resume: again.token, ..hello(RoomWish::Quick) })).await;
    late.ended().await.expect(CloseReason::SeatGone);
}

#[tokio::test]
async fn the_newest_session_wins_a_seat() {
    let server = Server::start(config());
    let (old, welcome) = server.join(RoomWish::Quick).await;
    let (mut new, again) = server.resume(welcome.token.expect("a seat has a token")).await;
    assert_eq!(again.seat, welcome.seat);
    old.ended().await.expect(CloseReason::Replaced);
    new.input(&[50, 0, 0]).await;
    let seat = again.seat.expect("the seat is played");
    new.mover_that(seat, |x| x > i32::from(seat) * 10 + 300).await;
}

#[tokio::test]
async fn a_seat_that_is_no_longer_kept_and_an_invented_token_are_refused() {
    let room = RoomConfig { seat_kept_ms: 100, idle_ms: 60_000, ..config().room };
    let server = Server::start(Config { room, ..config() });
    let (client, welcome) = server.join(RoomWish::Quick).await;
    let token = welcome.token.expect("a seat has a token");
    client.drop_connection();
    until("the seat to be given up", async || server.rooms().await[0]["people"] == 0).await;
    let mut invented = token;
    invented[15] ^= 1;
    for token in [token, invented, [0xFF; 16]] {
        let mut late = server.connect().await;
        late.send(&ClientMessage::Hello(Hello { resume: Some(token), ..hello(RoomWish::Quick) })).await;
        late.ended().await.expect(CloseReason::SeatGone);
    }
}

#[tokio::test]
async fn another_protocol_version_is_refused_even_if_its_hello_has_another_shape() {
    let server = Server::start(config());
    let mut client = server.connect().await;
    client.send(&ClientMessage::Hello(Hello { protocol: 999, ..hello(RoomWish::Quick) })).await;
    client.ended().await.expect(CloseReason::WrongVersion);
    let mut stranger = server.connect().await;
    stranger.send_raw(Message::binary(vec![0, 99, 1, 2, 3])).await;
    stranger.ended().await.expect(CloseReason::WrongVersion);
}

#[tokio::test]
async fn a_session_without_hello_is_closed_at_the_deadline() {
    let server = Server::start(Config { server: ServerConfig { hello_ms: 100, ..config().server }, ..config() });
    server.connect().await.ended().await.expect(CloseReason::HelloTimeout);
    let (mut client, _) = server.join(RoomWish::Quick).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    client.send(&ClientMessage::Leave).await;
    client.ended().await.expect(CloseReason::Left);
}

#[tokio::test]
async fn messages_out_of_order_are_refused() {
    let server = Server::start(config());
    for first in [ClientMessage::Ping(Ping { time: 1, seen: 0 }), ClientMessage::Resync, ClientMessage::Leave] {
        let mut client = server.connect().await;
        client.send(&first).await;
        client.ended().await.expect(CloseReason::OutOfOrder);
    }
    let (mut twice, _) = server.join(RoomWish::Quick).await;
    twice.hello(RoomWish::Quick).await;
    twice.ended().await.expect(CloseReason::OutOfOrder);
    let (mut short_row, _) = server.join(RoomWish::Quick).await;
    short_row.input(&[1]).await;
    short_row.ended().await.expect(CloseReason::OutOfOrder);
}

#[tokio::test]
async fn a_message_in_fragments_is_assembled() {
    let server = Server::start(config());
    let mut socket = server.raw().await;
    let hello = ClientMessage::Hello(hello(RoomWish::Quick)).encode();
    let (a, b) = hello.split_at(3);
    let mut bytes = sockets::frame(0x02, a);
    bytes.extend(sockets::frame(0x89, b"in between"));
    bytes.extend(sockets::frame(0x00, &[]));
    bytes.extend(sockets::frame(0x80, b));
    tokio::io::AsyncWriteExt::write_all(&mut socket, &bytes).await.expect("the server reads");
    let (answer, _) = sockets::read_to_end(&mut socket, Duration::from_millis(500)).await;
    let pong = answer.windows(12).any(|window| window == b"\x8a\x0ain between");
    let toy = answer.windows(4).any(|window| window == b"\x03toy");
    assert!(pong && toy, "a pong and a Welcome must come: {answer:?}");
}

#[tokio::test]
async fn a_client_that_falls_silent_is_told_and_closed() {
    let server_config = ServerConfig { ping_ms: 100, idle_ms: 400, closing_ms: 100, ..config().server };
    let server = Server::start(Config { server: server_config, ..config() });
    // A raw socket answers no ping.
    let mut socket = server.raw().await;
    tokio::io::AsyncWriteExt::write_all(
        &mut socket,
        &sockets::frame(0x82, &ClientMessage::Hello(hello(RoomWish::Quick)).encode()),
    )
    .await
    .expect("the server reads");
    let (answer, ended) = sockets::read_to_end(&mut socket, Duration::from_secs(10)).await;
    assert!(ended, "the connection must be cut");
    let told =
        answer.windows(CloseReason::Idle.text().len()).any(|window| window == CloseReason::Idle.text().as_bytes());
    assert!(told, "the client must be told why");
    // A client that answers pings and says nothing else lives.
    let (mut quiet, _) = server.join(RoomWish::Quick).await;
    within("a second of silence", async {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_secs(1) {
            quiet.next().await.expect("answering pings is enough");
        }
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_full_says_so() {
    let server = Server::start(Config { server: ServerConfig { sessions_max: 1, ..config().server }, ..config() });
    let (first, _) = server.join(RoomWish::Quick).await;
    server.connect().await.ended().await.expect(CloseReason::Busy);
    first.drop_connection();
    until("the place to be free again", async || {
        let mut client = server.connect().await;
        client.hello(RoomWish::Quick).await;
        matches!(client.next().await, Some(ServerMessage::Welcome(_)))
    })
    .await;
}

/// What a network held back comes in one go, and at 240 Hz that is four times as much as at 60.
#[tokio::test]
async fn the_rate_limit_follows_the_tick_rate() {
    for (tick_rate, messages) in [(240_u16, 1_500), (5, 400)] {
        let settings = config();
        let server = Server::start(Config { room: RoomConfig { tick_rate, ..settings.room }, ..settings });
        let (mut client, welcome) = server.join(RoomWish::Quick).await;
        assert_eq!(welcome.tick_rate, tick_rate);
        for time in 0..messages {
            client.send(&ClientMessage::Ping(Ping { time, seen: 0 })).await;
        }
        let mut last = None;
        while last != Some(messages - 1) {
            match client.next().await.expect("the session lives") {
                ServerMessage::Pong(pong) => last = Some(pong.time),
                ServerMessage::Closing(closing) => panic!("{tick_rate} Hz: closed after {last:?}: {}", closing.text),
                _ => {}
            }
        }
    }
}
