//! Collects path templates and freezes them into a [`Trie`].

use std::collections::BTreeMap;
use std::fmt;

use super::{Edge, Kind, MethodKey, NONE, Node, ROOT, RouteIndex, Trie, VARIABLES_MAX, hash, tag};

/// Longest path template in bytes. No request line can reach further.
pub const TEMPLATE_BYTES_MAX: usize = 10_240;
/// Most segments of a path template.
pub const SEGMENTS_MAX: usize = 1_024;

/// Why a template was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrieError {
    /// It does not begin with a slash.
    NotAbsolute,
    /// It has nothing between two slashes.
    EmptySegment,
    /// `{}` or `{+}`.
    EmptyVariableName,
    /// Something follows a `{greedy+}` segment.
    GreedyNotLast,
    /// More than [`VARIABLES_MAX`] variables.
    TooManyVariables,
    /// Longer than [`TEMPLATE_BYTES_MAX`] or more than [`SEGMENTS_MAX`] segments.
    TooLong,
    /// Another route has this method on this resource. Variables of different names are the same resource.
    Duplicate {
        /// The route that was there first.
        first: RouteIndex,
    },
    /// More nodes or label bytes than an index can count.
    Full,
}

impl fmt::Display for TrieError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAbsolute => f.write_str("the path does not begin with a slash"),
            Self::EmptySegment => f.write_str("the path has an empty segment"),
            Self::EmptyVariableName => f.write_str("a path variable has no name"),
            Self::GreedyNotLast => f.write_str("something follows a greedy path variable"),
            Self::TooManyVariables => write!(f, "the path has more than {VARIABLES_MAX} variables"),
            Self::TooLong => {
                write!(f, "the path is longer than {TEMPLATE_BYTES_MAX} bytes or {SEGMENTS_MAX} segments")
            }
            Self::Duplicate { first } => write!(f, "route {} has this path and method", first.0),
            Self::Full => f.write_str("too many paths for one stage"),
        }
    }
}

impl std::error::Error for TrieError {}

/// A variable of a path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variable<'t> {
    /// Its name, without braces and plus.
    pub name: &'t str,
    /// Whether it takes all that is left.
    pub is_greedy: bool,
}

/// The variables of a template, in the order in which [`Captures`](super::Captures) holds their values.
pub fn variables(template: &str) -> impl Iterator<Item = Variable<'_>> {
    template.split('/').filter_map(|segment| match Part::of(segment) {
        Part::Static(_) => None,
        Part::Param(name) => Some(Variable { name, is_greedy: false }),
        Part::Greedy(name) => Some(Variable { name, is_greedy: true }),
    })
}

/// One segment of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'t> {
    Static(&'t str),
    Param(&'t str),
    Greedy(&'t str),
}

impl<'t> Part<'t> {
    /// Braces mean a variable only if they enclose the whole segment: `a{b}` is plain text.
    fn of(segment: &'t str) -> Self {
        let inside = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        match inside.filter(|name| !name.contains(['{', '}'])) {
            None => Self::Static(segment),
            Some(name) => name.strip_suffix('+').map_or(Self::Param(name), Self::Greedy),
        }
    }
}

/// A node while the tree is still growing.
#[derive(Debug)]
struct Draft {
    parent: u32,
    kind: Kind,
    label: Box<str>,
    statics: BTreeMap<Box<str>, u32>,
    param: u32,
    greedy: u32,
    routes: BTreeMap<MethodKey, RouteIndex>,
}

impl Draft {
    fn new(parent: u32, kind: Kind, label: &str) -> Self {
        let (statics, routes) = (BTreeMap::new(), BTreeMap::new());
        Self { parent, kind, label: label.into(), statics, param: NONE, greedy: NONE, routes }
    }

    fn child(&self, part: Part<'_>) -> Option<u32> {
        match part {
            Part::Static(label) => self.statics.get(label).copied(),
            Part::Param(_) => Some(self.param).filter(|&child| child != NONE),
            Part::Greedy(_) => Some(self.greedy).filter(|&child| child != NONE),
        }
    }
}

/// Collects routes. Insertion order decides nothing.
#[derive(Debug)]
pub struct TrieBuilder {
    drafts: Vec<Draft>,
    label_bytes: usize,
    route_count: usize,
}

impl Default for TrieBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TrieBuilder {
    /// No routes.
    pub fn new() -> Self {
        Self { drafts: vec![Draft::new(ROOT, Kind::Static, "")], label_bytes: 0, route_count: 0 }
    }

    /// Adds a route. A trailing slash of the template means nothing; `/` is the root. After an error nothing has
    /// changed.
    pub fn insert(&mut self, template: &str, method: MethodKey, route: RouteIndex) -> Result<(), TrieError> {
        let parts = parse(template)?;
        if let Some(first) = self.existing(&parts).and_then(|node| self.draft(node).routes.get(&method)) {
            return Err(TrieError::Duplicate { first: *first });
        }
        self.check_room(template)?;
        let mut node = ROOT;
        for part in parts {
            node = match self.draft(node).child(part) {
                Some(child) => child,
                None => self.add(node, part),
            };
        }
        self.drafts[node as usize].routes.insert(method, route);
        self.route_count += 1;
        Ok(())
    }

    /// Lays the routes out for searching.
    pub fn freeze(self) -> Trie {
        let (below, visits_max) = self.summarise();
        let mut trie = Trie {
            nodes: Box::default(),
            edges: vec![Edge::default(); slots_for(self.drafts.len())].into(),
            labels: Box::default(),
            routes: Box::default(),
            visits_max,
        };
        let mut nodes = Vec::with_capacity(self.drafts.len());
        let mut labels = Vec::with_capacity(self.label_bytes);
        let mut routes = Vec::with_capacity(self.route_count);
        for (draft, below) in self.drafts.iter().zip(below) {
            nodes.push(frozen(draft, below, labels.len(), routes.len()));
            labels.extend_from_slice(draft.label.as_bytes());
            if draft.routes.len() > 1 {
                routes.extend(draft.routes.values());
            }
        }
        self.place_edges(&mut trie.edges);
        (trie.nodes, trie.labels, trie.routes) = (nodes.into(), labels.into(), routes.into());
        trie
    }

    fn draft(&self, node: u32) -> &Draft {
        &self.drafts[node as usize]
    }

    fn existing(&self, parts: &[Part<'_>]) -> Option<u32> {
        parts.iter().try_fold(ROOT, |node, &part| self.draft(node).child(part))
    }

    /// Indices are 32 bits; the edge table is up to four times the nodes.
    fn check_room(&self, template: &str) -> Result<(), TrieError> {
        const ENTRIES_MAX: usize = (u32::MAX / 8) as usize;
        let room = |taken: usize, more: usize| taken.checked_add(more).is_some_and(|sum| sum < ENTRIES_MAX);
        if room(self.drafts.len(), SEGMENTS_MAX) && room(self.label_bytes, template.len()) && room(self.route_count, 1)
        {
            return Ok(());
        }
        Err(TrieError::Full)
    }

    fn add(&mut self, parent: u32, part: Part<'_>) -> u32 {
        // `check_room` keeps the count of nodes far below what 32 bits hold.
        let child = self.drafts.len() as u32;
        let (kind, label) = match part {
            Part::Static(label) => (Kind::Static, label),
            Part::Param(_) => (Kind::Param, ""),
            Part::Greedy(_) => (Kind::Greedy, ""),
        };
        self.drafts.push(Draft::new(parent, kind, label));
        self.label_bytes += label.len();
        let draft = &mut self.drafts[parent as usize];
        match part {
            Part::Static(label) => drop(draft.statics.insert(label.into(), child)),
            Part::Param(_) => draft.param = child,
            Part::Greedy(_) => draft.greedy = child,
        }
        child
    }

    /// For each node the methods owned in its subtree; and the most nodes one search can enter.
    ///
    /// A segment leads to at most one static child, and to the variable ones besides. So a search below a node enters
    /// at most 1 + (the worst static child) + (the param child) + (the greedy child) nodes.
    fn summarise(&self) -> (Vec<u8>, u64) {
        let mut below = vec![0; self.drafts.len()];
        let mut visits = vec![1_u64; self.drafts.len()];
        let mut worst_static = vec![0_u64; self.drafts.len()];
        // Children are made after their parents, so going backwards meets them first.
        for (index, draft) in self.drafts.iter().enumerate().rev() {
            below[index] |= own_bits(draft);
            visits[index] += worst_static[index];
            if index == ROOT as usize {
                break;
            }
            let parent = draft.parent as usize;
            below[parent] |= below[index];
            match draft.kind {
                Kind::Static => worst_static[parent] = worst_static[parent].max(visits[index]),
                Kind::Param | Kind::Greedy => visits[parent] += visits[index],
            }
        }
        (below, visits[ROOT as usize])
    }

    fn place_edges(&self, edges: &mut [Edge]) {
        let mask = edges.len() - 1;
        for draft in &self.drafts {
            for (label, &child) in &draft.statics {
                let hash = hash(self.draft(child).parent, label.as_bytes());
                let mut slot = hash as usize & mask;
                while edges[slot].child != NONE {
                    slot = (slot + 1) & mask;
                }
                edges[slot] = Edge { tag: tag(hash), child };
            }
        }
    }
}

fn frozen(draft: &Draft, below: u8, label_start: usize, routes_start: usize) -> Node {
    // `check_room` and `TEMPLATE_BYTES_MAX` keep all of these within their types.
    Node {
        parent: draft.parent,
        param: draft.param,
        greedy: draft.greedy,
        label_start: label_start as u32,
        route: only_route(draft).map_or(routes_start as u32, |route| route.0),
        label_len: draft.label.len() as u16,
        kind: draft.kind,
        has_statics: !draft.statics.is_empty(),
        own: own_bits(draft),
        below,
    }
}

fn only_route(draft: &Draft) -> Option<RouteIndex> {
    let mut routes = draft.routes.values();
    routes.next().filter(|_| routes.next().is_none()).copied()
}

const _: () = assert!(TEMPLATE_BYTES_MAX <= u16::MAX as usize, "a label's length is 16 bits");

fn own_bits(draft: &Draft) -> u8 {
    draft.routes.keys().fold(0, |bits, method| bits | method.bit())
}

/// Twice as many slots as nodes, so that a probe ends soon; one empty slot at least, so that it ends at all.
fn slots_for(nodes: usize) -> usize {
    (nodes * 2).next_power_of_two()
}

fn parse(template: &str) -> Result<Vec<Part<'_>>, TrieError> {
    if template.len() > TEMPLATE_BYTES_MAX {
        return Err(TrieError::TooLong);
    }
    let relative = template.strip_prefix('/').ok_or(TrieError::NotAbsolute)?;
    let relative = relative.strip_suffix('/').unwrap_or(relative);
    if relative.is_empty() {
        return if template.len() > 1 { Err(TrieError::EmptySegment) } else { Ok(Vec::new()) };
    }
    let parts: Vec<_> = relative.split('/').map(Part::of).collect();
    check(&parts).map(|()| parts)
}

fn check(parts: &[Part<'_>]) -> Result<(), TrieError> {
    if parts.len() > SEGMENTS_MAX {
        return Err(TrieError::TooLong);
    }
    if parts.contains(&Part::Static("")) {
        return Err(TrieError::EmptySegment);
    }
    if parts.iter().any(|part| matches!(part, Part::Param("") | Part::Greedy(""))) {
        return Err(TrieError::EmptyVariableName);
    }
    let before_last = parts.split_last().map_or(parts, |(_, before)| before);
    if before_last.iter().any(|part| matches!(part, Part::Greedy(_))) {
        return Err(TrieError::GreedyNotLast);
    }
    if parts.iter().filter(|part| !matches!(part, Part::Static(_))).count() > VARIABLES_MAX {
        return Err(TrieError::TooManyVariables);
    }
    Ok(())
}
