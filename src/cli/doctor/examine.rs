//! Judges a host: pure, one function for each subject.
//!
//! Red is what refuses connections or halves the speed; yellow is what costs some under a load that this host may
//! never see. The numbers behind each are in `tuning/README.md`.

use super::host::{Host, Limit, RingSupport};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Green,
    /// Worth changing under load.
    Yellow,
    /// Change this.
    Red,
    /// The host does not tell.
    Unknown,
}

impl Verdict {
    /// The word that is printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
            Self::Unknown => "-",
        }
    }
}

/// One thing looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How bad it is.
    pub verdict: Verdict,
    /// What is there.
    pub found: String,
    /// What should be there.
    pub wanted: String,
    /// What the difference costs.
    pub why: &'static str,
    /// The command that fixes it, when it is not green.
    pub fix: Option<String>,
}

/// Open files that a busy gateway needs: two for each proxied connection.
const OPEN_FILES_WANTED: u64 = 65_536;
/// A tracked connection costs the kernel about 320 bytes, so a large table is cheap and a full one is an outage.
const CONNTRACK_WANTED: u64 = 262_144;
/// From here on a full table is near.
const CONNTRACK_PERCENT_MAX: u64 = 80;

/// Everything looked at, in the order in which a reader should care.
pub fn examine(host: &Host) -> Vec<Finding> {
    let mut findings = vec![ring(host), kernel(host), open_files(host), cores(host), quota(host)];
    findings.extend(PARAMETER_RULES.iter().map(|rule| parameter(host, rule)));
    findings.extend([governor(host), huge_pages(host), swap(host)]);
    findings.extend(host.nics.iter().map(|nic| queues(host, nic)));
    findings.extend([irqbalance(host), conntrack(host), container(host)]);
    findings
}

/// A finding that is green unless told otherwise.
fn green(check: &str, found: impl Into<String>) -> Finding {
    let (check, found) = (check.to_owned(), found.into());
    Finding { check, verdict: Verdict::Green, found, wanted: String::new(), why: "", fix: None }
}

impl Finding {
    fn bad(mut self, verdict: Verdict, wanted: impl Into<String>, why: &'static str, fix: impl Into<String>) -> Self {
        (self.verdict, self.wanted, self.why, self.fix) = (verdict, wanted.into(), why, Some(fix.into()));
        self
    }

    fn unknown(mut self, wanted: impl Into<String>) -> Self {
        (self.verdict, self.wanted, self.why) = (Verdict::Unknown, wanted.into(), "this host does not show it");
        self
    }
}

fn ring(host: &Host) -> Finding {
    let why = "without a ring the gateway runs on epoll";
    match &host.ring {
        RingSupport::Deferred => green("io_uring", "allowed, SINGLE_ISSUER and DEFER_TASKRUN"),
        RingSupport::Cooperative => green("io_uring", "allowed, COOP_TASKRUN and TASKRUN_FLAG"),
        RingSupport::Plain => green("io_uring", "allowed, without the flags that spare interrupts").bad(
            Verdict::Yellow,
            "DEFER_TASKRUN (Linux 6.1)",
            "the plain ring costs up to a third more for each proxied request",
            "apt-get install linux-image-amd64/bookworm, or --driver epoll",
        ),
        RingSupport::Refused(reason) => {
            let found = green("io_uring", format!("refused: {reason}"));
            found.bad(Verdict::Red, "allowed", why, ring_fix(host))
        }
    }
}

/// Three gates can be shut: the system-wide switch, the container's filter, and the kernel's configuration.
fn ring_fix(host: &Host) -> String {
    match host.parameters.get("kernel.io_uring_disabled").map(String::as_str) {
        Some("1" | "2") => "sysctl -w kernel.io_uring_disabled=0".to_owned(),
        _ if host.container.is_some() => {
            "docker run --security-opt seccomp=PROFILE.json, a profile that allows io_uring_setup, io_uring_enter and \
             io_uring_register"
                .to_owned()
        }
        _ => "zgrep CONFIG_IO_URING /proc/config.gz must say y: use a kernel of 5.19 or later that has it".to_owned(),
    }
}

fn kernel(host: &Host) -> Finding {
    let fix = "apt-get install linux-image-amd64 (6.1 in Debian 12), then reboot";
    match host.kernel {
        None => green("kernel", "version not readable").unknown("6.1 or later"),
        Some((major, minor)) => {
            let found = green("kernel", format!("{major}.{minor}"));
            match (major, minor) {
                (6, 1..) | (7.., _) => found,
                (5, 6..) | (6, _) => found.bad(
                    Verdict::Yellow,
                    "6.1 or later",
                    "DEFER_TASKRUN is missing, and much of the ring is slower",
                    fix,
                ),
                _ => found.bad(Verdict::Red, "5.6 or later", "the ring lacks what the gateway needs", fix),
            }
        }
    }
}

fn open_files(host: &Host) -> Finding {
    let check = "open files (RLIMIT_NOFILE)";
    let wanted = format!("at least {OPEN_FILES_WANTED}");
    let why = "every client and every origin connection is one";
    match host.open_files {
        None => green(check, "not readable").unknown(wanted),
        Some(Limit { soft: None, .. }) => green(check, "unlimited"),
        Some(Limit { soft: Some(soft), .. }) if soft >= OPEN_FILES_WANTED => green(check, soft.to_string()),
        Some(Limit { soft: Some(soft), hard }) => {
            let fix = match hard {
                Some(hard) if hard < OPEN_FILES_WANTED => {
                    "LimitNOFILE=1048576 in the unit file, or `ulimit -Hn 1048576 && ulimit -n 1048576` as root"
                }
                _ => "ulimit -n 65536",
            };
            green(check, soft.to_string()).bad(Verdict::Red, wanted, why, fix)
        }
    }
}

fn cores(host: &Host) -> Finding {
    match (host.cores_allowed, host.cores_online) {
        (Some(allowed), Some(online)) => green("cores", format!("{allowed} of {online} allowed")),
        _ => green("cores", "not readable").unknown("the cores that this process may use"),
    }
}

fn quota(host: &Host) -> Finding {
    let Some(quota) = host.quota_millicores else { return green("cpu quota", "none") };
    let found = green("cpu quota", format!("{}.{:03} cores", quota / 1000, quota % 1000));
    let whole = (quota / 1000).max(1);
    match host.cores_allowed {
        Some(allowed) if (allowed as u64).saturating_mul(1000) > quota => found.bad(
            Verdict::Red,
            format!("no fewer than the {allowed} allowed cores"),
            "when the quota is used up, every shard stands still until the period is over",
            format!("--shards {whole}, or give whole cores with a cpuset instead of a quota"),
        ),
        _ => found,
    }
}

/// What a kernel parameter should be.
struct ParameterRule {
    name: &'static str,
    test: Test,
    verdict: Verdict,
    why: &'static str,
}

enum Test {
    /// The last number of the value is at least this.
    AtLeast(u64),
    /// The value is this.
    Is(u64),
    /// The second number less the first is at least this; the values to set are given.
    SpanAtLeast(u64, &'static str),
    /// The last of three numbers is at least this; all three are given.
    LastOfThree(u64, &'static str),
}

const PARAMETER_RULES: [ParameterRule; 11] = [
    ParameterRule {
        name: "kernel.io_uring_disabled",
        test: Test::Is(0),
        verdict: Verdict::Red,
        why: "1 refuses the ring to processes without privileges, 2 to all",
    },
    ParameterRule {
        name: "net.core.somaxconn",
        test: Test::AtLeast(4096),
        verdict: Verdict::Red,
        why: "the queue of accepted connections is cut to this; beyond it clients wait a second and try again",
    },
    ParameterRule {
        name: "net.ipv4.tcp_max_syn_backlog",
        test: Test::AtLeast(4096),
        verdict: Verdict::Yellow,
        why: "a burst of new connections beyond it is answered with SYN cookies, which lose TCP options",
    },
    ParameterRule {
        name: "net.ipv4.ip_local_port_range",
        test: Test::SpanAtLeast(40_000, "15000 64999"),
        verdict: Verdict::Yellow,
        why: "each connection to one origin address needs a port of its own",
    },
    ParameterRule {
        name: "net.ipv4.tcp_tw_reuse",
        test: Test::Is(1),
        verdict: Verdict::Yellow,
        why: "a port rests for a minute after each connection to an origin, unless it may be used again",
    },
    ParameterRule {
        name: "net.core.netdev_max_backlog",
        test: Test::AtLeast(4096),
        verdict: Verdict::Yellow,
        why: "packets that software steering hands to a busy core are dropped beyond it",
    },
    ParameterRule {
        name: "net.core.rmem_max",
        test: Test::AtLeast(212_992),
        verdict: Verdict::Yellow,
        why: "below the kernel's own default",
    },
    ParameterRule {
        name: "net.core.wmem_max",
        test: Test::AtLeast(212_992),
        verdict: Verdict::Yellow,
        why: "below the kernel's own default",
    },
    ParameterRule {
        name: "net.ipv4.tcp_rmem",
        test: Test::LastOfThree(4 << 20, "4096 131072 6291456"),
        verdict: Verdict::Yellow,
        why: "an upload from far away is bounded by the window that this allows",
    },
    ParameterRule {
        name: "net.ipv4.tcp_wmem",
        test: Test::LastOfThree(4 << 20, "4096 16384 4194304"),
        verdict: Verdict::Yellow,
        why: "a download to far away is bounded by the window that this allows",
    },
    ParameterRule {
        name: "net.ipv4.tcp_slow_start_after_idle",
        test: Test::Is(0),
        verdict: Verdict::Yellow,
        why: "a kept connection starts slowly again after a pause of one retransmission timeout",
    },
];

fn parameter(host: &Host, rule: &ParameterRule) -> Finding {
    let (wanted, set) = match rule.test {
        Test::AtLeast(least) => (format!("at least {least}"), least.to_string()),
        Test::Is(value) => (value.to_string(), value.to_string()),
        Test::SpanAtLeast(least, set) => (format!("at least {least} ports"), format!("\"{set}\"")),
        Test::LastOfThree(least, set) => (format!("at least {least} as the last number"), format!("\"{set}\"")),
    };
    let Some(value) = host.parameters.get(rule.name) else {
        // A kernel from before the switch (6.6) cannot have it thrown.
        let is_absent = rule.name == "kernel.io_uring_disabled";
        let found = green(rule.name, if is_absent { "absent" } else { "not readable" });
        return if is_absent { found } else { found.unknown(wanted) };
    };
    let numbers: Vec<u64> = value.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // bbr paces by itself and never starts slowly after a pause (measurement M4).
    let is_bbr = host.parameters.get("net.ipv4.tcp_congestion_control").is_some_and(|name| name == "bbr");
    if rule.name == "net.ipv4.tcp_slow_start_after_idle" && is_bbr {
        return green(rule.name, format!("{value}, without effect under bbr"));
    }
    let is_good = match (&rule.test, &numbers[..]) {
        (Test::AtLeast(least), [.., last]) => last >= least,
        (Test::Is(wanted), [value]) => value == wanted,
        (Test::SpanAtLeast(least, _), [first, last]) => last.saturating_sub(*first) + 1 >= *least,
        (Test::LastOfThree(least, _), [_, _, last]) => last >= least,
        _ => return green(rule.name, value.clone()).unknown(wanted),
    };
    let found = green(rule.name, value.clone());
    if is_good { found } else { found.bad(rule.verdict, wanted, rule.why, format!("sysctl -w {}={set}", rule.name)) }
}

fn governor(host: &Host) -> Finding {
    let check = "cpu governor";
    if host.governors.is_empty() {
        return green(check, "none shown (usual on a virtual machine)").unknown("performance");
    }
    let found = green(check, host.governors.join(", "));
    if host.governors == ["performance"] {
        return found;
    }
    let why = "a core that was slowed down while idle serves its first requests slowly";
    let fix = "for g in /sys/devices/system/cpu/cpufreq/policy*/scaling_governor; do echo performance > $g; done";
    found.bad(Verdict::Yellow, "performance", why, fix)
}

fn huge_pages(host: &Host) -> Finding {
    let check = "transparent huge pages";
    match host.huge_pages.as_deref() {
        None => green(check, "not readable").unknown("madvise"),
        Some("always") => green(check, "always").bad(
            Verdict::Yellow,
            "madvise",
            "memory is given out in pieces of 2 MiB, so idle connections cost more than they hold",
            "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled",
        ),
        Some(mode) => green(check, mode),
    }
}

fn swap(host: &Host) -> Finding {
    match host.swap_used_kib {
        None => green("swap", "not readable").unknown("none in use"),
        Some(0) => green("swap", "none in use"),
        Some(used) => {
            let why = "a page of a shard that was swapped out stops every request of that shard while it is read";
            let fix = "swapoff -a, once memory is free";
            green("swap", format!("{} MiB in use", used / 1024)).bad(Verdict::Yellow, "none in use", why, fix)
        }
    }
}

fn queues(host: &Host, nic: &super::host::Nic) -> Finding {
    let check = format!("queues of {}", nic.name);
    let steering = if nic.has_rps { ", spread in software (RPS)" } else { "" };
    let found = green(&check, format!("{} receiving{steering}", nic.receive_queues));
    match host.cores_allowed {
        Some(cores) if nic.receive_queues < cores && !nic.has_rps => found.bad(
            Verdict::Yellow,
            format!("one for each of {cores} cores, or RPS"),
            "the cores that serve the queues do the packet work of all",
            format!("tuning/queues.sh --apply {}", nic.name),
        ),
        _ => found,
    }
}

fn irqbalance(host: &Host) -> Finding {
    let check = "irqbalance";
    let has_many_queues = host.nics.iter().any(|nic| nic.receive_queues > 1);
    match (host.has_irqbalance, has_many_queues) {
        (false, _) => green(check, "not running"),
        (true, false) => green(check, "running, with a single queue to move"),
        (true, true) => green(check, "running").bad(
            Verdict::Yellow,
            "not running once queues are placed",
            "it moves interrupts away from the cores whose shards wait for them",
            "systemctl disable --now irqbalance && tuning/queues.sh --apply",
        ),
    }
}

fn conntrack(host: &Host) -> Finding {
    let check = "conntrack table";
    let Some(table) = host.conntrack else { return green(check, "not loaded") };
    let found = green(check, format!("{} of {} in use", table.count, table.max));
    let wanted = format!("room, and at least {CONNTRACK_WANTED}");
    let why = "when it is full, packets of new connections are dropped";
    let fix = format!("sysctl -w net.netfilter.nf_conntrack_max={}", CONNTRACK_WANTED.max(table.max.saturating_mul(2)));
    if table.count.saturating_mul(100) > table.max.saturating_mul(CONNTRACK_PERCENT_MAX) {
        found.bad(Verdict::Red, wanted, why, fix)
    } else if table.max < CONNTRACK_WANTED {
        found.bad(Verdict::Yellow, wanted, why, fix)
    } else {
        found
    }
}

fn container(host: &Host) -> Finding {
    green("container", host.container.clone().unwrap_or_else(|| "no sign of one".to_owned()))
}
