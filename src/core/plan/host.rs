//! Which stage a request asks for, by its host and path: default endpoints, custom domains, the bare stage.
//!
//! Every look-up is a hash of a name or two, however many APIs, stages and domains there are, and allocates nothing.

use std::collections::HashMap;

use super::trie::Span;

/// Where a stage stands in its snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StageIndex(pub u32);

type Map<V> = HashMap<Box<[u8]>, V, ahash::RandomState>;

/// Which stage a request asks for.
#[derive(Debug, Default)]
pub struct HostTable {
    apis: Map<Api>,
    domains: Map<Domain>,
    /// The stage that also answers on any other host, with or without its name in the path (`dev`'s FILE).
    bare: Option<(Box<[u8]>, StageIndex)>,
}

#[derive(Debug, Default)]
struct Api {
    stages: Map<StageIndex>,
    /// `disableExecuteApiEndpoint`
    is_default_endpoint_disabled: bool,
}

/// A custom domain's base paths.
#[derive(Debug, Default)]
struct Domain {
    mappings: Map<Behind>,
    /// Lengths of base paths, longest first, where some base path has several levels; else empty.
    lengths: Box<[usize]>,
}

/// What a base path leads to.
#[derive(Clone, Debug)]
enum Behind {
    Stage(StageIndex),
    /// Any stage of this API: its name follows in the path.
    Api(Box<[u8]>),
    /// A stage that is not being served.
    Nothing,
}

/// One base path of a custom domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapping<'m> {
    /// Without slashes around it; empty for `(none)`.
    pub base_path: &'m str,
    /// The API it leads to.
    pub api_id: &'m str,
    /// The stage it leads to; `None`: the path names it behind the base path.
    pub stage: Option<&'m str>,
}

/// Where a request goes, and where the resource path begins in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The stage.
    pub stage: StageIndex,
    /// Bytes of the path before the resource path.
    pub offset: usize,
    /// Through what the request came.
    pub door: Door,
}

/// The way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// `{apiId}.execute-api.…`, `_user_request_` or a bare path.
    DefaultEndpoint,
    /// A custom domain.
    CustomDomain {
        /// The base path that matched, in the request's path.
        base_path: Span,
        /// One of the domain's base paths has several levels: request headers then have lower-case names.
        has_levels: bool,
    },
}

/// Why a request leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoEntry {
    /// The API exists, the stage does not: 403 `Forbidden`.
    UnknownStage,
    /// No such API: AWS would not resolve the name.
    UnknownApi,
    /// The API has no default endpoint (`disableExecuteApiEndpoint`): 403 `Forbidden`.
    DisabledEndpoint,
    /// The domain has no base path for this: 403 `Forbidden`.
    Unmapped,
}

const USER_REQUEST: &[u8] = b"_user_request_";
/// Longest host name (RFC 1035 section 2.3.4).
const HOST_BYTES_MAX: usize = 255;

impl HostTable {
    /// Adds a stage of an API.
    pub fn insert(&mut self, api_id: &str, stage_name: &str, stage: StageIndex) {
        self.apis.entry(api_id.as_bytes().into()).or_default().stages.insert(stage_name.as_bytes().into(), stage);
    }

    /// Closes the default endpoint of an API: all its stages answer on custom domains only.
    pub fn disable_default_endpoint(&mut self, api_id: &str) {
        self.apis.entry(api_id.as_bytes().into()).or_default().is_default_endpoint_disabled = true;
    }

    /// Lets a stage answer on every host that names no API and is no domain.
    pub fn set_bare(&mut self, stage_name: &str, stage: StageIndex) {
        self.bare = Some((stage_name.as_bytes().into(), stage));
    }

    /// Adds a custom domain: `name` in lower case, its first label may be `*`. Its stages have been inserted before.
    pub fn insert_domain(&mut self, name: &str, mappings: &[Mapping<'_>]) {
        let behind = |mapping: &Mapping<'_>| match (self.apis.get(mapping.api_id.as_bytes()), mapping.stage) {
            (None, _) => Behind::Nothing,
            (Some(_), None) => Behind::Api(mapping.api_id.as_bytes().into()),
            (Some(api), Some(stage)) => {
                api.stages.get(stage.as_bytes()).map_or(Behind::Nothing, |&at| Behind::Stage(at))
            }
        };
        let mut lengths = Vec::new();
        if mappings.iter().any(|mapping| mapping.base_path.contains('/')) {
            lengths.extend(mappings.iter().map(|mapping| mapping.base_path.len()));
            lengths.sort_unstable_by(|one, other| other.cmp(one));
            lengths.dedup();
        }
        let mappings = mappings.iter().map(|mapping| (mapping.base_path.as_bytes().into(), behind(mapping))).collect();
        self.domains.insert(name.as_bytes().into(), Domain { mappings, lengths: lengths.into() });
    }

    /// The stage that `host` and `path` ask for: `{apiId}.execute-api.…/{stage}/…`, then a custom domain's base paths,
    /// then `/restapis/{apiId}/{stage}/_user_request_/…`, then `/{stage}/…` of the API that `named`, the
    /// `x-apigw-api-id` field, names where the host names none (rest-routing-and-stages §4), then the bare stage.
    ///
    /// # Errors
    /// [`NoEntry`] when nothing answers there.
    pub fn find(&self, host: &[u8], path: &[u8], named: Option<&[u8]>) -> Result<Entry, NoEntry> {
        if let Some(label) = execute_api_label(host) {
            let api = self.api_of_label(label).or_else(|none| self.apis.get(named.ok_or(none)?).ok_or(none))?;
            return by_first_segment(api, path);
        }
        if !self.domains.is_empty()
            && let Some(domain) = self.domain(host)
        {
            return self.behind(domain, path);
        }
        if let Some((api_id, stage_name, offset)) = user_request(path) {
            return default_endpoint(self.apis.get(api_id).ok_or(NoEntry::UnknownApi)?, stage_name, offset);
        }
        if let Some(named) = named {
            return by_first_segment(self.apis.get(named).ok_or(NoEntry::UnknownApi)?, path);
        }
        let (name, stage) = self.bare.as_ref().ok_or(NoEntry::UnknownApi)?;
        let (start, end) = segment(path, 0);
        let offset = if path[start..end] == **name { end } else { 0 };
        Ok(Entry { stage: *stage, offset, door: Door::DefaultEndpoint })
    }

    /// The API that the first label of an `execute-api` host means. A private API's may be followed by its endpoint's
    /// id: `{apiId}-vpce-….execute-api.…`.
    fn api_of_label(&self, label: &[u8]) -> Result<&Api, NoEntry> {
        if let Some(api) = self.apis.get(label) {
            return Ok(api);
        }
        // Ids are lower case, hosts have no case (RFC 9110 section 4.2.3).
        let mut buffer = [0; HOST_BYTES_MAX];
        let label = in_lower_case(label, &mut buffer).ok_or(NoEntry::UnknownApi)?;
        let id = memchr::memmem::find(label, b"-vpce-").map_or(label, |dash| &label[..dash]);
        self.apis.get(id).ok_or(NoEntry::UnknownApi)
    }

    /// The custom domain of a host: its own name before a wildcard for it.
    fn domain(&self, host: &[u8]) -> Option<&Domain> {
        let mut buffer = [0; HOST_BYTES_MAX];
        let name = in_lower_case(without_port(host), &mut buffer)?;
        if let Some(domain) = self.domains.get(name) {
            return Some(domain);
        }
        let dot = memchr::memchr(b'.', name)?;
        // The byte before the dot is there: a wildcard stands for one whole label (dg/rest-api-custom-domains).
        let star = dot.checked_sub(1)?;
        buffer[star] = b'*';
        let length = without_port(host).len();
        self.domains.get(&buffer[star..length])
    }

    /// rest-routing-and-stages §7.
    fn behind(&self, domain: &Domain, path: &[u8]) -> Result<Entry, NoEntry> {
        let (start, end) = segment(path, 0);
        let (base_end, behind) = domain.longest(path, start, end).ok_or(NoEntry::Unmapped)?;
        let has_levels = !domain.lengths.is_empty();
        let door = Door::CustomDomain { base_path: Span::of(start, base_end), has_levels };
        match behind {
            Behind::Stage(stage) => Ok(Entry { stage: *stage, offset: base_end, door }),
            Behind::Api(api_id) => {
                let api = self.apis.get(api_id).ok_or(NoEntry::UnknownStage)?;
                let (start, end) = segment(path, base_end);
                let stage = *api.stages.get(&path[start..end]).ok_or(NoEntry::UnknownStage)?;
                Ok(Entry { stage, offset: end, door })
            }
            Behind::Nothing => Err(NoEntry::UnknownStage),
        }
    }
}

impl Domain {
    /// The base path that a path begins with, from `start` on, and where it ends. Where a base path has several levels,
    /// the longest that is a prefix of the text counts, also within a segment; else the first segment, which ends at
    /// `end`, must be the base path.
    fn longest(&self, path: &[u8], start: usize, end: usize) -> Option<(usize, &Behind)> {
        let text = &path[start..];
        let first_segment = [end - start, 0];
        let lengths = if self.lengths.is_empty() { &first_segment[..] } else { &self.lengths };
        lengths.iter().find_map(|&length| {
            let behind = self.mappings.get(text.get(..length)?)?;
            // `(none)` leaves the slash too.
            let base_end = if length == 0 { start.saturating_sub(1) } else { start + length };
            Some((base_end, behind))
        })
    }
}

/// A path that begins with the stage.
fn by_first_segment(api: &Api, path: &[u8]) -> Result<Entry, NoEntry> {
    let (start, end) = segment(path, 0);
    default_endpoint(api, &path[start..end], end)
}

fn default_endpoint(api: &Api, stage_name: &[u8], offset: usize) -> Result<Entry, NoEntry> {
    if api.is_default_endpoint_disabled {
        return Err(NoEntry::DisabledEndpoint);
    }
    let stage = *api.stages.get(stage_name).ok_or(NoEntry::UnknownStage)?;
    Ok(Entry { stage, offset, door: Door::DefaultEndpoint })
}

/// The first label of a host that goes on `.execute-api.`.
fn execute_api_label(host: &[u8]) -> Option<&[u8]> {
    let dot = memchr::memchr(b'.', host)?;
    let rest = host[dot..].get(..".execute-api.".len())?;
    rest.eq_ignore_ascii_case(b".execute-api.").then(|| &host[..dot])
}

/// `None` for what is longer than any host name.
fn in_lower_case<'b>(name: &[u8], buffer: &'b mut [u8; HOST_BYTES_MAX]) -> Option<&'b [u8]> {
    let lower = buffer.get_mut(..name.len())?;
    lower.copy_from_slice(name);
    lower.make_ascii_lowercase();
    Some(lower)
}

/// The name of an authority, without the dot of the root.
fn without_port(host: &[u8]) -> &[u8] {
    let name = match memchr::memrchr(b':', host) {
        Some(colon) if !host[colon..].contains(&b']') => &host[..colon],
        _ => host,
    };
    name.strip_suffix(b".").unwrap_or(name)
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
        table.insert("abc123", "dev", StageIndex(0));
        table.insert("abc123", "prod", StageIndex(1));
        table.insert("closed", "dev", StageIndex(2));
        table.disable_default_endpoint("closed");
        table.set_bare("dev", StageIndex(0));
        table
    }

    /// Stage and offset.
    type Found = Result<(u32, usize), NoEntry>;

    fn brief(found: Result<Entry, NoEntry>) -> Found {
        found.map(|entry| (entry.stage.0, entry.offset))
    }

    #[test]
    fn requests_are_led_by_host_then_path_then_to_the_bare_stage() {
        let cases: &[(&str, &str, Found)] = &[
            ("abc123.execute-api.localhost:8080", "/prod/pets", Ok((1, 5))),
            ("abc123.execute-api.us-east-1.amazonaws.com", "/dev", Ok((0, 4))),
            ("abc123-vpce-0ab1.execute-api.us-east-1.amazonaws.com", "/dev", Ok((0, 4))),
            ("ABC.EXECUTE-API.localhost", "/dev", Err(NoEntry::UnknownApi)),
            ("ABC123.Execute-API.localhost", "/dev", Ok((0, 4))),
            ("abc123.execute-api.localhost", "//prod/pets", Ok((1, 6))),
            ("abc123.execute-api.localhost", "/nope/pets", Err(NoEntry::UnknownStage)),
            ("abc123.execute-api.localhost", "/", Err(NoEntry::UnknownStage)),
            ("closed.execute-api.localhost", "/dev", Err(NoEntry::DisabledEndpoint)),
            ("closed.execute-api.localhost", "/nope", Err(NoEntry::DisabledEndpoint)),
            ("localhost", "/restapis/abc123/prod/_user_request_/pets", Ok((1, 36))),
            ("localhost", "/restapis/abc123/prod/_user_request_", Ok((1, 36))),
            ("localhost", "/restapis/nope/prod/_user_request_/", Err(NoEntry::UnknownApi)),
            ("localhost", "/restapis/closed/dev/_user_request_/", Err(NoEntry::DisabledEndpoint)),
            ("localhost", "/restapis/abc123/prod/pets", Ok((0, 0))),
            ("localhost", "/dev/pets", Ok((0, 4))),
            ("localhost", "/device", Ok((0, 0))),
            ("localhost", "/pets", Ok((0, 0))),
        ];
        for (host, path, expected) in cases {
            assert_eq!(brief(table().find(host.as_bytes(), path.as_bytes(), None)), *expected, "{host} {path}");
        }
        let endless = [b'a'; 300];
        let endless = [&endless[..], b".execute-api."].concat();
        assert_eq!(table().find(&endless, b"/dev", None), Err(NoEntry::UnknownApi));
    }

    /// R `test_create_execute_api_vpc_endpoint`: a private API through the name of its VPC endpoint.
    #[test]
    fn a_field_names_the_api_where_the_host_names_none() {
        let endpoint = "vpce-0ab1-x.execute-api.us-east-1.vpce.amazonaws.com";
        let cases: &[(&str, &str, &str, Found)] = &[
            (endpoint, "abc123", "/prod/pets", Ok((1, 5))),
            (endpoint, "abc123", "/nope/pets", Err(NoEntry::UnknownStage)),
            (endpoint, "nope", "/prod/pets", Err(NoEntry::UnknownApi)),
            (endpoint, "closed", "/dev", Err(NoEntry::DisabledEndpoint)),
            ("localhost", "abc123", "/prod/pets", Ok((1, 5))),
            ("localhost", "nope", "/dev/pets", Err(NoEntry::UnknownApi)),
            // A host that names an API is believed.
            ("closed.execute-api.localhost", "abc123", "/dev", Err(NoEntry::DisabledEndpoint)),
            ("api.example.com", "abc123", "/orders", Ok((12, 7))),
        ];
        let table = orders(&[("orders", "2")]);
        for (host, named, path, expected) in cases {
            let found = table.find(host.as_bytes(), path.as_bytes(), Some(named.as_bytes()));
            assert_eq!(brief(found), *expected, "{host} {named} {path}");
        }
    }

    #[test]
    fn without_a_bare_stage_other_hosts_lead_nowhere() {
        let mut table = HostTable::default();
        table.insert("abc123", "dev", StageIndex(0));
        assert_eq!(table.find(b"localhost", b"/dev/pets", None), Err(NoEntry::UnknownApi));
    }

    /// The example of dg/rest-api-mappings; stage `n` of the API is its number.
    fn orders(base_paths: &[(&'static str, &'static str)]) -> HostTable {
        let mut table = table();
        for stage in 0..6 {
            table.insert("shop", &stage.to_string(), StageIndex(10 + stage));
        }
        let mapping = |&(base_path, stage)| Mapping { base_path, api_id: "shop", stage: Some(stage) };
        table.insert_domain("api.example.com", &base_paths.iter().map(mapping).collect::<Vec<_>>());
        table
    }

    #[test]
    fn the_longest_base_path_wins_and_needs_no_boundary_once_one_has_several_levels() {
        let all = [
            ("", "1"),
            ("orders", "2"),
            ("orders/v1/items", "3"),
            ("orders/v2/items", "4"),
            ("orders/v1/items/categories", "5"),
        ];
        let (multiple, single) = (orders(&all), orders(&all[..2]));
        let cases = [
            ("/orders", (12, 7), (12, 7)),
            ("/orders/v1/items/123", (13, 16), (12, 7)),
            ("/orders/v1/items/categories/5", (15, 27), (12, 7)),
            ("/orders/v2/items/categories/5", (14, 16), (12, 7)),
            ("/customers", (11, 0), (11, 0)),
            ("/ordersandmore", (12, 7), (11, 0)),
            ("/Orders", (11, 0), (11, 0)),
            ("//orders/1", (12, 8), (12, 8)),
            ("/", (11, 0), (11, 0)),
        ];
        for (path, with_levels, without) in cases {
            assert_eq!(brief(multiple.find(b"api.example.com", path.as_bytes(), None)), Ok(with_levels), "{path}");
            assert_eq!(brief(single.find(b"api.example.com", path.as_bytes(), None)), Ok(without), "{path}");
        }
    }

    #[test]
    fn a_domain_is_found_by_its_own_name_then_by_a_wildcard_for_one_label() {
        let mut table = orders(&[("shop", "1")]);
        let wild = [Mapping { base_path: "", api_id: "abc123", stage: None }];
        table.insert_domain("*.example.com", &wild);
        let cases: &[(&str, &str, Found)] = &[
            ("api.example.com:8080", "/shop/x", Ok((11, 5))),
            ("API.Example.com", "/shop/x", Ok((11, 5))),
            ("api.example.com.", "/shop/x", Ok((11, 5))),
            ("api.example.com", "/other", Err(NoEntry::Unmapped)),
            ("www.example.com", "/prod/x", Ok((1, 5))),
            ("www.example.com", "/nope/x", Err(NoEntry::UnknownStage)),
            ("a.b.example.com", "/pets", Ok((0, 0))),
            ("example.com", "/pets", Ok((0, 0))),
            (".example.com", "/pets", Ok((0, 0))),
        ];
        for (host, path, expected) in cases {
            assert_eq!(brief(table.find(host.as_bytes(), path.as_bytes(), None)), *expected, "{host} {path}");
        }
    }

    #[test]
    fn a_base_path_may_lead_to_an_api_to_a_closed_one_or_to_what_is_not_there() {
        let mut table = table();
        let mapping = |base_path, api_id, stage| Mapping { base_path, api_id, stage };
        let mappings = [
            mapping("any", "abc123", None),
            mapping("closed", "closed", Some("dev")),
            mapping("gone", "abc123", Some("gone")),
            mapping("lost", "lost", None),
        ];
        table.insert_domain("d.test", &mappings);
        let cases: &[(&str, Found)] = &[
            ("/any/prod/pets", Ok((1, 9))),
            ("/any", Err(NoEntry::UnknownStage)),
            ("/closed/pets", Ok((2, 7))),
            ("/gone/pets", Err(NoEntry::UnknownStage)),
            ("/lost/dev", Err(NoEntry::UnknownStage)),
            ("/", Err(NoEntry::Unmapped)),
        ];
        for (path, expected) in cases {
            assert_eq!(brief(table.find(b"d.test", path.as_bytes(), None)), *expected, "{path}");
        }
        let found = table.find(b"d.test", b"/any/prod/pets", None).expect("it is mapped");
        let Door::CustomDomain { base_path, .. } = found.door else { panic!("{found:?}") };
        assert_eq!(base_path.of_text(b"/any/prod/pets"), b"any");
    }
}
