//! What templates set: parameters of the integration request, headers and status of the response
//! (rest-mapping-templates §10).

use super::Message;
use super::host::MessageHost;
use crate::vtl::{Exceeded, Machine, MapId, MapKind, Memory, Value};

/// What an override replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OverrideTarget {
    /// `$context.requestOverride.header.…`
    RequestHeader,
    /// `$context.requestOverride.path.…`
    RequestPath,
    /// `$context.requestOverride.querystring.…`
    RequestQuery,
    /// `$context.responseOverride.header.…`
    ResponseHeader,
    /// `$context.responseOverride.status`, and whatever else is set there, which is kept for the next template.
    Response,
}

impl OverrideTarget {
    const ALL: [Self; 5] =
        [Self::RequestPath, Self::RequestHeader, Self::RequestQuery, Self::ResponseHeader, Self::Response];

    /// The map in which it is set: the side's, or one in it.
    fn map_name(self) -> Option<&'static str> {
        match self {
            Self::RequestPath => Some("path"),
            Self::RequestHeader | Self::ResponseHeader => Some("header"),
            Self::RequestQuery => Some("querystring"),
            Self::Response => None,
        }
    }

    fn is_request(self) -> bool {
        !matches!(self, Self::ResponseHeader | Self::Response)
    }
}

/// One parameter, header or status that a template set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// What it replaces.
    pub target: OverrideTarget,
    /// The name of the parameter or header; `status`.
    pub name: Box<str>,
    /// Its values; more than one when the template gave a list.
    pub values: Vec<Box<str>>,
}

/// What the templates of one exchange have set, each name once and in the order in which they were set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    set: Vec<Override>,
}

impl Overrides {
    /// Everything that is set for one target.
    pub fn of(&self, target: OverrideTarget) -> impl Iterator<Item = &Override> {
        self.set.iter().filter(move |found| found.target == target)
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// `$context.responseOverride.status`, if it is an integer from 100 to 599; others have no effect.
    pub fn status(&self) -> Option<u16> {
        let set = self.of(OverrideTarget::Response).find(|found| &*found.name == "status")?;
        set.values.first()?.parse().ok().filter(|status| (100..600).contains(status))
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.set.clear();
    }
}

/// The maps that a template sees as `$context.requestOverride` or `$context.responseOverride`.
pub(super) fn maps(set: &Overrides, is_request: bool, memory: &mut Memory) -> Result<MapId, Exceeded> {
    let side = memory.map(MapKind::Silent)?;
    for target in OverrideTarget::ALL.into_iter().filter(|target| target.is_request() == is_request) {
        let map = match target.map_name() {
            Some(name) => {
                let map = memory.map(MapKind::Silent)?;
                let key = memory.text(name)?;
                memory.append(side, key, Value::Map(map))?;
                map
            }
            None => side,
        };
        for found in set.of(target) {
            let key = memory.text(&found.name)?;
            let value = value_of(&found.values, memory)?;
            memory.append(map, key, value)?;
        }
    }
    Ok(side)
}

fn value_of(values: &[Box<str>], memory: &mut Memory) -> Result<Value, Exceeded> {
    match values {
        [value] => memory.text(value),
        values => {
            let values = values.iter().map(|value| memory.text(value)).collect::<Result<Vec<_>, _>>()?;
            memory.list(crate::vtl::ListKind::List, &values)
        }
    }
}

impl<M: Message> MessageHost<'_, M> {
    /// What is set now that the template has run; `None` when it did not touch overrides.
    pub(super) fn overrides_set(&mut self, machine: &Machine) -> Option<Overrides> {
        if self.request_override.is_none() && self.response_override.is_none() {
            return None;
        }
        let mut all = Overrides::default();
        for (side, is_request) in [(self.request_override, true), (self.response_override, false)] {
            match side {
                Some(side) => self.read_side(machine, side, is_request, &mut all),
                None => {
                    let kept = self.overrides.set.iter().filter(|found| found.target.is_request() == is_request);
                    all.set.extend(kept.cloned());
                }
            }
        }
        Some(all)
    }

    fn read_side(&mut self, machine: &Machine, side: MapId, is_request: bool, all: &mut Overrides) {
        for &(key, value) in machine.memory().map_entries(side) {
            let name = self.text(machine, key);
            let of_map = |target: &OverrideTarget| {
                target.is_request() == is_request && target.map_name().is_some_and(|map| *map == *name)
            };
            match (OverrideTarget::ALL.into_iter().find(of_map), value) {
                (Some(target), Value::Map(map)) => {
                    for &(key, value) in machine.memory().map_entries(map) {
                        let name = self.text(machine, key);
                        all.set.push(Override { target, name, values: self.texts(machine, value) });
                    }
                }
                (None, value) if !is_request => {
                    let values = self.texts(machine, value);
                    all.set.push(Override { target: OverrideTarget::Response, name, values });
                }
                _ => {}
            }
        }
    }

    fn texts(&mut self, machine: &Machine, value: Value) -> Vec<Box<str>> {
        match machine.memory().list_items(value) {
            Some(items) => items.iter().map(|&item| self.text(machine, item)).collect(),
            None => vec![self.text(machine, value)],
        }
    }

    fn text(&mut self, machine: &Machine, value: Value) -> Box<str> {
        let mut text = String::new();
        // What is nested too deeply to be written counts as far as it was.
        let _ = machine.memory().write(value, self, &mut text);
        text.into()
    }
}

/// Whether a property of `$context` is the request's overrides (`true`) or the response's.
pub(super) fn side_of(name: &str) -> Option<bool> {
    match name {
        "requestOverride" => Some(true),
        "responseOverride" => Some(false),
        _ => None,
    }
}
