//! Collects path templates and freezes them into a [`Trie`].

use std::fmt;

use super::{Edge, Kind, MethodKey, NONE, Node, ROOT, RouteIndex, Trie, VARIABLES_MAX, hash, static_child, tag};

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

/// Collects routes. Insertion order decides nothing. Nodes, edges and labels grow as the trie will have them: with a
/// hundred thousand routes most of the time goes into memory that has to be asked for.
#[derive(Debug)]
pub struct TrieBuilder {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    labels: Vec<u8>,
    /// By node; a node's `own` says which there are.
    routes: Vec<(u32, MethodKey, RouteIndex)>,
}

impl Default for TrieBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl TrieBuilder {
    /// No routes.
    pub fn new() -> Self {
        let root = Node::new(ROOT, Kind::Static, 0, 0);
        Self { nodes: vec![root], edges: vec![Edge::default(); slots_for(1)], labels: Vec::new(), routes: Vec::new() }
    }

    /// Adds a route. A trailing slash of the template means nothing; `/` is the root. After an error nothing has
    /// changed.
    pub fn insert(&mut self, template: &str, method: MethodKey, route: RouteIndex) -> Result<(), TrieError> {
        let parts = parse(template)?;
        let existing = parts.iter().try_fold(ROOT, |node, &part| self.child(node, part));
        if let Some(first) = existing.and_then(|node| self.own(node, method)) {
            return Err(TrieError::Duplicate { first });
        }
        self.check_room(template)?;
        let node = match existing {
            Some(node) => node,
            None => {
                parts.iter().fold(ROOT, |node, &part| self.child(node, part).unwrap_or_else(|| self.add(node, part)))
            }
        };
        self.nodes[node as usize].own |= method.bit();
        self.routes.push((node, method, route));
        Ok(())
    }

    /// Lays the routes out for searching.
    pub fn freeze(mut self) -> Trie {
        let visits_max = self.summarise();
        self.routes.sort_unstable_by_key(|&(node, method, _)| (node, method));
        let mut routes = Vec::with_capacity(self.routes.len());
        for same in self.routes.chunk_by(|(one, ..), (other, ..)| one == other) {
            let &[(node, _, first), ..] = same else { continue };
            let node = &mut self.nodes[node as usize];
            if same.len() == 1 {
                node.route = first.0;
            } else {
                // `check_room` keeps their count within 32 bits.
                node.route = routes.len() as u32;
                routes.extend(same.iter().map(|(.., route)| *route));
            }
        }
        Trie {
            nodes: self.nodes.into(),
            edges: self.edges.into(),
            labels: self.labels.into(),
            routes: routes.into(),
            visits_max,
        }
    }

    fn child(&self, node: u32, part: Part<'_>) -> Option<u32> {
        let there = |child: u32| Some(child).filter(|&child| child != NONE);
        match part {
            Part::Static(label) => static_child(&self.nodes, &self.edges, &self.labels, node, label.as_bytes()),
            Part::Param(_) => there(self.nodes[node as usize].param),
            Part::Greedy(_) => there(self.nodes[node as usize].greedy),
        }
    }

    /// The route that a node owns under a method. Looked for only where there is one.
    fn own(&self, node: u32, method: MethodKey) -> Option<RouteIndex> {
        let is_owned = self.nodes[node as usize].own & method.bit() != 0;
        let mut routes = self.routes.iter().filter(|_| is_owned);
        routes.find(|route| (route.0, route.1) == (node, method)).map(|route| route.2)
    }

    /// Indices are 32 bits; the edge table is up to four times the nodes.
    fn check_room(&self, template: &str) -> Result<(), TrieError> {
        const ENTRIES_MAX: usize = (u32::MAX / 8) as usize;
        let room = |taken: usize, more: usize| taken.checked_add(more).is_some_and(|sum| sum < ENTRIES_MAX);
        if room(self.nodes.len(), SEGMENTS_MAX) && room(self.labels.len(), template.len()) && room(self.routes.len(), 1)
        {
            return Ok(());
        }
        Err(TrieError::Full)
    }

    fn add(&mut self, parent: u32, part: Part<'_>) -> u32 {
        // `check_room` keeps the count of nodes and the bytes of labels far below what 32 bits hold.
        let child = self.nodes.len() as u32;
        let (kind, label) = match part {
            Part::Static(label) => (Kind::Static, label),
            Part::Param(_) => (Kind::Param, ""),
            Part::Greedy(_) => (Kind::Greedy, ""),
        };
        self.nodes.push(Node::new(parent, kind, self.labels.len() as u32, label.len() as u16));
        self.labels.extend_from_slice(label.as_bytes());
        let node = &mut self.nodes[parent as usize];
        match kind {
            Kind::Static => node.has_statics = true,
            Kind::Param => node.param = child,
            Kind::Greedy => node.greedy = child,
        }
        if self.edges.len() < slots_for(self.nodes.len()) {
            self.widen();
        } else if kind == Kind::Static {
            place(&mut self.edges, child, hash(parent, label.as_bytes()));
        }
        child
    }

    /// Twice the slots, and every edge in its place among them.
    fn widen(&mut self) {
        self.edges = vec![Edge::default(); slots_for(self.nodes.len())];
        for (child, node) in (0..).zip(&self.nodes) {
            if node.kind == Kind::Static && child != ROOT {
                let start = node.label_start as usize;
                let label = &self.labels[start..start + usize::from(node.label_len)];
                place(&mut self.edges, child, hash(node.parent, label));
            }
        }
    }

    /// Tells each node the methods owned in its subtree. Gives the most nodes one search can enter.
    ///
    /// A segment leads to at most one static child, and to the variable ones besides. So a search below a node enters
    /// at most 1 + (the worst static child) + (the param child) + (the greedy child) nodes.
    fn summarise(&mut self) -> u64 {
        let mut visits = vec![1_u64; self.nodes.len()];
        let mut worst_static = vec![0_u64; self.nodes.len()];
        // Children are made after their parents, so going backwards meets them first.
        for index in (0..self.nodes.len()).rev() {
            let node = &mut self.nodes[index];
            node.below |= node.own;
            visits[index] += worst_static[index];
            if index == ROOT as usize {
                break;
            }
            let (below, parent, kind) = (node.below, node.parent as usize, node.kind);
            self.nodes[parent].below |= below;
            match kind {
                Kind::Static => worst_static[parent] = worst_static[parent].max(visits[index]),
                Kind::Param | Kind::Greedy => visits[parent] += visits[index],
            }
        }
        visits[ROOT as usize]
    }
}

impl Node {
    /// Without children and routes.
    fn new(parent: u32, kind: Kind, label_start: u32, label_len: u16) -> Self {
        let (param, greedy, route) = (NONE, NONE, 0);
        Self { parent, param, greedy, label_start, route, label_len, kind, has_statics: false, own: 0, below: 0 }
    }
}

const _: () = assert!(TEMPLATE_BYTES_MAX <= u16::MAX as usize, "a label's length is 16 bits");

/// Twice as many slots as nodes, so that a probe ends soon; one empty slot at least, so that it ends at all.
fn slots_for(nodes: usize) -> usize {
    (nodes * 2).next_power_of_two()
}

fn place(edges: &mut [Edge], child: u32, hash: u64) {
    let mask = edges.len() - 1;
    let mut slot = hash as usize & mask;
    while edges[slot].child != NONE {
        slot = (slot + 1) & mask;
    }
    edges[slot] = Edge { tag: tag(hash), child };
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
