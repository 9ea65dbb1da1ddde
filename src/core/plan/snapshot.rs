//! One version of all that is served.

use std::collections::HashMap;
use std::sync::Arc;

use crate::mapping::ContextVariable;
use crate::record::AccessLogProgram;

use super::StagePlan;

/// A dense number for a stage of this snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StageSlot(pub u32);

/// A dense number for an origin. It stays the same across snapshots while the origin is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamSlot(pub u32);

/// One version of all that is served. Never changes once made.
#[derive(Debug)]
pub struct Snapshot {
    /// Counts up with every publication.
    pub version: u64,
    /// Who is asked for by which host and path.
    pub hosts: HostTable,
    /// Stages by [`StageSlot`].
    pub stages: Box<[Arc<StagePlan>]>,
    /// Origins by [`UpstreamSlot`]; `None` for a slot that this version does not use.
    pub upstreams: Box<[Option<Arc<UpstreamPlan>>]>,
    /// Route slots in use are below this.
    pub route_slots: u32,
    /// What bounds a request.
    pub limits: Limits,
    /// The line of requests that reach no stage.
    pub access_log: AccessLogProgram<ContextVariable>,
}

const _: () = {
    const fn shared_between_cores<T: Send + Sync>() {}
    shared_between_cores::<Snapshot>();
};

/// Bounds that depend on `--limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest request body in bytes; more: 413.
    pub request_body_bytes_max: u64,
    /// Largest response body in bytes; more: 500, or an abort once the head is out.
    pub response_body_bytes_max: u64,
}

/// An origin: where requests of an HTTP integration go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UpstreamPlan {
    /// https
    pub is_tls: bool,
    /// `tlsConfig.insecureSkipVerification`
    pub any_authority: bool,
    /// Name or literal address, without brackets.
    pub host: Box<str>,
    /// Port.
    pub port: u16,
    /// What the `Host` header says: the port only where it is not the scheme's own.
    pub authority: Box<str>,
}

/// A stage under its name.
type NamedStage = (Box<[u8]>, StageSlot);

/// Which stage a request asks for.
#[derive(Debug, Default)]
pub struct HostTable {
    apis: HashMap<Box<[u8]>, Vec<NamedStage>, ahash::RandomState>,
    /// The stage that also answers on any other host, with or without its name in the path (`dev`'s FILE).
    bare: Option<NamedStage>,
}

/// Where a request goes, and where the resource path begins in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stage.
    pub stage: StageSlot,
    /// Bytes of the path before the resource path.
    pub offset: usize,
}

/// Why a request leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEntry {
    /// The API exists, the stage does not: 403 `Forbidden`.
    UnknownStage,
    /// No such API: AWS would not resolve the name.
    UnknownApi,
}

const USER_REQUEST: &[u8] = b"_user_request_";

impl HostTable {
    /// Adds a stage of an API.
    pub fn insert(&mut self, api_id: &str, stage_name: &str, stage: StageSlot) {
        self.apis.entry(api_id.as_bytes().into()).or_default().push((stage_name.as_bytes().into(), stage));
    }

    /// Lets a stage answer on every host that names no API.
    pub fn set_bare(&mut self, stage_name: &str, stage: StageSlot) {
        self.bare = Some((stage_name.as_bytes().into(), stage));
    }

    /// The stage that `host` and `path` ask for: `{apiId}.execute-api.…/{stage}/…`, then
    /// `/restapis/{apiId}/{stage}/_user_request_/…`, then the bare stage.
    ///
    /// # Errors
    /// [`NoEntry`] when nothing answers there.
    pub fn find(&self, host: &[u8], path: &[u8]) -> Result<Entry, NoEntry> {
        if let Some(api_id) = execute_api_host(host) {
            // Ids are lower case, hosts have no case (RFC 9110 section 4.2.3).
            let known = self.apis.get(api_id).or_else(|| self.apis.get(&*api_id.to_ascii_lowercase()));
            let stages = known.ok_or(NoEntry::UnknownApi)?;
            let (start, end) = segment(path, 0);
            return stage_named(stages, &path[start..end], end);
        }
        if let Some((api_id, stage_name, offset)) = user_request(path) {
            let stages = self.apis.get(api_id).ok_or(NoEntry::UnknownApi)?;
            return stage_named(stages, stage_name, offset);
        }
        let (name, stage) = self.bare.as_ref().ok_or(NoEntry::UnknownApi)?;
        let (start, end) = segment(path, 0);
        let offset = if path[start..end] == **name { end } else { 0 };
        Ok(Entry { stage: *stage, offset })
    }
}

fn stage_named(stages: &[NamedStage], name: &[u8], offset: usize) -> Result<Entry, NoEntry> {
    let found = stages.iter().find(|(known, _)| **known == *name);
    found.map(|&(_, stage)| Entry { stage, offset }).ok_or(NoEntry::UnknownStage)
}

/// The API id of a host that begins `{apiId}.execute-api.`.
fn execute_api_host(host: &[u8]) -> Option<&[u8]> {
    let dot = host.iter().position(|&byte| byte == b'.')?;
    let rest = host[dot..].get(..".execute-api.".len())?;
    rest.eq_ignore_ascii_case(b".execute-api.").then(|| &host[..dot])
}

/// The segment after the slashes at `from`, as a range.
fn segment(path: &[u8], from: usize) -> (usize, usize) {
    let start = path[from..].iter().position(|&byte| byte != b'/').map_or(path.len(), |slashes| from + slashes);
    let end = path[start..].iter().position(|&byte| byte == b'/').map_or(path.len(), |length| start + length);
    (start, end)
}

/// The parts of `/restapis/{apiId}/{stage}/_user_request_/…` and where the rest begins.
fn user_request(path: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let rest = path.strip_prefix(b"/restapis/")?;
    let base = path.len() - rest.len();
    let mut parts = rest.splitn(4, |&byte| byte == b'/');
    let (api_id, stage_name) = (parts.next()?, parts.next()?);
    (parts.next()? == USER_REQUEST).then_some(())?;
    Some((api_id, stage_name, base + api_id.len() + stage_name.len() + USER_REQUEST.len() + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> HostTable {
        let mut table = HostTable::default();
        table.insert("abc123", "dev", StageSlot(0));
        table.insert("abc123", "prod", StageSlot(1));
        table.set_bare("dev", StageSlot(0));
        table
    }

    #[test]
    fn requests_are_led_by_host_then_path_then_to_the_bare_stage() {
        let ok = |stage, offset| Ok(Entry { stage: StageSlot(stage), offset });
        let cases: &[(&str, &str, Result<Entry, NoEntry>)] = &[
            ("abc123.execute-api.localhost:8080", "/prod/pets", ok(1, 5)),
            ("abc123.execute-api.us-east-1.amazonaws.com", "/dev", ok(0, 4)),
            ("ABC.EXECUTE-API.localhost", "/dev", Err(NoEntry::UnknownApi)),
            ("ABC123.Execute-API.localhost", "/dev", ok(0, 4)),
            ("abc123.execute-api.localhost", "//prod/pets", ok(1, 6)),
            ("abc123.execute-api.localhost", "/nope/pets", Err(NoEntry::UnknownStage)),
            ("abc123.execute-api.localhost", "/", Err(NoEntry::UnknownStage)),
            ("localhost", "/restapis/abc123/prod/_user_request_/pets", ok(1, 36)),
            ("localhost", "/restapis/abc123/prod/_user_request_", ok(1, 36)),
            ("localhost", "/restapis/nope/prod/_user_request_/", Err(NoEntry::UnknownApi)),
            ("localhost", "/restapis/abc123/prod/pets", ok(0, 0)),
            ("localhost", "/dev/pets", ok(0, 4)),
            ("localhost", "/device", ok(0, 0)),
            ("localhost", "/pets", ok(0, 0)),
        ];
        for (host, path, expected) in cases {
            assert_eq!(table().find(host.as_bytes(), path.as_bytes()), *expected, "{host} {path}");
        }
    }

    #[test]
    fn without_a_bare_stage_other_hosts_lead_nowhere() {
        let mut table = HostTable::default();
        table.insert("abc123", "dev", StageSlot(0));
        assert_eq!(table.find(b"localhost", b"/dev/pets"), Err(NoEntry::UnknownApi));
    }
}
