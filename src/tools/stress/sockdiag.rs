//! What the kernel of this machine holds for a TCP connection, as Linux tells it; nothing elsewhere.
//!
//! `/proc/net/tcp` tells the same, but of all connections at once: it walks the whole hash table for that, which takes
//! several milliseconds, and a generator that stops for so long measures itself. sock_diag(7) is asked about one
//! connection and answers in microseconds.

#[cfg(target_os = "linux")]
mod linux {
    use std::net::{IpAddr, SocketAddr};
    use std::os::fd::OwnedFd;

    use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with};

    /// Messages of sock_diag(7): a header of netlink, then a question of 56 bytes or an answer of 72.
    const HEADER_BYTES: usize = 16;
    const QUESTION_BYTES: usize = HEADER_BYTES + 56;
    const ANSWER_BYTES: usize = HEADER_BYTES + 72;
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const NLM_F_REQUEST: u16 = 1;
    const IPPROTO_TCP: u8 = 6;
    const TCP_ESTABLISHED: u8 = 1;
    const ANY_STATE: u32 = u32::MAX;
    const NO_COOKIE: [u8; 8] = [0xFF; 8];

    /// Asks the kernel about connections.
    #[derive(Debug)]
    pub struct SockDiag {
        socket: OwnedFd,
    }

    impl SockDiag {
        /// `None` if this system does not let itself be asked.
        #[must_use]
        pub fn open() -> Option<Self> {
            let (kind, flags) = (SocketType::DGRAM, SocketFlags::CLOEXEC);
            let socket = socket_with(AddressFamily::NETLINK, kind, flags, Some(netlink::SOCK_DIAG)).ok()?;
            Some(Self { socket })
        }

        /// Bytes that were written at `local` and that `remote` has not acknowledged, sent or not: SIOCOUTQ, asked from
        /// outside. `None` if no connection between them stands that has its `local` end on this machine.
        #[must_use]
        pub fn queued(&self, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
            send(&self.socket, &question(local, remote), SendFlags::empty()).ok()?;
            let mut answer = [0; 512];
            // The kernel answers before `send` returns.
            let (_, length) = recv(&self.socket, &mut answer, RecvFlags::DONTWAIT).ok()?;
            let answer = answer.get(..length).filter(|answer| answer.len() >= ANSWER_BYTES)?;
            // For a connection that is gone it tells of the socket that listens there; one that is cut queues a FIN.
            let stands = answer[HEADER_BYTES + 1] == TCP_ESTABLISHED;
            let queued = &answer[HEADER_BYTES + 60..];
            stands.then(|| u32::from_ne_bytes([queued[0], queued[1], queued[2], queued[3]]))
        }
    }

    /// Netlink's header, then `inet_diag_req_v2`: family, protocol, what else to tell, padding, states, and the socket:
    /// two ports, two addresses of 16 bytes, an interface, a cookie.
    fn question(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
        let family = if local.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let mut bytes = Vec::with_capacity(QUESTION_BYTES);
        bytes.extend((QUESTION_BYTES as u32).to_ne_bytes());
        bytes.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
        bytes.extend(NLM_F_REQUEST.to_ne_bytes());
        bytes.extend([0; 8]);
        bytes.extend([family.as_raw() as u8, IPPROTO_TCP, 0, 0]);
        bytes.extend(ANY_STATE.to_ne_bytes());
        bytes.extend(local.port().to_be_bytes());
        bytes.extend(remote.port().to_be_bytes());
        for address in [local.ip(), remote.ip()] {
            let mut field = [0; 16];
            match address {
                IpAddr::V4(address) => field[..4].copy_from_slice(&address.octets()),
                IpAddr::V6(address) => field = address.octets(),
            }
            bytes.extend(field);
        }
        bytes.extend([0; 4]);
        bytes.extend(NO_COOKIE);
        bytes
    }

    #[cfg(test)]
    mod tests {
        use std::io::{Read, Write};
        use std::net::{TcpListener, TcpStream};

        use super::*;

        #[test]
        fn what_nobody_reads_is_counted_and_what_is_gone_is_not_there() {
            for listen in ["127.0.0.1:0", "[::1]:0"] {
                let Ok(listener) = TcpListener::bind(listen) else {
                    assert!(listen.starts_with('['), "this machine has IPv4");
                    continue;
                };
                let here = listener.local_addr().expect("it listens");
                let mut reader = TcpStream::connect(here).expect("it is there");
                let (mut writer, there) = listener.accept().expect("it came");
                let diag = SockDiag::open().expect("Linux has sock_diag");
                assert_eq!(diag.queued(here, there), Some(0));

                writer.set_nonblocking(true).expect("a socket can");
                let mut written = 0;
                while let Ok(count) = writer.write(&[7; 1000]) {
                    written += count as u32;
                }
                // The reader's kernel takes a part of it, and reading all leaves nothing.
                let queued = diag.queued(here, there).expect("it is there");
                assert!(queued > 0 && queued < written, "{queued} of {written} bytes");
                reader.read_exact(&mut vec![0; written as usize]).expect("it was written");
                let start = std::time::Instant::now();
                while diag.queued(here, there) != Some(0) {
                    assert!(start.elapsed().as_secs() < 5, "all was read");
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }

                drop(writer);
                assert_eq!(diag.queued(here, there), None);
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::net::SocketAddr;

    /// There is nobody to ask.
    #[derive(Debug)]
    pub enum SockDiag {}

    impl SockDiag {
        /// `None`.
        #[must_use]
        pub fn open() -> Option<Self> {
            None
        }

        /// Never asked.
        #[must_use]
        pub fn queued(&self, _: SocketAddr, _: SocketAddr) -> Option<u32> {
            match *self {}
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::SockDiag;
#[cfg(target_os = "linux")]
pub use linux::SockDiag;
