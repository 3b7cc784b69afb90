//! A small client that does everything right, or one thing wrong.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tickroom::protocol::message::*;
use tickroom::protocol::view::{View, ViewError};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};

/// The one thing that it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// No fault: the simple way.
    FullTier,
    WrongVersion,
    ResumesAtFirst,
    TalksBeforeWelcome,
    SendsText,
    LongNumbers,
    ShortRow,
    OutOfRange,
    SameSeq,
    SeenAhead,
    /// Resyncs without need.
    Cries,
    NeverSteers,
    NeverPings,
    NoDigest,
    AsksTooOften,
    ForgetsToken,
    KeepsSeq,
    KeepsFirstToken,
    AlwaysComesBack,
    NeverComesBack,
}

/// What outlives a session.
struct State {
    fault: Fault,
    token: Option<[u8; 16]>,
    seq: u32,
}

/// What to do after an end.
enum Then {
    Again(Duration),
    Stop,
}

/// Lives until it has to be started anew.
pub(crate) async fn live(url: &str, fault: Fault) {
    let mut state = State { fault, token: (fault == Fault::ResumesAtFirst).then_some([9; 16]), seq: 0 };
    while let Then::Again(wait) = session(url, &mut state).await {
        if fault == Fault::NeverComesBack {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(wait).await;
    }
}

async fn session(url: &str, state: &mut State) -> Then {
    let soon = Then::Again(Duration::from_millis(50));
    let Ok((mut socket, _)) = connect_async(url).await else { return soon };
    let fault = state.fault;
    let hello = Hello {
        protocol: if fault == Fault::WrongVersion { 9 } else { PROTOCOL_VERSION },
        name: "mutant".into(),
        wish: RoomWish::Quick,
        tier: if fault == Fault::FullTier { Tier::Full } else { Tier::Delta },
        resume: state.token.filter(|_| fault != Fault::ForgetsToken),
        features: 0,
    };
    let mut due = vec![ClientMessage::Hello(hello).encode()];
    if fault == Fault::TalksBeforeWelcome {
        due.push(ClientMessage::Resync.encode());
    }
    let mut client = Client { state, view: None, seen: 0, resynced: None, count: 0 };
    let mut every = tokio::time::interval(Duration::from_millis(40));
    loop {
        for bytes in due.drain(..) {
            if socket.send(Message::Binary(Bytes::from(bytes))).await.is_err() {
                return soon;
            }
        }
        tokio::select! {
            _ = every.tick() => {
                if fault == Fault::SendsText && client.view.is_some() && socket.send("hello".into()).await.is_err() {
                    return soon;
                }
                client.beat(&mut due);
            }
            message = socket.next() => match message {
                Some(Ok(Message::Binary(bytes))) => match client.take(&bytes, &mut due) {
                    Ok(Some(code)) => {
                        let _ = socket.close(None).await;
                        return reaction(code, fault);
                    }
                    Ok(None) => {}
                    Err(()) => {
                        let frame = CloseFrame { code: 1002.into(), reason: "".into() };
                        let _ = socket.close(Some(frame)).await;
                        return Then::Stop;
                    }
                },
                Some(Ok(_)) => {}
                _ => return soon,
            }
        }
    }
}

fn reaction(code: u16, fault: Fault) -> Then {
    match code {
        _ if fault == Fault::AlwaysComesBack => Then::Again(Duration::from_millis(50)),
        1008 => Then::Again(Duration::from_secs(5)),
        1012 | 1013 | 4000 | 4009 => Then::Again(Duration::from_millis(50)),
        _ => Then::Stop,
    }
}

struct Client<'a> {
    state: &'a mut State,
    view: Option<(View, Welcome)>,
    seen: u32,
    resynced: Option<Instant>,
    count: u32,
}

impl Client<'_> {
    /// The close code if the server is closing; an error if the bytes are no message.
    fn take(&mut self, bytes: &[u8], due: &mut Vec<Vec<u8>>) -> Result<Option<u16>, ()> {
        let fault = self.state.fault;
        let (message, body) = ServerMessage::decode(bytes).map_err(drop)?;
        match message {
            ServerMessage::Welcome(welcome) => {
                if fault != Fault::KeepsFirstToken || self.state.token.is_none() {
                    self.state.token = welcome.token;
                }
                if fault != Fault::KeepsSeq {
                    self.state.seq = 0;
                }
                self.view = Some((View::new(&welcome.schema), *welcome));
            }
            ServerMessage::Snapshot(header) => {
                self.seen = header.tick.into();
                let Some((view, _)) = &mut self.view else { return Err(()) };
                let applied = view.apply(&header, body);
                let digest = matches!(applied, Err(ViewError::Digest { .. }));
                let mut broken = view.is_broken() && !(fault == Fault::NoDigest && digest);
                if fault == Fault::NoDigest && digest {
                    // It looks away; what it holds is right all the same.
                    broken = false;
                }
                broken |= fault == Fault::Cries && self.seen.is_multiple_of(64);
                let waited = self.resynced.is_none_or(|at| at.elapsed() >= Duration::from_secs(1));
                if broken && (waited || fault == Fault::AsksTooOften) && fault != Fault::NoDigest {
                    self.resynced = Some(Instant::now());
                    due.push(ClientMessage::Resync.encode());
                }
            }
            ServerMessage::Closing(closing) => return Ok(Some(closing.code)),
            ServerMessage::Roster(_) | ServerMessage::Pong(_) => {}
        }
        Ok(None)
    }

    fn beat(&mut self, due: &mut Vec<Vec<u8>>) {
        let Some((_, welcome)) = &self.view else { return };
        let fault = self.state.fault;
        self.count += 1;
        if self.count.is_multiple_of(20) && fault != Fault::NeverPings {
            due.push(ClientMessage::Ping(Ping { time: self.count.into(), seen: self.seen }).encode());
        }
        if self.count.is_multiple_of(2) || fault == Fault::NeverSteers {
            return;
        }
        if fault != Fault::SameSeq || self.state.seq == 0 {
            self.state.seq += 1;
        }
        let mut row: Vec<i32> = welcome.schema.inputs.iter().map(|field| field.max).collect();
        match fault {
            Fault::ShortRow => drop(row.pop()),
            Fault::OutOfRange => row[0] += 1,
            _ => {}
        }
        let seen = if fault == Fault::SeenAhead { self.seen + 1000 } else { self.seen };
        let input = Input { seq: self.state.seq, tick: self.seen + 5, seen, seen_ago: 16, row };
        let mut bytes = ClientMessage::Input(input).encode();
        if fault == Fault::LongNumbers {
            // The same seq in three bytes.
            let short = [251, bytes[1], 0];
            bytes.splice(1..2, short);
        }
        due.push(bytes);
    }
}
