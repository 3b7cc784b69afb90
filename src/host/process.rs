//! This process: names of its threads, its free memory back to the system.

/// Gives memory that nothing uses back to the system. glibc keeps what was freed between two things that live on, as
/// good as all of a full server's, and has a call to let go of it; while that runs, threads that allocate wait, so call
/// it when nobody plays.
pub fn give_memory_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::malloc_trim(0);
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "a foreign function must be declared; any number is fine for it, so calls are safe")]
mod glibc {
    unsafe extern "C" {
        /// Keeps `pad` bytes at the end of the heap. Returns 1 if anything was given back.
        pub(super) safe fn malloc_trim(pad: usize) -> core::ffi::c_int;
    }
}

/// Names the thread that calls this, as `top -H` and our own reports show it. Names beyond 15 bytes are cut.
pub fn name_thread(name: &str) {
    #[cfg(target_os = "linux")]
    if let Ok(name) = std::ffi::CString::new(name) {
        // A name is a help to whoever looks; a thread without one runs as well.
        let _ = rustix::thread::set_name(&name);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_thread_bears_the_name_that_it_was_given() {
        let name = std::thread::spawn(|| {
            name_thread("room-3");
            std::fs::read_to_string("/proc/thread-self/comm")
        });
        assert_eq!(name.join().expect("it ends").expect("Linux has a procfs"), "room-3\n");
    }
}
