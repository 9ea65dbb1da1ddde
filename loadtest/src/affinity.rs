//! Which processors a thread, and whatever it starts, may run on.

use std::io;
use std::str::FromStr;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A set of processors as written on a command line: `1`, `0-1`, `0,2-3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpus(Vec<usize>);

impl Cpus {
    /// One processor.
    pub fn one(cpu: usize) -> Self {
        Self(vec![cpu])
    }

    /// The processors, in the order written.
    pub fn list(&self) -> &[usize] {
        &self.0
    }

    /// Confines the calling thread, and threads and processes it starts from now on, to this set.
    pub fn confine_current_thread(&self) -> io::Result<()> {
        let mut set = CpuSet::new();
        for &cpu in &self.0 {
            set.set(cpu);
        }
        Ok(sched_setaffinity(None, &set)?)
    }

    /// Runs `action` confined to this set and then gives the calling thread its processors back. A process
    /// spawned in `action` keeps the confinement: it inherits the mask of the thread that forked it.
    pub fn confined<T>(&self, action: impl FnOnce() -> T) -> io::Result<T> {
        let before = sched_getaffinity(None)?;
        self.confine_current_thread()?;
        let result = action();
        sched_setaffinity(None, &before)?;
        Ok(result)
    }
}

impl FromStr for Cpus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |word: &str| {
            let cpu = word.trim().parse::<usize>().map_err(|_| format!("`{word}` is not a processor number"))?;
            if cpu < CpuSet::MAX_CPU { Ok(cpu) } else { Err(format!("processor {cpu} is out of range")) }
        };
        let mut cpus = Vec::new();
        for part in text.split(',') {
            match part.split_once('-') {
                Some((first, last)) => cpus.extend(number(first)?..=number(last)?),
                None => cpus.push(number(part)?),
            }
        }
        if cpus.is_empty() { Err(format!("`{text}` names no processor")) } else { Ok(Self(cpus)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_are_written_as_numbers_ranges_and_lists() {
        assert_eq!("1".parse(), Ok(Cpus(vec![1])));
        assert_eq!("0-2".parse(), Ok(Cpus(vec![0, 1, 2])));
        assert_eq!("0,2-3".parse(), Ok(Cpus(vec![0, 2, 3])));
        for wrong in ["", "x", "3-1", "1-", "99999"] {
            assert!(wrong.parse::<Cpus>().is_err(), "{wrong}");
        }
    }
}
