//! One connection's socket, beside its owner: what the kernel is told of it, every byte that a session or its room writes
//! to it, and the cut.
//!
//! A reader that stops must hold little of the kernel's memory, and a slow one should find fresh snapshots there. So all
//! writing goes through [`Connection::write`], which ends the kernel's buffers early.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use socket2::SockRef;

use crate::config::ServerConfig;
use crate::host;
use crate::ids::Micros;

/// Unsent bytes beyond this are not taken from a session: what lies in the kernel can no longer be made fresher.
const NOTSENT_LOWAT: u32 = 16 * 1024;

/// The kernel looks at [`NOTSENT_LOWAT`] only when it begins a buffer, and one buffer takes up to 64 KiB of small
/// messages: so one is ended after so many bytes. Not after each message, since no packet reaches beyond a buffer, and
/// what waits would leave in many small ones.
const BUFFER_BYTES: usize = 8 * 1024;

/// MSG_EOR: what is written next begins a buffer. Other systems have it for other sockets only.
#[cfg(target_os = "linux")]
const END_OF_BUFFER: i32 = rustix::net::SendFlags::EOR.bits() as i32;
#[cfg(not(target_os = "linux"))]
const END_OF_BUFFER: i32 = 0;

/// The kernel's own deadline lies so far behind the watch's, so that the watch's reason is the one that is logged.
const USER_TIMEOUT_SLACK: Micros = Micros::from_millis(5000);

/// Sets the options of a connection's socket.
///
/// # Errors
/// If the peer was so fast that the connection has gone.
pub fn prepare(socket: &impl AsFd, config: &ServerConfig) -> io::Result<()> {
    let options = SockRef::from(socket);
    options.set_tcp_nodelay(true)?;
    #[cfg(target_os = "linux")]
    {
        let timeout = config.deaf_after().after(USER_TIMEOUT_SLACK);
        options.set_tcp_user_timeout(Some(Duration::from_micros(timeout.0)))?;
        options.set_tcp_notsent_lowat(NOTSENT_LOWAT)?;
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (config, NOTSENT_LOWAT, USER_TIMEOUT_SLACK);
    Ok(())
}

/// A duplicate of a connection's descriptor, to write to it past its owner and to cut it. It must not outlive the
/// connection, or the socket would stay open: it lies in the session's [`Outlet`](super::outlet::Outlet), which lets go of
/// it with its [`Output`](super::outlet::Output).
#[derive(Debug)]
pub struct Connection {
    duplicate: OwnedFd,
    /// Bytes written since a buffer was ended.
    in_buffer: usize,
    /// All bytes written, in turns of 2^32.
    written: u32,
}

/// How far a connection is, both ways, as its kernel knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Depths {
    /// Bytes that the peer has acknowledged, counted from anywhere and in turns of 2^32: as long as it stays, the peer takes
    /// nothing.
    pub taken: u32,
    /// Bytes that wait to be acknowledged.
    pub waiting: u32,
    /// Bytes that the peer sent and nobody has read: as long as it grows, the peer says something.
    pub unread: u64,
}

impl Connection {
    /// Duplicates the descriptor.
    ///
    /// # Errors
    /// If no descriptor is left.
    pub fn new(socket: &impl AsFd) -> io::Result<Self> {
        Ok(Self { duplicate: socket.as_fd().try_clone_to_owned()?, in_buffer: 0, written: 0 })
    }

    /// Writes what the socket takes without waiting, and says how much that was.
    ///
    /// # Errors
    /// As `send(2)`: `WouldBlock` if the socket takes nothing.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let ends = self.in_buffer >= BUFFER_BYTES;
        // The duplicate shares the original's O_NONBLOCK.
        let flags = if ends { END_OF_BUFFER } else { 0 };
        let taken = SockRef::from(&self.duplicate).send_with_flags(bytes, flags)?;
        self.in_buffer = if ends { 0 } else { self.in_buffer + taken };
        self.written = self.written.wrapping_add(taken as u32);
        Ok(taken)
    }

    pub(super) fn depths(&self) -> Option<Depths> {
        let waiting = host::sockets::unacknowledged(&self.duplicate)?;
        let unread = rustix::io::ioctl_fionread(&self.duplicate).ok()?;
        Some(Depths { taken: self.written.wrapping_sub(waiting), waiting, unread })
    }

    /// Ends the connection now, whatever its owner does, and leaves nothing of its queue in the kernel.
    pub(super) fn cut(&self) {
        let socket = SockRef::from(&self.duplicate);
        // Both fail only if the peer was faster.
        if let Err(error) = socket.set_linger(Some(Duration::ZERO)).and_then(|()| socket.shutdown(Shutdown::Both)) {
            tracing::debug!(%error, "a connection was gone before it was cut");
        }
    }
}
