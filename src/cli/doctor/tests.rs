use std::fs;
use std::path::PathBuf;

use super::host::{Conntrack, Limit, Nic, PARAMETERS};
use super::*;

/// A host on which everything is green.
fn healthy() -> Host {
    let values = [
        "0",
        "4096",
        "4096",
        "212992",
        "212992",
        "4096",
        "10240 65535",
        "1",
        "1 2 6291456",
        "1 2 4194304",
        "0",
        "cubic",
        "1",
    ];
    Host {
        ring: RingSupport::Deferred,
        kernel: Some((6, 1)),
        parameters: PARAMETERS.into_iter().zip(values.map(str::to_owned)).collect(),
        open_files: Some(Limit { soft: Some(65_536), hard: None }),
        cores_online: Some(4),
        cores_allowed: Some(4),
        quota_millicores: Some(4000),
        governors: vec!["performance".to_owned()],
        huge_pages: Some("madvise".to_owned()),
        swap_used_kib: Some(0),
        nics: vec![Nic { name: "eth0".to_owned(), receive_queues: 4, has_rps: false }],
        has_irqbalance: false,
        conntrack: Some(Conntrack { count: 10, max: 262_144 }),
        container: None,
    }
}

#[test]
fn a_healthy_host_is_all_green() {
    let findings = examine(&healthy());
    assert!(findings.len() > 15);
    for finding in findings {
        assert_eq!(finding.verdict, Verdict::Green, "{finding:?}");
        assert_eq!(finding.fix, None);
    }
}

/// What breaks a healthy host, the check that finds it, how bad it is, and a part of the fix.
type Fault = (fn(&mut Host), &'static str, Verdict, &'static str);

fn set(host: &mut Host, name: &'static str, value: &str) {
    host.parameters.insert(name, value.to_owned());
}

const FAULTS: &[Fault] = &[
    (|h| h.ring = RingSupport::Plain, "io_uring", Verdict::Yellow, "linux-image"),
    (|h| h.ring = RingSupport::Refused("EPERM".into()), "io_uring", Verdict::Red, "CONFIG_IO_URING"),
    (|h| h.kernel = Some((5, 10)), "kernel", Verdict::Yellow, "linux-image"),
    (|h| h.kernel = Some((4, 19)), "kernel", Verdict::Red, "linux-image"),
    (
        |h| h.open_files = Some(Limit { soft: Some(1024), hard: None }),
        "open files (RLIMIT_NOFILE)",
        Verdict::Red,
        "ulimit -n 65536",
    ),
    (
        |h| h.open_files = Some(Limit { soft: Some(1024), hard: Some(4096) }),
        "open files (RLIMIT_NOFILE)",
        Verdict::Red,
        "LimitNOFILE",
    ),
    (|h| h.quota_millicores = Some(1500), "cpu quota", Verdict::Red, "--shards 1"),
    (|h| h.quota_millicores = Some(300), "cpu quota", Verdict::Red, "--shards 1"),
    (|h| set(h, "net.core.somaxconn", "128"), "net.core.somaxconn", Verdict::Red, "sysctl -w net.core.somaxconn=4096"),
    (
        |h| set(h, "net.ipv4.ip_local_port_range", "32768 60999"),
        "net.ipv4.ip_local_port_range",
        Verdict::Yellow,
        "sysctl -w net.ipv4.ip_local_port_range=\"15000 64999\"",
    ),
    (
        |h| set(h, "net.ipv4.tcp_tw_reuse", "2"),
        "net.ipv4.tcp_tw_reuse",
        Verdict::Yellow,
        "sysctl -w net.ipv4.tcp_tw_reuse=1",
    ),
    (
        |h| set(h, "net.ipv4.tcp_rmem", "4096 131072 1048576"),
        "net.ipv4.tcp_rmem",
        Verdict::Yellow,
        "sysctl -w net.ipv4.tcp_rmem=\"4096 131072 6291456\"",
    ),
    (
        |h| set(h, "net.ipv4.tcp_slow_start_after_idle", "1"),
        "net.ipv4.tcp_slow_start_after_idle",
        Verdict::Yellow,
        "=0",
    ),
    (
        |h| set(h, "kernel.io_uring_disabled", "2"),
        "kernel.io_uring_disabled",
        Verdict::Red,
        "sysctl -w kernel.io_uring_disabled=0",
    ),
    (|h| h.governors = vec!["powersave".into()], "cpu governor", Verdict::Yellow, "echo performance"),
    (|h| h.huge_pages = Some("always".into()), "transparent huge pages", Verdict::Yellow, "echo madvise"),
    (|h| h.swap_used_kib = Some(2048), "swap", Verdict::Yellow, "swapoff"),
    (|h| h.nics[0].receive_queues = 1, "queues of eth0", Verdict::Yellow, "tuning/queues.sh --apply eth0"),
    (|h| h.has_irqbalance = true, "irqbalance", Verdict::Yellow, "systemctl disable"),
    (
        |h| h.conntrack = Some(Conntrack { count: 250_000, max: 262_144 }),
        "conntrack table",
        Verdict::Red,
        "nf_conntrack_max=524288",
    ),
    (
        |h| h.conntrack = Some(Conntrack { count: 1, max: 65_536 }),
        "conntrack table",
        Verdict::Yellow,
        "nf_conntrack_max=262144",
    ),
];

#[test]
fn each_fault_is_found_alone_with_the_command_that_fixes_it() {
    for (break_it, check, verdict, fix) in FAULTS {
        let mut host = healthy();
        break_it(&mut host);
        let wrong: Vec<_> = examine(&host).into_iter().filter(|finding| finding.verdict != Verdict::Green).collect();
        assert_eq!(wrong.len(), 1, "{check}: {wrong:?}");
        assert_eq!((wrong[0].check.as_str(), wrong[0].verdict), (*check, *verdict), "{wrong:?}");
        assert!(wrong[0].fix.as_ref().is_some_and(|found| found.contains(fix)), "{check}: {wrong:?}");
        assert!(!wrong[0].why.is_empty() && !wrong[0].wanted.is_empty());
    }
}

#[test]
fn the_fix_for_a_refused_ring_fits_the_gate_that_is_shut() {
    let fix = |change: fn(&mut Host)| {
        let mut host = Host { ring: RingSupport::Refused("EPERM".into()), ..healthy() };
        change(&mut host);
        examine(&host)[0].fix.clone().unwrap()
    };
    assert!(fix(|host| host.container = Some("Docker".into())).contains("seccomp"));
    let switch = |host: &mut Host| drop(host.parameters.insert("kernel.io_uring_disabled", "2".into()));
    assert!(fix(switch).starts_with("sysctl"));
}

#[test]
fn a_slow_start_after_idle_does_not_matter_under_bbr() {
    let mut host = healthy();
    host.parameters.insert("net.ipv4.tcp_slow_start_after_idle", "1".to_owned());
    host.parameters.insert("net.ipv4.tcp_congestion_control", "bbr".to_owned());
    assert!(examine(&host).iter().all(|finding| finding.verdict == Verdict::Green));
}

#[test]
fn rps_makes_up_for_missing_queues() {
    let mut host = healthy();
    host.nics[0] = Nic { name: "eth0".to_owned(), receive_queues: 1, has_rps: true };
    assert!(examine(&host).iter().all(|finding| finding.verdict == Verdict::Green));
}

#[test]
fn a_parameter_that_is_no_number_is_unknown_and_not_green() {
    let mut host = healthy();
    host.parameters.insert("net.core.somaxconn", "many".to_owned());
    let finding = examine(&host).into_iter().find(|finding| finding.check == "net.core.somaxconn").unwrap();
    assert_eq!(finding.verdict, Verdict::Unknown);
}

/// A made-up machine in a folder.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("ringgate-doctor-{}-{name}", std::process::id()));
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::create_dir_all(&root).unwrap();
        Self(root)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const LIMITS: &str = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max cpu time              unlimited            unlimited            seconds   \n\
                      Max open files            1024                 unlimited            files     \n";

#[test]
fn a_machine_is_read_from_its_files() {
    let machine = Machine::new(
        "full",
        &[
            ("proc/sys/kernel/osrelease", "6.1.0-18-amd64\n"),
            ("proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n"),
            ("proc/self/limits", LIMITS),
            ("proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-1,4\n"),
            ("proc/self/cgroup", "0::/a/b\n"),
            ("proc/1/cgroup", "0::/kubepods/x\n"),
            ("proc/77/comm", "irqbalance\n"),
            ("proc/swaps", "Filename Type Size Used Priority\n/dev/x partition 100 30 -2\n/y file 9 3 -3\n"),
            ("proc/sys/net/netfilter/nf_conntrack_count", "5\n"),
            ("proc/sys/net/netfilter/nf_conntrack_max", "100\n"),
            ("sys/devices/system/cpu/online", "0-7\n"),
            ("sys/devices/system/cpu/cpufreq/policy0/scaling_governor", "powersave\n"),
            ("sys/devices/system/cpu/cpufreq/policy1/scaling_governor", "powersave\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
            ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n"),
            ("sys/class/net/eth0/device/vendor", "0x1af4\n"),
            ("sys/class/net/eth0/queues/rx-0/rps_cpus", "00000000,00000003\n"),
            ("sys/class/net/eth0/queues/rx-1/rps_cpus", "0\n"),
            ("sys/class/net/eth0/queues/tx-0/xps_cpus", "0\n"),
            ("sys/class/net/lo/queues/rx-0/rps_cpus", "0\n"),
        ],
    );
    let host = Host::read(&machine.0, RingSupport::Plain);
    let expected = Host {
        ring: RingSupport::Plain,
        kernel: Some((6, 1)),
        parameters: [("net.ipv4.ip_local_port_range", "32768 60999".to_owned())].into(),
        open_files: Some(Limit { soft: Some(1024), hard: None }),
        cores_online: Some(8),
        cores_allowed: Some(3),
        quota_millicores: Some(1500),
        governors: vec!["powersave".to_owned()],
        huge_pages: Some("madvise".to_owned()),
        swap_used_kib: Some(33),
        nics: vec![Nic { name: "eth0".to_owned(), receive_queues: 2, has_rps: true }],
        has_irqbalance: true,
        conntrack: Some(Conntrack { count: 5, max: 100 }),
        container: Some("kubepods (/proc/1/cgroup)".to_owned()),
    };
    assert_eq!(host, expected);
}

#[test]
fn the_quota_of_the_older_cgroups_is_read_too() {
    let machine = Machine::new(
        "v1",
        &[
            ("proc/self/cgroup", "3:cpu,cpuacct:/x\n0::/\n"),
            ("sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "50000\n"),
            ("sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
        ],
    );
    assert_eq!(Host::read(&machine.0, RingSupport::Plain).quota_millicores, Some(500));
}

#[test]
fn a_machine_that_shows_nothing_is_unknown_and_not_red() {
    let machine = Machine::new("empty", &[]);
    let mut out = Vec::new();
    let settings = DoctorSettings { format: OutputFormat::Human };
    assert_eq!(run(settings, &machine.0, || RingSupport::Deferred, &mut out).unwrap(), 0);
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("0 yellow, 0 red") && !text.contains("0 not readable"), "{text}");
}

#[test]
fn something_red_makes_the_exit_code_one_in_both_formats() {
    let machine = Machine::new("red", &[("proc/sys/net/core/somaxconn", "128\n")]);
    for format in [OutputFormat::Human, OutputFormat::Json] {
        let mut out = Vec::new();
        assert_eq!(run(DoctorSettings { format }, &machine.0, || RingSupport::Deferred, &mut out).unwrap(), 1);
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("sysctl -w net.core.somaxconn=4096"), "{text}");
        if format == OutputFormat::Json {
            let value: serde_json::Value = serde_json::from_str(&text).unwrap();
            let red = value["findings"].as_array().unwrap().iter().find(|finding| finding["verdict"] == "red").unwrap();
            assert_eq!(red["check"], "net.core.somaxconn");
        }
    }
}

#[test]
fn this_very_host_can_be_read() {
    let host = Host::read(Path::new("/"), RingSupport::Deferred);
    assert!(host.kernel.is_some() && host.cores_allowed.is_some() && host.open_files.is_some(), "{host:?}");
}
