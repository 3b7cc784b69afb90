//! The floor of `fanout`: a server that is one loop over nonblocking sockets, and a client that reads everything.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use tickroom::tools::stress::procfs::Usage;
use tickroom::tools::stress::schedule::Every;
use tickroom::tools::stress::spawn;

/// What goes over every socket.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Traffic {
    /// Down.
    pub(crate) messages_per_second: f64,
    /// Of each of them, frame header included.
    pub(crate) bytes: usize,
    /// Up.
    pub(crate) inputs_per_second: f64,
    /// Of each of them.
    pub(crate) input_bytes: usize,
}

const FLAG: &str = "--floor-server";

/// True in the process that is the floor's server.
pub(crate) fn is_asked_for() -> bool {
    std::env::args().any(|argument| argument == FLAG)
}

fn micros(since: Instant) -> tickroom::ids::Micros {
    tickroom::ids::Micros(since.elapsed().as_micros() as u64)
}

/// The server: `--floor-server PLAYERS MESSAGES_PER_SECOND BYTES SECONDS CORE..`. Sends from when all have connected.
pub(crate) fn serve() {
    let numbers: Vec<f64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let [players, per_second, bytes, seconds, cores @ ..] = numbers.as_slice() else { panic!("{numbers:?}") };
    let cores: Vec<usize> = cores.iter().map(|&core| core as usize).collect();
    spawn::stay_on(&cores).expect("the core is there");
    let mut poll = Poll::new().expect("a poll");
    let mut listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    poll.registry().register(&mut listener, Token(usize::MAX), Interest::READABLE).expect("registered");
    println!("http://{}", listener.local_addr().expect("an address"));
    let players = *players as usize;
    let mut streams: Vec<TcpStream> = Vec::with_capacity(players);
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 4096];
    let message = vec![0x55; *bytes as usize];
    let begin = Instant::now();
    let mut rounds: Option<(Every, Instant)> = None;
    // Whatever happens, it ends.
    while begin.elapsed() < Duration::from_secs_f64(seconds + 60.0) {
        let timeout = rounds.map_or(Duration::from_millis(50), |(every, since)| {
            Duration::from_micros(every.due().since(micros(since)).0)
        });
        poll.poll(&mut events, Some(timeout)).expect("polled");
        for event in &events {
            if event.token() == Token(usize::MAX) {
                while let Ok((mut stream, _)) = listener.accept() {
                    let token = Token(streams.len());
                    poll.registry().register(&mut stream, token, Interest::READABLE).expect("registered");
                    stream.set_nodelay(true).expect("a fresh socket");
                    streams.push(stream);
                }
                if streams.len() == players && rounds.is_none() {
                    rounds = Some((Every::per_second(*per_second, tickroom::ids::Micros(0)), Instant::now()));
                }
            } else if let Ok(0) = streams[event.token().0].read(&mut scratch) {
                return; // the client has gone: the round is over
            }
        }
        if let Some((every, since)) = &mut rounds
            && every.due() <= micros(*since)
        {
            every.advance();
            for stream in &mut streams {
                match stream.write(&message) {
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    Err(_) => return,
                }
            }
        }
    }
}

/// Runs the floor's server in a process of its own; returns its processor time per message that arrived, in microseconds.
pub(crate) fn measure(
    players: usize,
    seconds: u64,
    traffic: Traffic,
    server_cores: &[usize],
    load_cores: &[usize],
) -> f64 {
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .arg(FLAG)
        .args([players.to_string(), traffic.messages_per_second.to_string()])
        .args([traffic.bytes.to_string(), seconds.to_string()])
        .args(server_cores.iter().map(usize::to_string))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the floor starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("asked for")).read_line(&mut line).expect("a line");
    let address: SocketAddr = line.trim().trim_start_matches("http://").parse().expect("an address");
    let pid = child.id();
    let cores = load_cores.to_vec();
    let client = std::thread::spawn(move || {
        spawn::stay_on(&cores).expect("the core is there");
        load(address, players, seconds, traffic, pid)
    });
    let cost = client.join().expect("the floor's client");
    child.wait().expect("the floor ends when its client has gone");
    cost
}

/// The client: reads everything, sends inputs at times of their own.
fn load(address: SocketAddr, players: usize, seconds: u64, traffic: Traffic, pid: u32) -> f64 {
    let mut poll = Poll::new().expect("a poll");
    let mut streams: Vec<TcpStream> = Vec::with_capacity(players);
    for number in 0..players {
        let mut stream = TcpStream::from_std({
            let stream = std::net::TcpStream::connect(address).expect("the floor listens");
            stream.set_nonblocking(true).expect("a fresh socket");
            stream
        });
        stream.set_nodelay(true).expect("a fresh socket");
        poll.registry().register(&mut stream, Token(number), Interest::READABLE).expect("registered");
        streams.push(stream);
    }
    let input = vec![0x66; traffic.input_bytes.max(1)];
    let mut inputs =
        Every::per_second((traffic.inputs_per_second * players as f64).max(0.01), tickroom::ids::Micros(0));
    let mut events = Events::with_capacity(1024);
    let mut scratch = vec![0; 64 * 1024];
    let begin = Instant::now();
    let warm = Duration::from_millis(500);
    let (mut before, mut received, mut next) = (None, 0_u64, 0);
    while begin.elapsed() < warm + Duration::from_secs(seconds) {
        if before.is_none() && begin.elapsed() >= warm {
            before = Usage::of(pid);
            received = 0;
        }
        while inputs.due() <= micros(begin) {
            inputs.advance();
            next = (next + 1) % players;
            // A full buffer would mean that the floor does not read.
            assert!(streams[next].write(&input).is_ok(), "the floor does not read");
        }
        let timeout = Duration::from_micros(inputs.due().since(micros(begin)).0).min(Duration::from_millis(20));
        poll.poll(&mut events, Some(timeout)).expect("polled");
        for event in &events {
            let stream = &mut streams[event.token().0];
            while let Ok(count) = stream.read(&mut scratch) {
                received += count as u64;
                if count < scratch.len() {
                    break;
                }
            }
        }
    }
    let (before, after) = (before.expect("the floor runs"), Usage::of(pid).expect("the floor runs"));
    let messages = received as f64 / traffic.bytes as f64;
    let expected = traffic.messages_per_second * players as f64 * seconds as f64;
    assert!(messages > expected * 0.5, "{messages} of {expected} messages came");
    after.total_cpu_us().saturating_sub(before.total_cpu_us()) as f64 / messages
}
