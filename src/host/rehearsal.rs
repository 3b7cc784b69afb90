//! Whether the system will let the server have what it starts with. The crates underneath panic when a thread or a
//! descriptor is refused, which tells an operator nothing: so all of them are taken once before, at the same time, and
//! given back. It costs some 50 us for each thread.

use std::io;
use std::sync::{RwLock, mpsc};
use std::thread;

use socket2::{Domain, Socket, Type};
use tokio::runtime::Builder;

/// Descriptors beyond those of the threads' own event loops: a listener and the thread that accepts on it, its way to
/// each worker, the standard streams of what is still to be opened.
const OWN_DESCRIPTORS: usize = 12;

/// Address space, in bytes, that must be left besides: what the first rooms and sessions will want. Nothing of it is
/// touched, so that it costs no memory.
const HEADROOM: usize = 32 << 20;

/// Threads that the libraries begin besides: the one that accepts, one for files that are read, one for signals.
const OWN_THREADS: usize = 3;

/// What the system refused, with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// Too few descriptors.
    #[error(
        "the system lets this process have too few open files to start with {threads} threads ({error}): raise the limit \
         (ulimit -n 4096, or LimitNOFILE in systemd), or start fewer threads (server.workers, server.arbiters)"
    )]
    Descriptors {
        /// How many threads were to be started.
        threads: usize,
        /// The system's word.
        error: io::Error,
    },
    /// Too few threads, or no memory for their stacks.
    #[error(
        "the system lets this process have too few threads or too little memory to start with {threads} threads \
         ({error}): raise the limits (ulimit -u and -v, or TasksMax and MemoryMax in systemd), or start fewer \
         (server.workers, server.arbiters)"
    )]
    Threads {
        /// How many threads were to be started.
        threads: usize,
        /// The system's word.
        error: io::Error,
    },
}

/// Takes `threads` threads with an event loop each, and what the server needs besides, all at once; then lets go.
///
/// # Errors
/// [`Refused`].
pub fn rehearse(threads: usize) -> Result<(), Refused> {
    let threads = threads + OWN_THREADS;
    let refused = |error: io::Error| match error.raw_os_error().map(rustix::io::Errno::from_raw_os_error) {
        Some(rustix::io::Errno::MFILE | rustix::io::Errno::NFILE) => Refused::Descriptors { threads, error },
        _ => Refused::Threads { threads, error },
    };
    let mut descriptors = Vec::with_capacity(OWN_DESCRIPTORS);
    for _ in 0..OWN_DESCRIPTORS {
        descriptors.push(Socket::new(Domain::IPV4, Type::STREAM, None).map_err(refused)?);
    }
    let mut headroom = Vec::<u8>::new();
    headroom.try_reserve_exact(HEADROOM).map_err(|_| refused(io::ErrorKind::OutOfMemory.into()))?;
    let gate = RwLock::new(());
    std::thread::scope(|scope| {
        // Nobody leaves before all have come, or one could not.
        let _closed = gate.write();
        let (tell, told) = mpsc::channel();
        for _ in 0..threads {
            let (tell, gate) = (tell.clone(), &gate);
            let player = move || {
                let (runtime, result) = match Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => (Some(runtime), Ok(())),
                    Err(error) => (None, Err(error)),
                };
                // Nobody listens any more once one of us was refused.
                let _ = tell.send(result);
                drop(gate.read());
                drop(runtime);
            };
            thread::Builder::new().spawn_scoped(scope, player).map_err(refused)?;
        }
        told.iter().take(threads).collect::<io::Result<()>>().map_err(refused)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_not_refused() {
        rehearse(8).expect("this machine starts servers");
    }
}
