//! What the kernel knows of a connection and the standard library does not ask.

use std::os::fd::AsFd;

/// Bytes that were written and that the peer's kernel has not acknowledged. `None` where the system does not tell.
#[must_use]
pub fn unacknowledged(socket: &impl AsFd) -> Option<u32> {
    #[cfg(target_os = "linux")]
    {
        linux::siocoutq(socket.as_fd())
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = socket;
        None
    }
}

#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "rustix has no name for this ioctl, and cannot know what one that is named by number does"
)]
mod linux {
    use std::ffi::c_int;
    use std::os::fd::BorrowedFd;

    use rustix::ioctl::{Getter, Opcode, ioctl};

    /// SIOCOUTQ, which has the number of TIOCOUTQ (tcp(7)).
    const SIOCOUTQ: Opcode = libc::TIOCOUTQ as Opcode;

    pub(super) fn siocoutq(socket: BorrowedFd<'_>) -> Option<u32> {
        // SAFETY: for a socket it writes one int, for other descriptors it fails or does the same.
        let bytes: c_int = unsafe { ioctl(socket, Getter::<SIOCOUTQ, c_int>::new()) }.ok()?;
        u32::try_from(bytes).ok()
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_nobody_takes_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
        let mut reader = TcpStream::connect(listener.local_addr().expect("it listens")).expect("it listens");
        let (mut writer, _) = listener.accept().expect("somebody has connected");
        assert_eq!(unacknowledged(&writer), Some(0));
        writer.set_nonblocking(true).expect("a socket can");
        let mut written = 0;
        while let Ok(count) = writer.write(&[7; 1000]) {
            written += count;
        }
        let waiting = unacknowledged(&writer).expect("Linux tells") as usize;
        assert!(waiting > 0 && waiting < written, "{waiting} of {written}");
        reader.read_exact(&mut vec![0; written]).expect("it was written");
        let start = Instant::now();
        while unacknowledged(&writer) != Some(0) {
            assert!(start.elapsed() < Duration::from_secs(5), "all was read");
        }
        assert_eq!(unacknowledged(&std::fs::File::open("/dev/null").expect("it is there")), None);
    }
}
