//! The recorded and documented rows first, then a reference matcher that knows no trie.

use super::*;

fn trie(routes: &[(&str, MethodKey)]) -> Trie {
    let mut builder = TrieBuilder::new();
    for (index, (template, method)) in routes.iter().enumerate() {
        builder.insert(template, *method, RouteIndex(index as u32)).expect(template);
    }
    builder.freeze()
}

/// The template that a request reaches and the values of its variables.
fn reached<'r>(routes: &[(&'r str, MethodKey)], method: &str, path: &str) -> Option<(&'r str, Vec<String>)> {
    let mut captures = Captures::new();
    let found = trie(routes).find(path.as_bytes(), MethodKey::of_request(method.as_bytes()), &mut captures);
    let text = |span: &Span| String::from_utf8_lossy(span.of_text(path.as_bytes())).into_owned();
    found.map(|route| (routes[route.0 as usize].0, captures.as_slice().iter().map(text).collect()))
}

fn check(routes: &[(&str, MethodKey)], method: &str, path: &str, expected: Option<(&str, &[&str])>) {
    let expected = expected.map(|(template, values)| (template, values.iter().map(|&v| v.to_owned()).collect()));
    assert_eq!(reached(routes, method, path), expected, "{method} {path}");
}

use MethodKey::{Any, Delete, Get, Head, Options, Post};

#[test]
fn a_method_that_the_resource_lacks_falls_through_to_a_proxy_elsewhere() {
    let routes = [("/test", Post), ("/{proxy+}", Options)];
    check(&routes, "OPTIONS", "/test", Some(("/{proxy+}", &["test"])));
    check(&routes, "POST", "/test", Some(("/test", &[])));
    check(&routes, "GET", "/test", None);
}

#[test]
fn a_path_below_a_sibling_without_that_child_falls_through_to_the_root_proxy() {
    let routes = [("/part1", Any), ("/part1/hardcoded-value", Any), ("/{param+}", Any)];
    check(&routes, "GET", "/part1", Some(("/part1", &[])));
    check(&routes, "GET", "/part1/hardcoded-value", Some(("/part1/hardcoded-value", &[])));
    check(&routes, "GET", "/part1/random-value", Some(("/{param+}", &["part1/random-value"])));
    check(&routes, "GET", "/part1/hardcoded-value/deeper", Some(("/{param+}", &["part1/hardcoded-value/deeper"])));
}

#[test]
fn a_proxy_needs_a_segment() {
    let routes = [("/{proxy+}", Any), ("/parent/{proxy+}", Any)];
    check(&routes, "GET", "/", None);
    check(&routes, "GET", "", None);
    check(&routes, "GET", "///", None);
    let routes = [("/parent/{proxy+}", Any)];
    check(&routes, "GET", "/parent", None);
    check(&routes, "GET", "/parent/", None);
    check(&routes, "GET", "/parent/x", Some(("/parent/{proxy+}", &["x"])));
}

#[test]
fn a_trailing_slash_means_nothing() {
    let routes = [("/pets", Get), ("/{proxy+}", Any), ("/", Get)];
    check(&routes, "GET", "/pets/", Some(("/pets", &[])));
    check(&routes, "POST", "/proxy-value/", Some(("/{proxy+}", &["proxy-value"])));
    check(&routes, "GET", "/", Some(("/", &[])));
    check(&routes, "GET", "", Some(("/", &[])));
    let routes = [("/pets/", Get)];
    check(&routes, "GET", "/pets", Some(("/pets/", &[])));
}

#[test]
fn both_branches_between_variables_are_tried() {
    let routes = [("/a/{x}", Post), ("/{y}/b", Get)];
    check(&routes, "GET", "/a/b", Some(("/{y}/b", &["a"])));
    check(&routes, "POST", "/a/b", Some(("/a/{x}", &["b"])));
    let routes = [("/a/{x}/c/{y}", Get), ("/{p}/{q}/c/d/{r+}", Get), ("/{any+}", Get)];
    check(&routes, "GET", "/a/1/c/2", Some(("/a/{x}/c/{y}", &["1", "2"])));
    check(&routes, "GET", "/a/1/c/d/e/f", Some(("/{p}/{q}/c/d/{r+}", &["a", "1", "e/f"])));
    check(&routes, "GET", "/a/1/c/e/f", Some(("/{any+}", &["a/1/c/e/f"])));
}

#[test]
fn static_beats_param_beats_greedy_from_the_left() {
    let routes = [("/x/{b}/{c}", Any), ("/{a}/y/z", Any), ("/x/{g+}", Any), ("/{a}/{b}/{c}", Any)];
    check(&routes, "GET", "/x/y/z", Some(("/x/{b}/{c}", &["y", "z"])));
    check(&routes, "GET", "/w/y/z", Some(("/{a}/y/z", &["w"])));
    check(&routes, "GET", "/x/y", Some(("/x/{g+}", &["y"])));
    check(&routes, "GET", "/1/2/3", Some(("/{a}/{b}/{c}", &["1", "2", "3"])));
}

#[test]
fn greedy_resources_at_several_levels_coexist() {
    let routes = [("/{proxy+}", Any), ("/parent/{proxy+}", Any), ("/parent/{child}/{proxy+}", Any)];
    check(&routes, "GET", "/other/x", Some(("/{proxy+}", &["other/x"])));
    check(&routes, "GET", "/parent/x", Some(("/parent/{proxy+}", &["x"])));
    check(&routes, "GET", "/parent/x/y/z", Some(("/parent/{child}/{proxy+}", &["x", "y/z"])));
}

#[test]
fn the_specific_method_beats_any_on_one_resource_only() {
    let routes = [("/p", Any), ("/p", Get), ("/{x}", Delete)];
    let trie = trie(&routes);
    let mut captures = Captures::new();
    let mut find = |verb: &str| trie.find(b"/p", MethodKey::of_request(verb.as_bytes()), &mut captures);
    assert_eq!(find("GET"), Some(RouteIndex(1)));
    assert_eq!(find("PUT"), Some(RouteIndex(0)));
    // ANY on the better resource is chosen before the specific method on a worse one.
    assert_eq!(find("DELETE"), Some(RouteIndex(0)));
}

#[test]
fn head_and_options_are_derived_from_nothing() {
    let routes = [("/p", Get)];
    check(&routes, "HEAD", "/p", None);
    check(&routes, "OPTIONS", "/p", None);
    check(&[("/p", Head)], "HEAD", "/p", Some(("/p", &[])));
}

#[test]
fn verbs_that_aws_does_not_know_match_nothing() {
    for verb in ["TRACE", "CONNECT", "get", "ANY", "", "PROPFIND"] {
        check(&[("/p", Any), ("/{proxy+}", Any)], verb, "/p", None);
    }
}

#[test]
fn path_text_is_handled_as_recorded() {
    let routes = [("/{proxy+}", Any), ("/hardcoded", Any)];
    let rows = [
        ("/proxy-value", "/{proxy+}", "proxy-value"),
        ("/proxy-value/", "/{proxy+}", "proxy-value"),
        ("/proxy-value//double-slash", "/{proxy+}", "proxy-value//double-slash"),
        ("//proxy-value", "/{proxy+}", "proxy-value"),
        (
            "/user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
            "/{proxy+}",
            "user/test%2Balias@gmail.com/plus/test+alias@gmail.com",
        ),
    ];
    for (path, template, proxy) in rows {
        check(&routes, "GET", path, Some((template, &[proxy])));
    }
    check(&routes, "GET", "//hardcoded", Some(("/hardcoded", &[])));
    check(&routes, "GET", "/hardcoded", Some(("/hardcoded", &[])));
}

#[test]
fn segments_are_compared_and_captured_as_sent() {
    let routes = [("/a b", Get), ("/{x}", Get), ("/PETS", Get)];
    check(&routes, "GET", "/a%20b", Some(("/{x}", &["a%20b"])));
    check(&routes, "GET", "/foo%2Fbar", Some(("/{x}", &["foo%2Fbar"])));
    check(&routes, "GET", "/pets", Some(("/{x}", &["pets"])));
}

#[test]
fn an_empty_segment_is_taken_by_greedy_variables_only() {
    let routes = [("/a/{x}/b", Get), ("/a/b", Get)];
    check(&routes, "GET", "/a//b", None);
    let routes = [("/a/{x}/b", Get), ("/a/{g+}", Post), ("/{all+}", Get)];
    check(&routes, "GET", "/a//b", Some(("/{all+}", &["a//b"])));
    check(&routes, "POST", "/a//b", Some(("/a/{g+}", &["/b"])));
}

#[test]
fn braces_inside_a_segment_are_plain_text() {
    let routes = [("/a{b}", Get), ("/{a}-{b}", Get)];
    check(&routes, "GET", "/ax", None);
    check(&routes, "GET", "/a{b}", Some(("/a{b}", &[])));
    check(&routes, "GET", "/{a}-{b}", Some(("/{a}-{b}", &[])));
}

#[test]
fn a_failed_search_leaves_no_captures() {
    let mut captures = Captures::new();
    let trie = trie(&[("/{a}/{b}/c", Get), ("/{z+}", Post)]);
    assert!(trie.find(b"/1/2/c", Some(Get), &mut captures).is_some());
    assert_eq!(captures.as_slice().len(), 2);
    assert_eq!(captures.span(1).map(|span| span.of_text(b"/1/2/c")), Some(&b"2"[..]));
    assert!(trie.find(b"/1/2/d", Some(Get), &mut captures).is_none());
    assert!(captures.as_slice().is_empty());
}

#[test]
fn templates_that_cannot_be_served_are_refused_and_change_nothing() {
    let many = "/{v}".repeat(VARIABLES_MAX + 1);
    let deep = "/s".repeat(SEGMENTS_MAX + 1);
    let long = format!("/{}", "x".repeat(TEMPLATE_BYTES_MAX));
    let rows = [
        ("pets", TrieError::NotAbsolute),
        ("", TrieError::NotAbsolute),
        ("/a//b", TrieError::EmptySegment),
        ("//", TrieError::EmptySegment),
        ("/{}", TrieError::EmptyVariableName),
        ("/{+}", TrieError::EmptyVariableName),
        ("/{a+}/b", TrieError::GreedyNotLast),
        (&many, TrieError::TooManyVariables),
        (&deep, TrieError::TooLong),
        (&long, TrieError::TooLong),
        ("/pets/{other}", TrieError::Duplicate { first: RouteIndex(7) }),
    ];
    let mut builder = TrieBuilder::new();
    builder.insert("/pets/{id}", Get, RouteIndex(7)).expect("the first of its kind");
    for (template, error) in rows {
        assert_eq!(builder.insert(template, Get, RouteIndex(8)), Err(error), "{template}");
    }
    assert_eq!(builder.freeze().nodes.len(), 3);
}

#[test]
fn variables_come_in_capture_order() {
    let found: Vec<_> = variables("/a/{x}/b/{y}/c{z}/{rest+}").map(|v| (v.name, v.is_greedy)).collect();
    assert_eq!(found, [("x", false), ("y", false), ("rest", true)]);
}

#[test]
fn an_empty_trie_finds_nothing() {
    let trie = TrieBuilder::new().freeze();
    assert_eq!(trie.find(b"/anything/at/all", Some(Get), &mut Captures::new()), None);
    assert_eq!(trie.visits_max(), 1);
}

/// Templates that spell out every combination of `a` and `{x}` over `depth` levels, none with a POST below `/z`.
fn every_combination(depth: u32) -> Trie {
    let mut builder = TrieBuilder::new();
    for choice in 0..1_u32 << depth {
        let segment = |level| if choice >> level & 1 == 0 { "/a" } else { "/{x}" };
        let template: String = (0..depth).map(segment).collect();
        builder.insert(&template, Get, RouteIndex(choice)).expect("a template of its own");
        builder.insert(&format!("{template}/z"), Post, RouteIndex(choice)).expect("another");
    }
    builder.freeze()
}

#[test]
fn the_worst_search_is_known_beforehand_and_never_exceeds_the_tree() {
    let trie = every_combination(12);
    assert!(trie.visits_max() <= trie.nodes.len() as u64);
    let path = format!("{}/nothing", "/a".repeat(12));
    // 2^12 resources match all but the last segment; a search that revisited nodes would not return from deeper ones.
    assert_eq!(trie.find(path.as_bytes(), Some(Post), &mut Captures::new()), None);
    // No resource above the leaves owns GET together with a further segment, so the subtrees are left alone.
    assert_eq!(trie.find(path.as_bytes(), Some(Get), &mut Captures::new()), None);
}

#[test]
fn a_chain_of_variables_is_searched_once() {
    let chain = "/{v}".repeat(VARIABLES_MAX);
    let statics = "/a".repeat(64);
    let trie = trie(&[(&chain, Get), (&statics, Get), ("/{g+}", Post), ("/a/{g+}", Post), ("/a/a/{g+}", Post)]);
    assert!(trie.visits_max() <= 2 * 64 + VARIABLES_MAX as u64);
    let longest = "/a".repeat(5_000);
    assert_eq!(trie.find(longest.as_bytes(), Some(Get), &mut Captures::new()), None);
    assert_eq!(trie.find(longest.as_bytes(), Some(Post), &mut Captures::new()), Some(RouteIndex(4)));
    let slashes = "/".repeat(10_000);
    assert_eq!(trie.find(slashes.as_bytes(), Some(Get), &mut Captures::new()), None);
}

#[test]
fn a_large_table_finds_every_route_and_no_other() {
    let mut builder = TrieBuilder::new();
    for route in 0..20_000 {
        let template = format!("/service-{}/v1/item-{route}/{{id}}", route % 100);
        builder.insert(&template, Get, RouteIndex(route)).expect("unique");
    }
    let trie = builder.freeze();
    let mut captures = Captures::new();
    for route in 0..20_000 {
        let path = format!("/service-{}/v1/item-{route}/7", route % 100);
        assert_eq!(trie.find(path.as_bytes(), Some(Get), &mut captures), Some(RouteIndex(route)));
        let wrong = format!("/service-{}/v1/item-{route}/7", (route + 1) % 100);
        assert_eq!(trie.find(wrong.as_bytes(), Some(Get), &mut captures), None);
    }
}

/// The rules as written, applied to a list of templates one by one.
mod reference {
    use super::*;

    /// How specific one segment of a template is: smaller wins.
    fn rank(segment: &str) -> u8 {
        match segment.strip_prefix('{') {
            Some(inner) if inner.ends_with("+}") => 2,
            Some(_) => 1,
            None => 0,
        }
    }

    fn split(text: &str) -> Vec<&str> {
        let text = text.trim_start_matches('/').trim_end_matches('/');
        if text.is_empty() { Vec::new() } else { text.split('/').collect() }
    }

    fn captured(template: &[&str], path: &[&str]) -> Option<Vec<String>> {
        let mut values = Vec::new();
        for (index, segment) in template.iter().enumerate() {
            match (rank(segment), path.get(index)?) {
                (0, given) if given == segment => {}
                (1, given) if !given.is_empty() => values.push((*given).to_owned()),
                (2, _) => {
                    values.push(path[index..].join("/"));
                    return Some(values);
                }
                _ => return None,
            }
        }
        (template.len() == path.len()).then_some(values)
    }

    pub fn find(routes: &[(String, MethodKey)], path: &str, method: MethodKey) -> Option<(u32, Vec<String>)> {
        let path = split(path);
        let candidates = routes.iter().enumerate().filter(|(_, (_, own))| [method, Any].contains(own));
        let matching = candidates.filter_map(|(index, (template, own))| {
            let template = split(template);
            let ranks: Vec<_> = template.iter().map(|segment| rank(segment)).collect();
            captured(&template, &path).map(|values| ((ranks, *own == Any), index as u32, values))
        });
        matching.min_by(|one, other| one.0.cmp(&other.0)).map(|(_, index, values)| (index, values))
    }
}

/// A small seeded generator (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    fn template(&mut self) -> String {
        let depth = self.roll(5);
        let mut template: String = (0..depth).map(|_| self.pick(&["/a", "/b", "/cc", "/{x}"])).collect();
        if self.roll(4) == 0 {
            template.push_str("/{g+}");
        }
        if template.is_empty() { "/".to_owned() } else { template }
    }

    fn path(&mut self) -> String {
        let depth = self.roll(6);
        let mut path: String = (0..depth).map(|_| self.pick(&["/a", "/b", "/cc", "/d%2F", "/", "/a"])).collect();
        path.push_str(self.pick(&["", "", "/", "//"]));
        path
    }
}

#[test]
fn the_trie_agrees_with_the_reference_on_random_routes() {
    const METHODS: [MethodKey; 4] = [Get, Post, Options, Any];
    for seed in 0..2_000 {
        let mut dice = Dice(seed);
        let mut builder = TrieBuilder::new();
        let mut routes = Vec::new();
        for _ in 0..dice.roll(24) {
            let (template, method) = (dice.template(), dice.pick(&METHODS));
            if builder.insert(&template, method, RouteIndex(routes.len() as u32)).is_ok() {
                routes.push((template, method));
            }
        }
        let trie = builder.freeze();
        let mut captures = Captures::new();
        for _ in 0..60 {
            let (path, method) = (dice.path(), dice.pick(&METHODS[..3]));
            let found = trie.find(path.as_bytes(), Some(method), &mut captures);
            let text = |span: &Span| String::from_utf8_lossy(span.of_text(path.as_bytes())).into_owned();
            let found = found.map(|route| (route.0, captures.as_slice().iter().map(text).collect()));
            let expected = reference::find(&routes, &path, method);
            assert_eq!(found, expected, "seed={seed} {method:?} {path} among {routes:?}");
        }
    }
}
