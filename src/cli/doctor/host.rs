//! What a host says of itself, read from `/proc` and `/sys`.
//!
//! Everything is optional: containers hide files, kernels lack features, and what cannot be read is reported as not
//! readable instead of guessed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What the kernel answered when it was asked for a ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RingSupport {
    /// With `SINGLE_ISSUER` and `DEFER_TASKRUN`: the fastest.
    Deferred,
    /// With `COOP_TASKRUN` and `TASKRUN_FLAG`.
    Cooperative,
    /// Without any of them.
    Plain,
    /// Not at all, with the reason.
    Refused(String),
}

/// A limit of this process as the kernel has it; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What applies.
    pub soft: Option<u64>,
    /// How far the process may raise it.
    pub hard: Option<u64>,
}

/// A network device that stands for hardware.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nic {
    /// Such as `eth0`.
    pub name: String,
    /// How many queues receive.
    pub receive_queues: usize,
    /// Whether at least one of them spreads its packets over cores in software.
    pub has_rps: bool,
}

/// Connections that the firewall tracks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conntrack {
    /// Now.
    pub count: u64,
    /// At most; beyond it packets are dropped.
    pub max: u64,
}

/// Everything that [`super::examine()`] judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The probe's answer.
    pub ring: RingSupport,
    /// Major and minor version of the kernel.
    pub kernel: Option<(u32, u32)>,
    /// Kernel parameters by their name, as `sysctl` prints them.
    pub parameters: BTreeMap<&'static str, String>,
    /// Open files.
    pub open_files: Option<Limit>,
    /// Cores of the machine that are on.
    pub cores_online: Option<usize>,
    /// Cores that this process may use.
    pub cores_allowed: Option<usize>,
    /// Time that the cgroup may use, in thousandths of a core.
    pub quota_millicores: Option<u64>,
    /// Frequency governors in use.
    pub governors: Vec<String>,
    /// The chosen mode of transparent huge pages.
    pub huge_pages: Option<String>,
    /// Swap in use, in KiB.
    pub swap_used_kib: Option<u64>,
    /// Network hardware.
    pub nics: Vec<Nic>,
    /// Whether irqbalance runs.
    pub has_irqbalance: bool,
    /// The firewall's table, if it is loaded.
    pub conntrack: Option<Conntrack>,
    /// What says that this is a container.
    pub container: Option<String>,
}

/// The kernel parameters that are looked at.
pub const PARAMETERS: [&str; 13] = [
    "kernel.io_uring_disabled",
    "net.core.somaxconn",
    "net.core.netdev_max_backlog",
    "net.core.rmem_max",
    "net.core.wmem_max",
    "net.ipv4.tcp_max_syn_backlog",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.tcp_tw_reuse",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_wmem",
    "net.ipv4.tcp_slow_start_after_idle",
    "net.ipv4.tcp_congestion_control",
    "fs.nr_open",
];

impl Host {
    /// Reads the host whose files lie below `root`.
    pub fn read(root: &Path, ring: RingSupport) -> Self {
        let root = Root(root);
        Self {
            ring,
            kernel: root.text("proc/sys/kernel/osrelease").and_then(|text| kernel_version(&text)),
            parameters: parameters(&root),
            open_files: root.text("proc/self/limits").and_then(|text| open_files(&text)),
            cores_online: root.text("sys/devices/system/cpu/online").and_then(|text| count_list(&text)),
            cores_allowed: root
                .text("proc/self/status")
                .and_then(|text| count_list(field(&text, "Cpus_allowed_list:")?)),
            quota_millicores: quota(&root),
            governors: governors(&root),
            huge_pages: root.text("sys/kernel/mm/transparent_hugepage/enabled").and_then(|text| chosen(&text)),
            swap_used_kib: root.text("proc/swaps").map(|text| swap_used(&text)),
            nics: nics(&root),
            has_irqbalance: has_process(&root, "irqbalance"),
            conntrack: conntrack(&root),
            container: container(&root),
        }
    }
}

/// Files below a folder, which is `/` but in tests.
struct Root<'a>(&'a Path);

impl Root<'_> {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok().map(|text| text.trim().to_owned())
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// Names in a folder, sorted; none if it is not there.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }
}

fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

fn kernel_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.split(|c: char| !c.is_ascii_digit());
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

fn parameters(root: &Root<'_>) -> BTreeMap<&'static str, String> {
    let value = |name: &str| root.text(&format!("proc/sys/{}", name.replace('.', "/")));
    let spaced = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
    PARAMETERS.into_iter().filter_map(|name| Some((name, spaced(value(name)?)))).collect()
}

fn open_files(limits: &str) -> Option<Limit> {
    let mut words = field(limits, "Max open files")?.split_whitespace();
    let mut limit = || words.next().map(|word| word.parse().ok());
    Some(Limit { soft: limit()?, hard: limit()? })
}

/// How many numbers a kernel list such as `0-3,8,10-11` holds.
fn count_list(text: &str) -> Option<usize> {
    let range = |part: &str| -> Option<usize> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
        last.checked_sub(first)?.checked_add(1)
    };
    text.split(',').map(range).sum()
}

/// The smallest quota of this process's cgroup and the ones above it (v2), or of its cpu controller (v1).
fn quota(root: &Root<'_>) -> Option<u64> {
    let cgroups = root.text("proc/self/cgroup")?;
    let unified = cgroups.lines().find_map(|line| line.strip_prefix("0::"));
    let v1 = cgroups.lines().find_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        controllers.split(',').any(|controller| controller == "cpu").then_some(path)
    });
    let of_unified = unified.into_iter().flat_map(ancestors).filter_map(|path| {
        let text = root.text(&format!("sys/fs/cgroup{path}/cpu.max"))?;
        let (quota, period) = text.split_once(' ')?;
        millicores(quota.parse().ok()?, period.parse().ok()?)
    });
    let of_v1 = v1.into_iter().flat_map(ancestors).filter_map(|path| {
        let folder = format!("sys/fs/cgroup/cpu{path}");
        // -1 is "no quota" and does not parse as a number without sign.
        millicores(
            root.number(&format!("{folder}/cpu.cfs_quota_us"))?,
            root.number(&format!("{folder}/cpu.cfs_period_us"))?,
        )
    });
    of_unified.chain(of_v1).min()
}

/// `/a/b`, `/a` and the empty path.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    let path = path.trim_end_matches('/');
    std::iter::successors(Some(path), |path| path.rfind('/').map(|end| &path[..end]))
}

fn millicores(quota: u64, period: u64) -> Option<u64> {
    quota.checked_mul(1000)?.checked_div(period)
}

fn governors(root: &Root<'_>) -> Vec<String> {
    let folder = "sys/devices/system/cpu/cpufreq";
    let of_policy = |policy: String| root.text(&format!("{folder}/{policy}/scaling_governor"));
    let mut governors: Vec<_> = root.names(folder).into_iter().filter_map(of_policy).collect();
    governors.sort();
    governors.dedup();
    governors
}

/// The word in brackets.
fn chosen(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('[')?;
    Some(rest.split_once(']')?.0.to_owned())
}

fn swap_used(swaps: &str) -> u64 {
    let used = |line: &str| line.split_whitespace().nth(3)?.parse::<u64>().ok();
    swaps.lines().skip(1).filter_map(used).sum()
}

fn nics(root: &Root<'_>) -> Vec<Nic> {
    let folder = "sys/class/net";
    // Only hardware, real or virtual, has a `device`: bridges, veth pairs and the loopback have not.
    let is_hardware = |name: &String| root.path(&format!("{folder}/{name}/device")).exists();
    let nic = |name: String| {
        let queues = root.names(&format!("{folder}/{name}/queues"));
        let receiving: Vec<_> = queues.iter().filter(|queue| queue.starts_with("rx-")).collect();
        let mask = |queue: &&String| root.text(&format!("{folder}/{name}/queues/{queue}/rps_cpus"));
        let has_rps = receiving.iter().filter_map(mask).any(|mask| mask.contains(|c| c != '0' && c != ','));
        Nic { receive_queues: receiving.len(), has_rps, name }
    };
    root.names(folder).into_iter().filter(is_hardware).map(nic).collect()
}

fn has_process(root: &Root<'_>, wanted: &str) -> bool {
    let is_number = |name: &String| name.bytes().all(|b| b.is_ascii_digit());
    let is_wanted = |name: String| root.text(&format!("proc/{name}/comm")).is_some_and(|comm| comm == wanted);
    root.names("proc").into_iter().filter(is_number).any(is_wanted)
}

fn conntrack(root: &Root<'_>) -> Option<Conntrack> {
    let folder = "proc/sys/net/netfilter";
    let count = root.number(&format!("{folder}/nf_conntrack_count"))?;
    let max = root.number(&format!("{folder}/nf_conntrack_max"))?;
    Some(Conntrack { count, max })
}

fn container(root: &Root<'_>) -> Option<String> {
    for (file, name) in [(".dockerenv", "Docker"), ("run/.containerenv", "Podman")] {
        if root.path(file).exists() {
            return Some(format!("{name} (/{file})"));
        }
    }
    if root.path("var/run/secrets/kubernetes.io").exists() {
        return Some("Kubernetes (its secrets are mounted)".to_owned());
    }
    let first = root.text("proc/1/cgroup")?;
    let engine = ["kubepods", "docker", "containerd", "lxc"].into_iter().find(|engine| first.contains(engine));
    engine.map(|engine| format!("{engine} (/proc/1/cgroup)"))
}
