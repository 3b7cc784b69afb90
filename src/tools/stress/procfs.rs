//! What a process on this machine used, as Linux tells it; nothing elsewhere.

use std::collections::BTreeMap;
use std::fs;

/// Processor time and memory of one process at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time so far, in microseconds, by the names of its threads.
    pub cpu_us: BTreeMap<String, u64>,
    /// Memory that it has resident, in KiB.
    pub resident_kib: u64,
    /// The most that it ever had.
    pub resident_max_kib: u64,
}

impl Usage {
    /// Of a process, or `None` if there is no such process, or no procfs.
    #[must_use]
    pub fn of(pid: u32) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let kib = |name| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            value.trim().trim_end_matches(" kB").parse().ok()
        };
        let (resident_kib, resident_max_kib) = (kib("VmRSS:")?, kib("VmHWM:")?);
        let mut cpu_us = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
            let path = task.path();
            // A thread may end while we look.
            let Ok(name) = fs::read_to_string(path.join("comm")) else { continue };
            let Some(us) = task_cpu_us(&path) else { continue };
            *cpu_us.entry(family(name.trim())).or_default() += us;
        }
        Some(Self { cpu_us, resident_kib, resident_max_kib })
    }

    /// All threads together.
    #[must_use]
    pub fn total_cpu_us(&self) -> u64 {
        self.cpu_us.values().sum()
    }
}

/// `worker-3` and `worker-11` are one family.
fn family(name: &str) -> String {
    let family = name.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | ':' | '_' | '.' | '#'));
    if family.is_empty() { name.to_owned() } else { family.to_owned() }
}

/// Exact where the kernel keeps schedule statistics, else in its ticks of 10 ms.
fn task_cpu_us(task: &std::path::Path) -> Option<u64> {
    if let Ok(text) = fs::read_to_string(task.join("schedstat"))
        && let Some(ns) = text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok())
        && ns > 0
    {
        return Some(ns / 1000);
    }
    let stat = fs::read_to_string(task.join("stat")).ok()?;
    // The name in parentheses may hold blanks; the fields after it do not.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks * 10_000)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use rustix::time::{ClockId, clock_gettime};

    use super::*;

    /// In a thread of its own name, by the clock that the kernel keeps for that thread: neither the other tests, whose
    /// threads come and go, nor a busy machine has a part in it.
    #[test]
    fn work_shows_in_the_usage_of_this_process() {
        const WORK_US: u64 = 100_000;
        /// Of the kernel's ticks, where it keeps no statistics by the nanosecond.
        const TICK_US: u64 = 10_000;
        let clock_us = || {
            let now = clock_gettime(ClockId::ThreadCPUTime);
            now.tv_sec as u64 * 1_000_000 + now.tv_nsec as u64 / 1000
        };
        let (worked, hear) = mpsc::channel();
        let (leave, stay) = mpsc::channel::<()>();
        let worker = thread::Builder::new().name("hard at work".into());
        let worker = worker.spawn(move || {
            while clock_us() < WORK_US {}
            worked.send(()).expect("it is waited for");
            // What a thread used is gone with it.
            stay.recv().expect_err("nothing is sent");
            clock_us()
        });
        let worker = worker.expect("a thread");
        hear.recv().expect("it works");
        let usage = Usage::of(std::process::id()).expect("Linux has a procfs");
        drop(leave);
        let most = worker.join().expect("it has worked") + TICK_US;
        let used = usage.cpu_us["hard at work"];
        assert!((WORK_US - TICK_US..=most).contains(&used), "{used} us of {WORK_US} to {most}");
        assert!(usage.total_cpu_us() >= used);
        let (now, most) = (usage.resident_kib, usage.resident_max_kib);
        assert!(500 < now && now <= most, "{now} KiB, at most {most}");
        assert_eq!(Usage::of(u32::MAX), None);
    }

    #[test]
    fn threads_that_differ_by_a_number_are_one_family() {
        assert_eq!(family("actix-rt|system:0|arbiter:12"), "actix-rt|system:0|arbiter");
        assert_eq!(family("room-3"), "room");
        assert_eq!(family("17"), "17");
    }
}
