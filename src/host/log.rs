//! The log's way to stderr. Lines wait in memory, and a thread of their own writes them: whoever logs never waits and never
//! fails, whatever stderr is. It may be closed, its disk full, its terminal gone, or a pipe that nobody reads. What finds
//! no room is dropped and counted, and the count is told as soon as something can be written again.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format;
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};

/// What may wait: some two thousand lines. The writing thread has as much in hand.
const WAITING_BYTES_MAX: usize = 256 * 1024;

/// How often it is tried anew to tell of lost lines where stderr takes nothing.
const TELL_EVERY: Duration = Duration::from_secs(1);

/// The process's log, once it has one.
static OF_PROCESS: OnceLock<Log> = OnceLock::new();

/// Takes lines. Clones lead to the same place.
#[derive(Clone, Debug)]
pub struct Log(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    tray: Mutex<Tray>,
    /// Lines have come, or have been written.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Tray {
    /// Whole lines.
    waiting: Vec<u8>,
    /// Lines that found no room behind these.
    lost: u64,
    /// The thread has lines in hand.
    writing: bool,
}

/// Starts the log of this process.
///
/// # Errors
/// If the system has no thread for it.
pub fn to_stderr() -> io::Result<Log> {
    let log = Log::start(io::stderr())?;
    // A second one would go to the same place.
    Ok(OF_PROCESS.get_or_init(|| log).clone())
}

/// Says something on stderr that is no log line: in the log's order where there is a log.
pub fn say(text: &str) {
    let line = format!("{text}\n");
    match OF_PROCESS.get() {
        Some(log) => log.push(line.as_bytes()),
        // If stderr is closed, nobody reads it.
        None => io::stderr().write_all(line.as_bytes()).unwrap_or_default(),
    }
}

/// Gives what waits so much time to be written, for a process that is about to end.
pub fn flush(most: Duration) {
    if let Some(log) = OF_PROCESS.get() {
        log.flush(most);
    }
}

impl Log {
    /// A log that goes to `to`, which may block.
    fn start(to: impl AsFd + Send + 'static) -> io::Result<Self> {
        let log = Self(Arc::default());
        let shared = log.0.clone();
        std::thread::Builder::new().name("log".into()).spawn(move || Scribe::new(to).run(&shared))?;
        Ok(log)
    }

    fn push(&self, line: &[u8]) {
        let mut tray = self.0.tray();
        // One that still fits after one that did not would hide where the gap is.
        if tray.lost > 0 || tray.waiting.len() + line.len() > WAITING_BYTES_MAX {
            tray.lost += 1;
            // One that is too long by itself: nothing else would wake who tells of it.
            let alone = tray.waiting.is_empty();
            drop(tray);
            if alone {
                self.0.changed.notify_all();
            }
            return;
        }
        tray.waiting.extend_from_slice(line);
        drop(tray);
        self.0.changed.notify_all();
    }

    /// True if everything was written in time.
    fn flush(&self, most: Duration) -> bool {
        let until = Instant::now() + most;
        let mut tray = self.0.tray();
        while tray.writing || !tray.waiting.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            tray = self.0.changed.wait_timeout(tray, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

impl Shared {
    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves what waits to `out`, which is empty; says how many lines were lost behind it. Comes back without any when it
    /// is time to try to tell of those that were lost before, `untold`.
    fn take(&self, out: &mut Vec<u8>, untold: bool) -> u64 {
        let mut tray = self.tray();
        tray.writing = false;
        self.changed.notify_all();
        let idle = |tray: &mut Tray| tray.waiting.is_empty() && tray.lost == 0;
        tray = if untold {
            self.changed.wait_timeout_while(tray, TELL_EVERY, idle).unwrap_or_else(PoisonError::into_inner).0
        } else {
            self.changed.wait_while(tray, idle).unwrap_or_else(PoisonError::into_inner)
        };
        tray.writing = true;
        std::mem::swap(&mut tray.waiting, out);
        std::mem::take(&mut tray.lost)
    }
}

/// Who writes.
struct Scribe<W> {
    to: W,
    /// Lines that were lost and not told of.
    lost: u64,
    /// What was written last was cut off in the middle of a line.
    torn: bool,
}

impl<W: AsFd> Scribe<W> {
    fn new(to: W) -> Self {
        Self { to, lost: 0, torn: false }
    }

    fn run(mut self, shared: &Shared) {
        let mut batch = Vec::new();
        loop {
            batch.clear();
            let lost_behind = shared.take(&mut batch, self.lost > 0);
            if let Err(unwritten) = self.write(&batch) {
                self.lost += unwritten;
            }
            self.lost += lost_behind;
            if self.lost > 0 && self.write(told(self.lost).as_bytes()).is_ok() {
                self.lost = 0;
            }
        }
    }

    /// Writes whole lines. The error is how many did not arrive.
    fn write(&mut self, lines: &[u8]) -> Result<(), u64> {
        if self.torn && !lines.is_empty() && self.write_all(b"\n") == 0 {
            self.torn = false;
        }
        match self.write_all(lines) {
            0 => Ok(()),
            left => {
                let (written, left) = lines.split_at(lines.len() - left);
                self.torn |= written.last().is_some_and(|last| *last != b'\n');
                Err(left.iter().filter(|byte| **byte == b'\n').count() as u64)
            }
        }
    }

    /// Writes it past the standard library's lock, which whoever else writes to stderr would wait for. How many bytes are
    /// left.
    fn write_all(&self, mut bytes: &[u8]) -> usize {
        while !bytes.is_empty() {
            match rustix::io::write(&self.to, bytes) {
                Ok(0) => break,
                Ok(written) => bytes = &bytes[written..],
                Err(Errno::INTR) => {}
                // A pipe that somebody else made non-blocking.
                Err(Errno::AGAIN) => {
                    let room = PollFd::new(&self.to, PollFlags::OUT);
                    if !matches!(poll(&mut [room], None), Ok(_) | Err(Errno::INTR)) {
                        break;
                    }
                }
                Err(_) => break,
            }
        }
        bytes.len()
    }
}

/// The line that tells of lost ones, as the others look.
fn told(lost: u64) -> String {
    let mut line = String::new();
    // A String takes everything.
    let _ = SystemTime.format_time(&mut format::Writer::new(&mut line));
    line + &format!("  WARN tickroom::host::log: {lost} lines of the log were lost: stderr did not take them in time\n")
}

/// Takes one line, in one piece.
#[derive(Debug)]
pub struct Line<'a>(&'a Log);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(self)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{BufRead, BufReader};

    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn line(number: u32) -> String {
        format!("line {number} {}\n", "x".repeat(100))
    }

    /// Reads on to the word of lost lines: how many lines came, in order from `next` on, and how many were lost.
    fn read_on(reader: &mut impl BufRead, mut next: u32) -> (u32, u64) {
        let begin = next;
        loop {
            let mut text = String::new();
            reader.read_line(&mut text).expect("a pipe can be read");
            if text == line(next) {
                next += 1;
            } else {
                let words = text.split_once("host::log: ").unwrap_or_else(|| panic!("{next}: {text:?}")).1;
                let lost = words.split(' ').next().and_then(|lost| lost.parse().ok()).expect("a count");
                return (next - begin, lost);
            }
        }
    }

    #[test]
    fn a_pipe_that_nobody_reads_holds_nobody_and_what_it_cost_is_told() {
        const LINES: u32 = 100_000;
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let log = Log::start(writer).expect("a thread can be started");
        let start = Instant::now();
        (0..LINES).for_each(|number| log.push(line(number).as_bytes()));
        assert!(start.elapsed() < SOON, "it took {:?}", start.elapsed());
        assert!(log.0.tray().waiting.capacity() <= 2 * WAITING_BYTES_MAX, "what waits is bounded");
        let start = Instant::now();
        assert!(!log.flush(Duration::from_millis(50)), "nobody reads");
        assert!(start.elapsed() < SOON);

        let mut reader = BufReader::new(reader);
        // Lines may have found room again while it was still being filled.
        let (mut came, mut lost) = (0, 0);
        while u64::from(came) + lost < LINES.into() {
            let (more, missing) = read_on(&mut reader, came + lost as u32);
            (came, lost) = (came + more, lost + missing);
        }
        assert!(lost > 0, "{came} lines found room");
        assert_eq!(u64::from(came) + lost, u64::from(LINES));
        log.push(line(7).as_bytes());
        assert!(log.flush(SOON));
        let mut text = String::new();
        reader.read_line(&mut text).expect("a pipe can be read");
        assert_eq!(text, line(7), "it is as before");
    }

    #[test]
    fn a_line_that_is_too_long_by_itself_is_told_of_and_the_next_ones_come() {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let log = Log::start(writer).expect("a thread can be started");
        log.push(&[b'x'; WAITING_BYTES_MAX + 1]);
        let mut reader = BufReader::new(reader);
        assert_eq!(read_on(&mut reader, 0), (0, 1));
        log.push(line(0).as_bytes());
        let mut text = String::new();
        reader.read_line(&mut text).expect("a pipe can be read");
        assert_eq!(text, line(0));
    }

    #[test]
    fn who_reads_slowly_misses_nothing_that_found_room() {
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        // As a parent process may have left it.
        rustix::io::ioctl_fionbio(&writer, true).expect("a pipe has this option");
        let log = Log::start(writer).expect("a thread can be started");
        (0..2000).for_each(|number| log.push(line(number).as_bytes()));
        let mut reader = BufReader::with_capacity(4000, reader);
        for number in 0..2000 {
            let mut text = String::new();
            reader.read_line(&mut text).expect("a pipe can be read");
            assert_eq!(text, line(number));
        }
        assert!(log.flush(SOON));
    }

    #[test]
    fn what_cannot_be_written_is_lost_and_told_when_it_can() {
        // Another end that has gone, a disk that is full.
        let (reader, closed) = std::io::pipe().expect("a pipe can be made");
        drop(reader);
        for to in [closed.into(), File::options().write(true).open("/dev/full").expect("Linux has it").into()] {
            let to: std::os::fd::OwnedFd = to;
            let mut scribe = Scribe::new(to);
            assert_eq!(scribe.write(b"one\ntwo\n"), Err(2));
            assert!(!scribe.torn);
            let log = Log::start(scribe.to).expect("a thread can be started");
            log.push(b"three\n");
            assert!(log.flush(SOON), "it is tried once, and lost");
        }
        // A disk on which somebody makes room again, in the middle of a line.
        let (reader, writer) = std::io::pipe().expect("a pipe can be made");
        let mut scribe = Scribe { to: writer, lost: 0, torn: true };
        assert_eq!(scribe.write(b"whole\n"), Ok(()));
        assert!(!scribe.torn);
        drop(scribe);
        assert_eq!(io::read_to_string(reader).expect("a pipe can be read"), "\nwhole\n");
    }
}
