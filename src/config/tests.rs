use std::collections::BTreeMap;

use super::settings::{ApiKind, ClientAddress, FailsOn, LimitSet, LogTarget, OutputFormat};
use super::*;

#[derive(Default)]
struct Imagined {
    variables: BTreeMap<&'static str, &'static str>,
    files: BTreeMap<&'static str, &'static str>,
}

impl Surroundings for Imagined {
    fn variable(&self, name: &str) -> Option<OsString> {
        self.variables.get(name).map(OsString::from)
    }

    fn read(&self, path: &Path) -> io::Result<String> {
        let text = self.files.get(path.to_str().unwrap_or_default());
        text.map(|text| (*text).to_owned()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn imagined(variables: &[(&'static str, &'static str)], file: &'static str) -> Imagined {
    Imagined { variables: variables.iter().copied().collect(), files: BTreeMap::from([(DEFAULT_FILE, file)]) }
}

fn call(line: &str, around: &Imagined) -> Result<Call, Refusal> {
    read(std::iter::once("ringgate").chain(line.split_whitespace()).map(OsString::from), around)
}

fn dev(line: &str, around: &Imagined) -> DevConfig {
    match call(line, around) {
        Ok(Call::Dev { config, .. }) => config,
        other => panic!("{line}: {other:?}"),
    }
}

fn problems(line: &str, around: &Imagined) -> Vec<String> {
    let found = match call(line, around) {
        Err(Refusal::Problems(found)) => found,
        Ok(Call::Dev { config, .. }) => Settings::resolve(&config, NonZeroU16::MIN).expect_err(line),
        other => panic!("{line}: {other:?}"),
    };
    found.iter().map(ToString::to_string).collect()
}

fn resolved(line: &str) -> Settings {
    Settings::resolve(&dev(line, &Imagined::default()), NonZeroU16::new(3).unwrap()).expect(line)
}

#[test]
fn a_flag_beats_a_variable_and_a_variable_beats_the_file() {
    let variable = [("RINGGATE_SHARDS", "2"), ("RINGGATE_LISTEN", "127.0.0.1:2 127.0.0.1:3")];
    let file = "shards: 3\nlisten: [127.0.0.1:4]\n";
    let cases = [
        ("dev --shards 1 --listen 127.0.0.1:1", &variable[..], file, "1", vec!["127.0.0.1:1"]),
        ("dev --shards 1", &variable[..], file, "1", vec!["127.0.0.1:2", "127.0.0.1:3"]),
        ("dev", &variable[..], file, "2", vec!["127.0.0.1:2", "127.0.0.1:3"]),
        ("dev", &variable[..1], file, "2", vec!["127.0.0.1:4"]),
        ("dev", &[], file, "3", vec!["127.0.0.1:4"]),
        ("dev", &[("RINGGATE_SHARDS", "")], file, "3", vec!["127.0.0.1:4"]),
    ];
    for (line, variables, file, shards, listen) in cases {
        let config = dev(line, &imagined(variables, file));
        assert_eq!(config.run.shards.unwrap().text, shards, "{line} {variables:?}");
        assert_eq!(
            config.run.listen.iter().map(|w| w.text.as_str()).collect::<Vec<_>>(),
            listen,
            "{line} {variables:?}"
        );
    }
}

#[test]
fn every_option_can_be_set_in_all_three_ways() {
    let flags = |name: &str| {
        let line = CommandLine::command();
        let command = line.find_subcommand(name).expect("a command");
        let named = command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned));
        named.filter(|key| key != "config").collect::<Vec<_>>()
    };
    assert!(flags("dev").iter().all(|key| DevConfig::default().slot(key).is_some()));
    assert!(flags("serve").iter().all(|key| ServeConfig::default().slot(key).is_some()));
    assert!(flags("check").iter().all(|key| CheckConfig::default().slot(key).is_some()));
    assert!(flags("doctor").iter().all(|key| DoctorConfig::default().slot(key).is_some()));
    assert!(flags("backup").iter().all(|key| BackupConfig::default().slot(key).is_some()));
    assert!(flags("restore").iter().all(|key| RestoreConfig::default().slot(key).is_some()));
    assert!(flags("audit").iter().all(|key| AuditConfig::default().slot(key).is_some()));
    assert!(
        flags("explain").iter().filter(|key| *key != "log").all(|key| ExplainConfig::default().slot(key).is_some())
    );
    assert!(flags("deploy").iter().all(|key| DeployConfig::default().slot(key).is_some()));
}

#[test]
fn an_id_may_begin_with_a_hyphen() {
    let line = CommandLine::try_parse_from(["ringgate", "explain", "--last", "2", "-wxGaHK2IAMF4wQ="]).expect("a call");
    let Command::Explain { id, config, .. } = line.command else { panic!("another command") };
    assert_eq!((id.as_deref(), config.last.is_some()), (Some("-wxGaHK2IAMF4wQ="), true));
}

#[test]
fn defaults_are_those_of_the_conventions() {
    let settings = resolved("dev");
    assert_eq!(settings.listen, ["127.0.0.1:8080".parse().unwrap()]);
    assert_eq!(settings.admin.address.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.shards.get(), 3);
    assert_eq!((settings.log, settings.log_format), (LogTarget::Stdout, None));
    assert_eq!(settings.stage.account, "000000000000");
    assert_eq!((settings.stage.region.as_str(), settings.stage.stage.as_str()), ("us-east-1", "dev"));
    assert_eq!((settings.limits, settings.kind), (LimitSet::Aws, None));
    assert_eq!(settings.client_address, ClientAddress::Socket);
    assert_eq!(settings.deadlines.idle.as_secs(), 310);
}

#[test]
fn switches_need_no_value_and_take_one() {
    use super::settings::Authorization::{Enforced, Ignored};
    let cases =
        [("dev", Enforced), ("dev --ignore-authorization", Ignored), ("dev --ignore-authorization=false", Enforced)];
    for (line, expected) in cases {
        assert_eq!(resolved(line).authorization, expected, "{line}");
    }
    // The word after a switch is the FILE, not its value.
    let Ok(Call::Dev { file, .. }) = call("dev --ignore-authorization api.yaml", &Imagined::default()) else {
        panic!()
    };
    assert_eq!(file, Some(PathBuf::from("api.yaml")));
}

#[test]
fn every_problem_is_reported_at_once() {
    let around =
        imagined(&[("RINGGATE_MEMORY_MAX", "1M")], "head-timeout: 10\nvar: {a-b: x}\nupstream: {http://a: b}\n");
    let line = "dev --shards 0 --listen 8080 --stage a/b --account 1 --driver kqueue --log-format= --redact a,b";
    let found = problems(line, &around);
    let expected = [
        "--listen: expected ADDR:PORT",
        "--shards: expected 1 to 1024, not `0`",
        "--log-format: is empty",
        "--account: expected twelve digits",
        "--stage: a stage's name",
        "ringgate.yaml:2:7: var: `a-b`",
        "ringgate.yaml:3:12: upstream: expected http://",
        "--redact: expected the name",
        "RINGGATE_MEMORY_MAX: `1M` is ambiguous",
        "ringgate.yaml:1:15: head-timeout: `10` has no unit",
        "--driver: expected auto or io_uring or epoll, not `kqueue`",
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} <> {expected}");
    }
}

#[test]
fn an_unknown_key_is_an_error_with_its_place_and_the_likely_one() {
    let found = problems("dev", &imagined(&[], "shards: 1\n  \nlistn: x\nadmin_name: y\ncolour: red\nstrict: true\n"));
    assert_eq!(found.len(), 3, "{found:#?}");
    assert_eq!(found[0], "ringgate.yaml:3:1: listn: there is no such key (fix: write `listen`)");
    assert_eq!(found[1], "ringgate.yaml:4:1: admin_name: there is no such key (fix: write `admin-name`)");
    assert!(found[2].starts_with("ringgate.yaml:5:1: colour: there is no such key (fix: see"));
}

#[test]
fn the_file_must_exist_when_it_was_named_and_need_not_otherwise() {
    assert_eq!(dev("dev", &Imagined::default()), DevConfig::default());
    assert!(
        problems("dev --config other.yaml", &Imagined::default())[0].starts_with("--config: cannot read other.yaml")
    );
    let named = Imagined { variables: [("RINGGATE_CONFIG", "o.yaml")].into(), files: [("o.yaml", "shards: 9")].into() };
    assert_eq!(dev("dev", &named).run.shards.unwrap().text, "9");
}

#[test]
fn shapes_that_do_not_fit_the_key_are_refused() {
    let found = problems("dev", &imagined(&[], "shards: [1, 2]\nlisten: {a: b}\n"));
    assert_eq!(
        found,
        [
            "ringgate.yaml:1:1: shards: takes one value, not a list",
            "ringgate.yaml:2:1: listen: takes values, not names with values",
        ]
    );
    assert_eq!(problems("dev", &imagined(&[], "a: &b 1"))[0], "ringgate.yaml:1:4: anchors are not supported here");
}

#[test]
fn the_surfaces_never_share_a_socket() {
    let cases = [
        ("dev --listen 0.0.0.0:8081", "--admin: 127.0.0.1:8081 is also where requests"),
        ("dev --metrics 127.0.0.1:8080", "--metrics: 127.0.0.1:8080 is also where requests"),
        ("dev --metrics 127.0.0.1:8081", "--metrics: is the admin listener's own"),
        ("dev --listen 127.0.0.1:1 --listen 0.0.0.0:1", "--listen: 0.0.0.0:1 is already listened on"),
        ("dev --listen unix:/a --listen unix:/a", "--listen: unix:/a is already listened on"),
    ];
    for (line, expected) in cases {
        let found = problems(line, &Imagined::default());
        assert!(found.len() == 1 && found[0].starts_with(expected), "{line}: {found:?}");
    }
}

#[test]
fn an_admin_listener_that_others_can_reach_is_refused_without_credentials() {
    let found = problems("dev --admin 0.0.0.0:9000", &Imagined::default());
    assert!(found[0].contains("reachable from other machines") && found[0].ends_with("or write 127.0.0.1:9000)"));
    let protected = resolved("dev --admin 10.0.0.1:9000 --admin-credentials f").admin;
    assert_eq!(protected.credentials, Some(PathBuf::from("f")));
    assert_eq!(resolved("dev --admin [::1]:9000").admin.address.port(), 9000);
}

#[test]
fn a_client_address_is_believed_only_from_named_peers() {
    let networks = |settings: &Settings| match &settings.client_address {
        ClientAddress::ForwardedFor(networks) | ClientAddress::ProxyProtocol(networks) => networks.len(),
        ClientAddress::Socket => 0,
    };
    let forwarded = resolved("dev --trusted-proxies 10.0.0.0/8,192.0.2.1 --trusted-proxies ::1");
    assert_eq!(networks(&forwarded), 3);
    let proxied = resolved("dev --proxy-protocol --trusted-proxies 10.0.0.0/8");
    assert!(matches!(proxied.client_address, ClientAddress::ProxyProtocol(_)));
    assert!(problems("dev --proxy-protocol", &Imagined::default())[0].contains("without --trusted-proxies"));
}

#[test]
fn what_is_given_twice_and_can_mean_only_one_thing_is_refused() {
    assert!(problems("dev --var a=1 --var a=2", &Imagined::default())[0].contains("given twice"));
    let twice = "dev --upstream http://a=http://b --upstream http://A:80=http://c";
    assert!(problems(twice, &Imagined::default())[0].contains("already sent elsewhere"));
    let Err(Refusal::Usage(text)) = call("dev --shards 1 --shards 2", &Imagined::default()) else { panic!() };
    assert!(text.contains("--shards"));
}

#[test]
fn check_and_doctor_read_their_options_from_the_same_places() {
    let around = imagined(&[("RINGGATE_FORMAT", "json")], "strict: true\nshards: 2\n");
    let Ok(Call::Check { file, config }) = call("check api.yaml --kind http", &around) else { panic!() };
    let settings = CheckSettings::resolve(&config).unwrap();
    assert_eq!(file, PathBuf::from("api.yaml"));
    assert_eq!(
        (settings.format, settings.kind, settings.fails_on),
        (OutputFormat::Json, Some(ApiKind::Http), FailsOn::Warnings)
    );
    let Ok(Call::Doctor { config }) = call("doctor", &around) else { panic!() };
    assert_eq!(DoctorSettings::resolve(&config).unwrap().format, OutputFormat::Json);
}

#[test]
fn help_is_an_answer_and_a_wrong_flag_is_not() {
    for line in ["--help", "--version", "dev --help", "help check"] {
        assert!(matches!(call(line, &Imagined::default()), Err(Refusal::Asked(_))), "{line}");
    }
    for line in ["", "frobnicate", "dev --nonsense", "serve --stage x", "check", "dev a b", "dev --shards"] {
        assert!(matches!(call(line, &Imagined::default()), Err(Refusal::Usage(_))), "{line}");
    }
}

#[test]
fn serve_says_all_that_is_wrong_and_leaves_alone_what_only_dev_reads() {
    let around = imagined(&[("RINGGATE_STAGE", "no/stage")], "backend: nowhere\n");
    let Ok(Call::Serve { config }) = call("serve --shards 0", &around) else { panic!() };
    let found: Vec<_> = config.resolve(NonZeroU16::MIN).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("--shards") && found[1].contains("--data"), "{found:?}");
    let Ok(Call::Serve { config }) = call("serve --data d", &around) else { panic!() };
    let (settings, store) = config.resolve(NonZeroU16::MIN).unwrap();
    assert_eq!((settings.stage.stage.as_str(), store.data.to_str()), ("dev", Some("d")));
}

#[test]
fn a_dash_is_a_log_target() {
    assert_eq!(resolved("dev --log -").log, LogTarget::Stdout);
    assert_eq!(resolved("dev --log off").log, LogTarget::Off);
    assert_eq!(resolved("dev --log a.log").log, LogTarget::File("a.log".into()));
}
