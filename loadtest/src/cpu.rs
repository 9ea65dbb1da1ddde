//! What Linux says about a process: the processor time and the memory it has used.
//!
//! Time comes from `schedstat`, which counts nanoseconds for each thread; `stat` counts hundredths of a
//! second and serves where the kernel has no `schedstat`. Both include the work that the kernel does in the
//! process's name, and on the loopback device that is everything up to the receiver's socket: sending runs
//! the receiver's half of TCP as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

/// Nanoseconds of one tick of `stat`: USER_HZ is 100 on every Linux we know.
const TICK_NANOS: u64 = 10_000_000;

/// A thread of a process.
type Thread = (u32, u32);

/// Processor time of a few processes, by thread, at one moment.
#[derive(Debug, Default)]
pub struct CpuTime(BTreeMap<Thread, u64>);

impl CpuTime {
    /// Of all threads of these processes, now.
    pub fn of(processes: &[u32]) -> Self {
        let mut by_thread = BTreeMap::new();
        for &process in processes {
            for thread in numbers_in(&format!("/proc/{process}/task")) {
                let folder = format!("/proc/{process}/task/{thread}");
                if let Some(nanos) = thread_nanos(&folder) {
                    by_thread.insert((process, thread), nanos);
                }
            }
        }
        Self(by_thread)
    }

    /// What was used since `before`. A thread that is new is counted from its birth; one that has ended
    /// meanwhile is lost, which servers with fixed threads never show.
    pub fn since(&self, before: &Self) -> Duration {
        let used = self.0.iter().map(|(thread, &now)| now.saturating_sub(before.0.get(thread).copied().unwrap_or(0)));
        Duration::from_nanos(used.sum())
    }
}

fn thread_nanos(folder: &str) -> Option<u64> {
    let precise = fs::read_to_string(format!("{folder}/schedstat")).ok();
    precise.as_deref().and_then(parse_schedstat).or_else(|| {
        let stat = fs::read_to_string(format!("{folder}/stat")).ok()?;
        parse_stat(&stat).map(|stat| stat.ticks * TICK_NANOS)
    })
}

/// Nanoseconds on a processor: the first number of `schedstat`.
fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}

#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    /// User and system time.
    ticks: u64,
}

/// The name of a program, in parentheses, may itself hold parentheses and spaces: the fields begin behind
/// the last one.
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Stat { parent: number(1)?.try_into().ok()?, ticks: number(11)? + number(12)? })
}

/// A process and all its descendants.
pub fn family(process: u32) -> Vec<u32> {
    let parent_of = |child: u32| {
        let stat = fs::read_to_string(format!("/proc/{child}/stat")).ok()?;
        Some((child, parse_stat(&stat)?.parent))
    };
    let parents: Vec<(u32, u32)> = numbers_in("/proc").into_iter().filter_map(parent_of).collect();
    let mut family = BTreeSet::from([process]);
    loop {
        let before = family.len();
        family.extend(
            parents.iter().filter(|(_, parent)| family.contains(parent)).map(|(child, _)| *child).collect::<Vec<_>>(),
        );
        if family.len() == before {
            return family.into_iter().collect();
        }
    }
}

/// Resident memory of these processes together, in KiB.
pub fn resident_kib(processes: &[u32]) -> u64 {
    let resident = |process: &u32| parse_resident(&fs::read_to_string(format!("/proc/{process}/status")).ok()?);
    processes.iter().filter_map(resident).sum()
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// How a processor has spent its time since the system started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessorTime {
    /// On anything.
    pub busy: Duration,
    /// Taken by the hypervisor while there was work.
    pub stolen: Duration,
}

impl ProcessorTime {
    /// Of processor `cpu`, now.
    pub fn of(cpu: usize) -> Option<Self> {
        parse_processor(&fs::read_to_string("/proc/stat").ok()?, cpu)
    }
}

fn parse_processor(stat: &str, cpu: usize) -> Option<ProcessorTime> {
    let line = stat.lines().find_map(|line| line.strip_prefix(&format!("cpu{cpu} ")))?;
    let ticks: Vec<u64> = line.split_ascii_whitespace().map_while(|field| field.parse().ok()).collect();
    let [user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen, ..] = ticks[..] else { return None };
    let time = |ticks: u64| Duration::from_nanos(ticks * TICK_NANOS);
    Some(ProcessorTime { busy: time(user + nice + system + interrupts + soft_interrupts), stolen: time(stolen) })
}

fn numbers_in(folder: &str) -> Vec<u32> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedstat_begins_with_nanoseconds_run() {
        assert_eq!(parse_schedstat("123456789 42 7\n"), Some(123_456_789));
        assert_eq!(parse_schedstat(""), None);
    }

    #[test]
    fn the_name_of_a_program_cannot_shift_the_fields() {
        let text = "77 (a) b (c) S 1 77 77 0 -1 4194560 100 0 0 0 250 50 9 9 20 0 1 0 5 6 7";
        assert_eq!(parse_stat(text), Some(Stat { parent: 1, ticks: 300 }));
        assert_eq!(parse_stat("77 (a) S 1"), None);
    }

    #[test]
    fn time_since_counts_new_threads_from_their_birth() {
        let before = CpuTime([((1, 1), 1_000), ((1, 2), 500)].into());
        let after = CpuTime([((1, 1), 4_000), ((1, 3), 70)].into());
        assert_eq!(after.since(&before), Duration::from_nanos(3_070));
    }

    #[test]
    fn a_processors_line_is_found_by_its_number() {
        let stat = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 1 2 3 100 0 4 5 6 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\n";
        let expected = ProcessorTime { busy: Duration::from_millis(150), stolen: Duration::from_millis(60) };
        assert_eq!(parse_processor(stat, 0), Some(expected));
        assert_eq!(parse_processor(stat, 2), None);
    }

    #[test]
    fn our_own_process_has_used_time_and_memory() {
        let own = [std::process::id()];
        assert!(!CpuTime::of(&own).0.is_empty());
        assert!(resident_kib(&own) > 100);
        assert!(family(own[0]).contains(&own[0]));
    }

    #[test]
    fn resident_memory_is_read_from_status() {
        assert_eq!(parse_resident("Name:\tx\nVmRSS:\t    1234 kB\n"), Some(1234));
    }
}
