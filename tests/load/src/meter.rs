//! What a process and its machine have used so far, as Linux tells it under `/proc`.

use std::fs;

use anyhow::Context as _;

/// Linux counts in hundredths of a second towards programs, whatever its own clock does.
const TICKS_PER_SECOND: f64 = 100.0;

/// A reading; the difference of two is what was used between them.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// CPU seconds of this process, all threads, in its own code and in the kernel.
    pub own_cpu_s: f64,
    /// CPU seconds of the whole machine.
    pub all_cpu_s: f64,
}

impl Reading {
    /// Reads the meters.
    pub fn now() -> anyhow::Result<Self> {
        Ok(Self { own_cpu_s: own_cpu_s()?, all_cpu_s: all_cpu_s()? })
    }
}

/// CPU seconds of this process so far.
pub fn own_cpu_s() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").context("figures need Linux's /proc")?;
    own_ticks(&stat).map(|ticks| ticks / TICKS_PER_SECOND).context("/proc/self/stat is odd")
}

fn all_cpu_s() -> anyhow::Result<f64> {
    let stat = fs::read_to_string("/proc/stat").context("figures need Linux's /proc")?;
    busy_ticks(&stat).map(|ticks| ticks / TICKS_PER_SECOND).context("/proc/stat is odd")
}

/// Memory of this process that is in RAM, now and at most so far, in MiB.
pub fn memory_mib() -> anyhow::Result<(f64, f64)> {
    let status = fs::read_to_string("/proc/self/status").context("figures need Linux's /proc")?;
    let mib = |name| kib(&status, name).map(|kib| kib / 1_024.0);
    mib("VmRSS:").zip(mib("VmHWM:")).context("/proc/self/status is odd")
}

fn own_ticks(stat: &str) -> Option<f64> {
    // The name of the program stands in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ').skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let kernel: f64 = fields.next()?.parse().ok()?;
    Some(user + kernel)
}

fn busy_ticks(stat: &str) -> Option<f64> {
    let fields: Vec<f64> =
        stat.lines().next()?.split_whitespace().skip(1).map_while(|it| it.parse().ok()).collect();
    // user, nice, system, then idle and waiting for disks, then interrupts of two kinds.
    let busy = [0, 1, 2, 5, 6].into_iter().map(|at| fields.get(at));
    busy.sum::<Option<f64>>()
}

fn kib(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_strange_name() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 1 0 9 1 2";
        assert_eq!(own_ticks(stat), Some(300.0));
        assert_eq!(own_ticks("7 nonsense"), None);
    }

    #[test]
    fn waiting_is_no_work() {
        assert_eq!(busy_ticks("cpu  10 1 5 1000 100 2 3 0 0 0\ncpu0 1"), Some(21.0));
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let (now, at_most) = memory_mib().unwrap();
        assert!(now > 0.5 && at_most >= now);
        assert!(Reading::now().unwrap().all_cpu_s > own_cpu_s().unwrap());
    }
}
