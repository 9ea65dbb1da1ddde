//! The route trie of one stage: finds the resource and method that a request path means.
//!
//! A trie is frozen when an API is deployed and never changes. It lives in flat slices: nodes, static edges, labels
//! and routes. Static edges of all nodes share one open-addressing table keyed by (node, segment), so a step costs the
//! same whether a node has one child or a hundred thousand.
//!
//! Matching is a depth-first search in AWS's order of preference: at each segment static, then `{param}`, then
//! `{greedy+}`, and only resources that own the request's method or `ANY` count. A search that fails deeper goes back
//! and tries the next kind, which is how a request falls through to a proxy resource elsewhere in the tree.
//!
//! **Cost.** A trie node is reached by exactly one sequence of choices, so a search enters each node at most once: it
//! cannot be exponential in the path, however long the path is. The worst a request can do is known when the trie is
//! frozen (see [`Trie::visits_max`]). Going back needs no stack: a node knows its parent, and the segment before is
//! found by looking for a slash. Subtrees that own neither the method nor `ANY` are never entered.
//!
//! What is not here: names of variables (the route has them; a capture is known by its position), decoding (segments
//! are compared and captured as sent), hosts and stages (see [`path`] for cutting the stage off).

mod build;
pub mod path;
#[cfg(test)]
mod tests;

use memchr::{memchr, memrchr};

pub use build::{SEGMENTS_MAX, TEMPLATE_BYTES_MAX, TrieBuilder, TrieError, Variable, variables};
pub use path::Span;

/// Most path variables of one route.
pub const VARIABLES_MAX: usize = 16;

/// What a resource owns a method under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum MethodKey {
    /// `GET`
    Get,
    /// `PUT`
    Put,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
    /// `PATCH`
    Patch,
    /// `OPTIONS`
    Options,
    /// `HEAD`
    Head,
    /// `ANY`: each of the seven above that the resource does not own itself.
    Any,
}

impl MethodKey {
    /// The method a request line names. `None` for every other verb: nothing matches those, not even `ANY`.
    pub fn of_request(verb: &[u8]) -> Option<Self> {
        Some(match verb {
            b"GET" => Self::Get,
            b"PUT" => Self::Put,
            b"POST" => Self::Post,
            b"DELETE" => Self::Delete,
            b"PATCH" => Self::Patch,
            b"OPTIONS" => Self::Options,
            b"HEAD" => Self::Head,
            _ => return None,
        })
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Which route of a stage: an index into the plan's list of routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteIndex(pub u32);

/// The values of a route's path variables, as ranges of the path given to [`Trie::find`], in template order.
#[derive(Clone, Debug, Default)]
pub struct Captures {
    spans: [Span; VARIABLES_MAX],
    len: usize,
}

impl Captures {
    /// No captures yet. One value may serve any number of searches.
    pub const fn new() -> Self {
        Self { spans: [Span { start: 0, end: 0 }; VARIABLES_MAX], len: 0 }
    }

    /// The captures of the last search that found a route.
    pub fn as_slice(&self) -> &[Span] {
        self.spans.get(..self.len).unwrap_or_default()
    }

    /// The value of the variable at `index` of the template, counted from 0.
    pub fn span(&self, index: usize) -> Option<Span> {
        self.as_slice().get(index).copied()
    }

    fn clear(&mut self) {
        self.len = 0;
    }

    fn push(&mut self, span: Span) {
        // `TrieBuilder::insert` refuses templates with more variables than fit.
        if let Some(free) = self.spans.get_mut(self.len) {
            *free = span;
            self.len += 1;
        }
    }

    fn pop(&mut self) {
        self.len = self.len.saturating_sub(1);
    }
}

/// How a node is reached from its parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
enum Kind {
    Static,
    Param,
    Greedy,
}

/// The first kind of child that a search has not tried at its node, in the order of preference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Untried {
    Static,
    Param,
    Greedy,
    Nothing,
}

/// Marks an absent node and an empty slot. Node 0 is the root, which is nobody's child, so 0 is free to mean this.
const NONE: u32 = 0;
const ROOT: u32 = 0;

#[derive(Clone, Copy, Debug)]
struct Node {
    parent: u32,
    param: u32,
    greedy: u32,
    label_start: u32,
    /// The route itself if the node owns one method, else where its routes start.
    route: u32,
    label_len: u16,
    kind: Kind,
    has_statics: bool,
    /// Methods this resource owns, one bit each.
    own: u8,
    /// Methods owned here or anywhere below.
    below: u8,
}

/// A slot of the edge table. `child` is [`NONE`] in an empty slot.
#[derive(Clone, Copy, Debug, Default)]
struct Edge {
    tag: u32,
    child: u32,
}

/// The frozen routes of one stage.
#[derive(Clone, Debug)]
pub struct Trie {
    nodes: Box<[Node]>,
    /// A power of two of slots, at most half of them taken; a key's probe starts at its hash and goes right.
    edges: Box<[Edge]>,
    labels: Box<[u8]>,
    /// For each node with several routes these side by side, in the order of [`MethodKey`].
    routes: Box<[RouteIndex]>,
    visits_max: u64,
}

/// A path during a search: what is between the collapsed leading slashes and the ignored trailing ones.
struct Segments<'p> {
    path: &'p [u8],
    start: usize,
    end: usize,
}

impl<'p> Segments<'p> {
    fn of(path: &'p [u8]) -> Self {
        let (start, end) = path::trim_slashes(path);
        Self { path, start, end }
    }

    /// Where the segment that starts at `at` ends.
    fn end_of(&self, at: usize) -> usize {
        let rest = self.path.get(at..self.end).unwrap_or_default();
        memchr(b'/', rest).map_or(self.end, |slash| at + slash)
    }

    /// Where the segment before the one that starts at `at` starts.
    fn start_before(&self, at: usize) -> usize {
        let before = self.path.get(self.start..at.saturating_sub(1)).unwrap_or_default();
        memrchr(b'/', before).map_or(self.start, |slash| self.start + slash + 1)
    }

    fn text(&self, at: usize, to: usize) -> &'p [u8] {
        self.path.get(at..to).unwrap_or_default()
    }
}

/// Where a search stands: at a node, before the segment that starts at `at`.
struct Search<'t, 'p> {
    trie: &'t Trie,
    segments: Segments<'p>,
    wanted: u8,
    node: u32,
    at: usize,
    untried: Untried,
    /// Nodes entered so far; only debug builds look at it.
    visits: u64,
}

impl Trie {
    /// The route that `path` and `method` mean, with the values of its variables in `captures`.
    ///
    /// `path` is the raw path without stage, base path and query. `None` as `method` is a verb that AWS does not know;
    /// it matches nothing. Allocates nothing. When nothing is found, `captures` is empty.
    pub fn find(&self, path: &[u8], method: Option<MethodKey>, captures: &mut Captures) -> Option<RouteIndex> {
        captures.clear();
        let method = method?;
        u32::try_from(path.len()).ok()?;
        let segments = Segments::of(path);
        let at = segments.start;
        let wanted = method.bit() | MethodKey::Any.bit();
        let search = Search { trie: self, segments, wanted, node: ROOT, at, untried: Untried::Static, visits: 1 };
        let found = search.run(captures)?;
        self.route(self.node(found), method)
    }

    /// The most nodes that any request can make a search enter, whatever its path. Twice the depth of the tree for
    /// ordinary APIs; only templates that offer a static and a variable child at many levels, and spell out the
    /// combinations, raise it, and never above the number of nodes.
    pub fn visits_max(&self) -> u64 {
        self.visits_max
    }

    fn node(&self, index: u32) -> &Node {
        &self.nodes[index as usize]
    }

    fn route(&self, node: &Node, method: MethodKey) -> Option<RouteIndex> {
        // Most resources own one method. Keeping its route in the node saves the cold memory access that matters most
        // with many routes (bench `route/100000/uniform`).
        if node.own.is_power_of_two() {
            return Some(RouteIndex(node.route));
        }
        let bit = if node.own & method.bit() != 0 { method.bit() } else { MethodKey::Any.bit() };
        let before = (node.own & (bit - 1)).count_ones();
        self.routes.get((node.route + before) as usize).copied()
    }

    fn static_child(&self, parent: u32, segment: &[u8]) -> Option<u32> {
        static_child(&self.nodes, &self.edges, &self.labels, parent, segment)
    }
}

fn static_child(nodes: &[Node], edges: &[Edge], labels: &[u8], parent: u32, segment: &[u8]) -> Option<u32> {
    let hash = hash(parent, segment);
    let mask = edges.len() - 1;
    let mut slot = hash as usize & mask;
    loop {
        let edge = edges[slot];
        if edge.child == NONE {
            return None;
        }
        if edge.tag == tag(hash) {
            let node = &nodes[edge.child as usize];
            let start = node.label_start as usize;
            if node.parent == parent && labels.get(start..start + usize::from(node.label_len)) == Some(segment) {
                return Some(edge.child);
            }
        }
        slot = (slot + 1) & mask;
    }
}

impl Search<'_, '_> {
    /// The first resource, in the order of preference, that owns the method.
    fn run(mut self, captures: &mut Captures) -> Option<u32> {
        loop {
            if self.at >= self.segments.end {
                if self.trie.node(self.node).own & self.wanted != 0 {
                    return Some(self.node);
                }
            } else if self.descend(captures) {
                if self.trie.node(self.node).kind == Kind::Greedy {
                    return Some(self.node);
                }
                continue;
            }
            self.go_back(captures)?;
        }
    }

    /// Steps into the most preferred child that has not been tried, if one takes the segment.
    fn descend(&mut self, captures: &mut Captures) -> bool {
        let node = *self.trie.node(self.node);
        let to = self.segments.end_of(self.at);
        if self.untried == Untried::Static && node.has_statics {
            let segment = self.segments.text(self.at, to);
            if let Some(child) = self.trie.static_child(self.node, segment).filter(|&child| self.is_worth(child)) {
                return self.enter(child, to);
            }
        }
        if self.untried <= Untried::Param && to > self.at && self.is_worth(node.param) {
            captures.push(Span::of(self.at, to));
            return self.enter(node.param, to);
        }
        if self.untried <= Untried::Greedy && self.is_worth(node.greedy) {
            captures.push(Span::of(self.at, self.segments.end));
            return self.enter(node.greedy, self.segments.end);
        }
        false
    }

    fn is_worth(&self, child: u32) -> bool {
        child != NONE && self.trie.node(child).below & self.wanted != 0
    }

    fn enter(&mut self, child: u32, segment_end: usize) -> bool {
        self.node = child;
        self.visits += 1;
        debug_assert!(self.visits <= self.trie.visits_max, "a search entered more nodes than the frozen bound");
        // Past the slash. After the last segment this is beyond `end`, and stays a place that `start_before` can use.
        self.at = segment_end + 1;
        self.untried = Untried::Static;
        true
    }

    /// Returns to the parent, where the kinds after this node's own are still to be tried.
    fn go_back(&mut self, captures: &mut Captures) -> Option<()> {
        if self.node == ROOT {
            return None;
        }
        let node = self.trie.node(self.node);
        if node.kind == Kind::Param {
            captures.pop();
        }
        self.untried = match node.kind {
            Kind::Static => Untried::Param,
            Kind::Param => Untried::Greedy,
            Kind::Greedy => Untried::Nothing,
        };
        self.at = self.segments.start_before(self.at);
        self.node = node.parent;
        Some(())
    }
}

/// Mixes a node and a segment. Keys are fixed when the trie is frozen, so a client cannot lengthen a probe; the hash
/// needs to be quick and even, not secret.
fn hash(parent: u32, segment: &[u8]) -> u64 {
    const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
    let mix = |state: u64, word: u64| {
        let wide = u128::from(state ^ word) * u128::from(ODD);
        (wide as u64) ^ (wide >> 64) as u64
    };
    let (words, tail) = segment.as_chunks::<8>();
    let mut state = mix(u64::from(parent) + 1, segment.len() as u64 ^ ODD);
    for word in words {
        state = mix(state, u64::from_le_bytes(*word));
    }
    if !tail.is_empty() {
        state = mix(state, short_word(tail));
    }
    state
}

/// One to seven bytes as a word; the length is mixed in elsewhere. Reads that overlap instead of a copy of variable
/// length, which is a call to `memcpy` (bench `route/shape/deep-32`: 341 ns against 558).
fn short_word(tail: &[u8]) -> u64 {
    match (tail.first_chunk::<4>(), tail.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32,
        _ => tail.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    }
}

const fn tag(hash: u64) -> u32 {
    (hash >> 32) as u32
}
