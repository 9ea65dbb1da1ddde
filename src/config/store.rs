//! The commands about what is stored: `backup`, `restore`, `audit`, and the store's part of `serve`.

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use ringgate_core::base::{WallTime, calendar};

use super::admin::{Admin, AdminConfig};
use super::settings::{OutputFormat, Problems, format};
use super::values::Invalid;
use super::{DevConfig, Options, Problem, ServeConfig, Settings, Slot, Written};
use crate::store::{AuditQuery, PAGE_ENTRIES_MAX, Retention};

const ENTRIES_DEFAULT: usize = 50;
/// Most entries of the trail that may be kept.
const AUDIT_ENTRIES_MAX: u64 = 100_000_000;

/// What the operator wrote about the store of `serve`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreConfig {
    /// Keep everything here; the folder is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub data: Option<Written>,
    /// How long audit entries are kept [default: 90]
    #[arg(long, value_name = "DAYS")]
    pub audit_days: Option<Written>,
    /// How many audit entries are kept [default: 100000]
    #[arg(long, value_name = "N")]
    pub audit_entries: Option<Written>,
}

/// Where the store of `serve` is, and how much of the trail it keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Its folder.
    pub data: PathBuf,
    /// What is kept of the audit trail.
    pub retention: Retention,
}

impl ServeConfig {
    /// Reports every problem at once. What only a definition file needs is as if it had not been written.
    pub fn resolve(self, cores: NonZeroU16) -> Result<(Settings, StoreSettings), Vec<Problem>> {
        let Self { run, store } = self;
        let settings = Settings::resolve(&DevConfig { run, ..DevConfig::default() }, cores);
        match (settings, StoreSettings::resolve(&store)) {
            (Ok(settings), Ok(store)) => Ok((settings, store)),
            (settings, store) => Err([settings.err(), store.err()].into_iter().flatten().flatten().collect()),
        }
    }
}

impl StoreSettings {
    /// Reports every problem at once.
    pub fn resolve(config: &StoreConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let kept = Retention::default();
        let settings = Self {
            data: required_folder(&config.data, &mut found),
            retention: Retention {
                days: found.one("audit-days", &config.audit_days, days).unwrap_or(kept.days),
                entries: found.one("audit-entries", &config.audit_entries, audit_entries).unwrap_or(kept.entries),
            },
        };
        found.into_result(settings)
    }
}

/// What the operator wrote for `backup`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct BackupConfig {
    /// The folder of a gateway, which may be serving
    #[arg(long, value_name = "DIR")]
    pub data: Option<Written>,
}

/// What `backup` will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSettings {
    /// The folder.
    pub data: PathBuf,
}

impl BackupSettings {
    /// Reports every problem at once.
    pub fn resolve(config: &BackupConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let settings = Self { data: required_folder(&config.data, &mut found) };
        found.into_result(settings)
    }
}

/// What the operator wrote for `restore`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct RestoreConfig {
    /// The folder of a gateway that is not running; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub data: Option<Written>,
    /// Give up what the folder has
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub force: Option<Written>,
}

/// What `restore` will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoreSettings {
    /// The folder.
    pub data: PathBuf,
    /// Whether what is in it is given up.
    pub is_forced: bool,
}

impl RestoreSettings {
    /// Reports every problem at once.
    pub fn resolve(config: &RestoreConfig) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let settings =
            Self { data: required_folder(&config.data, &mut found), is_forced: found.switch("force", &config.force) };
        found.into_result(settings)
    }
}

/// What the operator wrote for `audit`.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditConfig {
    /// Read from this folder, whether or not a gateway is serving from it
    #[arg(long, value_name = "DIR")]
    pub data: Option<Written>,
    /// Else the gateway that is asked.
    #[command(flatten)]
    pub admin: AdminConfig,
    /// Not before: how long ago, or when
    #[arg(long, value_name = "90m|2h|7d|DATE|TIME")]
    pub since: Option<Written>,
    /// Before: how long ago, or when
    #[arg(long, value_name = "90m|2h|7d|DATE|TIME")]
    pub until: Option<Written>,
    /// Calls of this operation, such as CreateRestApi
    #[arg(long, value_name = "NAME")]
    pub operation: Option<Written>,
    /// Calls signed with this access key
    #[arg(long, value_name = "ID")]
    pub access_key: Option<Written>,
    /// Calls about this, or what is below it, such as /restapis/abc123defg
    #[arg(long, value_name = "PATH")]
    pub resource: Option<Written>,
    /// Most entries, newest first [default: 50]
    #[arg(long, value_name = "N")]
    pub entries: Option<Written>,
    /// How entries are printed [default: human]
    #[arg(long, value_name = "human|json")]
    pub format: Option<Written>,
}

/// Where `audit` reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditSource {
    /// A folder.
    Folder(PathBuf),
    /// A running gateway.
    Gateway(Admin),
}

/// What `audit` will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditSettings {
    /// Where it reads.
    pub source: AuditSource,
    /// What it asks for, from all accounts.
    pub query: AuditQuery,
    /// How entries are printed.
    pub format: OutputFormat,
}

impl AuditSettings {
    /// Reports every problem at once. Times that were written as so long ago are counted from `now`.
    pub fn resolve(config: &AuditConfig, now: WallTime) -> Result<Self, Vec<Problem>> {
        let mut found = Problems::default();
        let moment = |text: &str| moment(text, now);
        let admin = Admin::resolve(&config.admin, &mut found);
        let settings = Self {
            source: match found.one("data", &config.data, folder) {
                Some(folder) => AuditSource::Folder(folder),
                None => AuditSource::Gateway(admin),
            },
            query: AuditQuery {
                operation: found.one("operation", &config.operation, some_text),
                access_key: found.one("access-key", &config.access_key, some_text),
                resource: found.one("resource", &config.resource, some_text),
                since: found.one("since", &config.since, moment),
                until: found.one("until", &config.until, moment),
                limit: found.one("entries", &config.entries, page_entries).unwrap_or(ENTRIES_DEFAULT),
                ..AuditQuery::default()
            },
            format: format(&config.format, &mut found),
        };
        found.into_result(settings)
    }
}

impl Options for StoreConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "data" => Slot::One(&mut self.data),
            "audit-days" => Slot::One(&mut self.audit_days),
            "audit-entries" => Slot::One(&mut self.audit_entries),
            _ => return None,
        })
    }
}

impl Options for BackupConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        match key {
            "data" => Some(Slot::One(&mut self.data)),
            _ => None,
        }
    }
}

impl Options for RestoreConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "data" => Slot::One(&mut self.data),
            "force" => Slot::One(&mut self.force),
            _ => return None,
        })
    }
}

impl Options for AuditConfig {
    fn slot(&mut self, key: &str) -> Option<Slot<'_>> {
        Some(match key {
            "data" => Slot::One(&mut self.data),
            "since" => Slot::One(&mut self.since),
            "until" => Slot::One(&mut self.until),
            "operation" => Slot::One(&mut self.operation),
            "access-key" => Slot::One(&mut self.access_key),
            "resource" => Slot::One(&mut self.resource),
            "entries" => Slot::One(&mut self.entries),
            "format" => Slot::One(&mut self.format),
            _ => return self.admin.slot(key),
        })
    }
}

fn required_folder(written: &Option<Written>, found: &mut Problems) -> PathBuf {
    if written.is_none() {
        found.push("--data".to_owned(), "is required", "name the folder that keeps everything, such as --data ./data");
    }
    found.one("data", written, folder).unwrap_or_default()
}

fn folder(text: &str) -> Result<PathBuf, Invalid> {
    if text.is_empty() { Err(Invalid("expected a folder".to_owned())) } else { Ok(PathBuf::from(text)) }
}

fn some_text(text: &str) -> Result<String, Invalid> {
    if text.is_empty() { Err(Invalid("is empty".to_owned())) } else { Ok(text.to_owned()) }
}

fn days(text: &str) -> Result<u32, Invalid> {
    let days = text.parse().ok().filter(|days| (1..=36_500).contains(days));
    days.ok_or_else(|| Invalid(format!("expected 1 to 36500 days, not `{text}`")))
}

fn audit_entries(text: &str) -> Result<u64, Invalid> {
    let entries = text.parse().ok().filter(|entries| (1..=AUDIT_ENTRIES_MAX).contains(entries));
    entries.ok_or_else(|| Invalid(format!("expected 1 to {AUDIT_ENTRIES_MAX}, not `{text}`")))
}

fn page_entries(text: &str) -> Result<usize, Invalid> {
    let entries = text.parse().ok().filter(|entries| (1..=PAGE_ENTRIES_MAX).contains(entries));
    entries.ok_or_else(|| Invalid(format!("expected 1 to {PAGE_ENTRIES_MAX}, not `{text}`")))
}

/// `7d` before `now`, or a date or time of RFC 3339.
fn moment(text: &str, now: WallTime) -> Result<WallTime, Invalid> {
    if let Some(time) = calendar::from_rfc3339(text) {
        return Ok(time);
    }
    let ago = text.char_indices().last().and_then(|(end, unit)| {
        let seconds = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)].iter().find(|(name, _)| *name == unit)?.1;
        Some(Duration::from_secs(text[..end].parse::<u32>().ok()?.into()) * seconds)
    });
    let millis = ago.map(|ago| now.as_millis().saturating_sub(u64::try_from(ago.as_millis()).unwrap_or(u64::MAX)));
    millis
        .map(WallTime::from_millis)
        .ok_or_else(|| Invalid(format!("expected 90m, 2h, 7d, 2026-11-21 or 2026-11-21T07:00:00Z, not `{text}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_counted_from_now_or_named() {
        let now = WallTime::from_millis(10 * 86_400_000);
        let rows = [("0s", 10 * 86_400_000), ("90m", 858_600_000), ("1d", 9 * 86_400_000), ("400d", 0)];
        for (text, millis) in rows.into_iter().chain([("1970-01-02", 86_400_000), ("1970-01-01T00:00:01Z", 1_000)]) {
            assert_eq!(moment(text, now), Ok(WallTime::from_millis(millis)), "{text}");
        }
        for text in ["", "d", "-1d", "1", "1w", "1.5h", "99999999999d", "yesterday", "1€", "2026-02-30"] {
            assert!(moment(text, now).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_missing_or_out_of_range_is_told_at_once() {
        let written = |text: &str| text.parse::<Written>().ok();
        let config = StoreConfig { data: None, audit_days: written("0"), audit_entries: written("many") };
        let found = StoreSettings::resolve(&config).expect_err("three problems");
        let subjects: Vec<_> = found.iter().map(|problem| problem.subject.as_str()).collect();
        assert_eq!(subjects, ["--data", "--audit-days", "--audit-entries"]);
        let config = StoreConfig { data: written("d"), audit_entries: written("7"), ..Default::default() };
        let settings = StoreSettings::resolve(&config).expect("nothing wrong");
        assert_eq!((settings.retention.days, settings.retention.entries), (90, 7));
    }
}
