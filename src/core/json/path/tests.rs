use super::*;
use crate::json::Tape;

/// The document of the library's own documentation, and some more.
const STORE: &str = r#"{
    "store": {
        "book": [
            {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
            {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
            {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick",
             "isbn": "0-553-21311-3", "price": 8.99},
            {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings",
             "isbn": "0-395-19395-8", "price": 22.99}
        ],
        "bicycle": {"color": "red", "price": 19.95}
    },
    "expensive": 10,
    "k-d": {"with space": 1, "it's": 2},
    "list": [[1, 2], [3], []],
    "nothing": null,
    "tags": [{"n": 1, "t": ["a", "b"], "s": "10"}, {"n": 2, "t": [], "s": ""}, {"n": 3.0, "s": "abc", "o": {"x": 1}}],
    "numbers": [1, 2, 3, 4]
}"#;

fn found(path: &str) -> String {
    let compiled = JsonPath::compile(path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let mut tape = Tape::new();
    let root = tape.read(STORE.as_bytes()).expect("JSON");
    let mut out = Vec::new();
    match compiled.find(root).expect("little work") {
        None => return "-".to_owned(),
        Some(found) => found.write_json(&mut out),
    }
    String::from_utf8(out).expect("text")
}

#[test]
fn definite_paths_give_the_value_or_nothing() {
    let rows = [
        ("$.expensive", "10"),
        ("expensive", "10"),
        ("store.bicycle.color", r#""red""#),
        (" $ ", ""),
        ("@.expensive", "10"),
        ("$['store']['bicycle'][\"color\"]", r#""red""#),
        ("$.store.['bicycle'].color", r#""red""#),
        ("$.store.book[0].author", r#""Nigel Rees""#),
        ("$.store.book[-1].title", r#""The Lord of the Rings""#),
        ("$.store.book[ 1 ].price", "12.99"),
        ("$.store.book[4]", "-"),
        ("$.store.book[-5]", "-"),
        ("$.k-d['with space']", "1"),
        (r"$.k-d['it\'s']", "2"),
        (r"$['\u006b-d'].none", "-"),
        ("$.nothing", "null"),
        ("$.nothing.deeper", "-"),
        ("$.expensive[0]", "-"),
        ("$.store.book.title", "-"),
        ("$.list[0][1]", "2"),
        ("$.store.bicycle['color','price','none']", r#"{"color":"red","price":19.95}"#),
        ("$['store', 'expensive'].x", "[]"),
    ];
    for (path, expected) in rows {
        match expected {
            "" => assert!(JsonPath::compile(path).is_ok_and(|path| path.is_definite())),
            expected => assert_eq!(found(path), expected, "{path}"),
        }
    }
}

#[test]
fn indefinite_paths_give_lists() {
    let rows = [
        ("$.store.book[*].price", "[8.95,12.99,8.99,22.99]"),
        ("$.store.bicycle.*", r#"["red",19.95]"#),
        ("$..price", "[8.95,12.99,8.99,22.99,19.95]"),
        ("$..isbn", r#"["0-553-21311-3","0-395-19395-8"]"#),
        ("$..none", "[]"),
        ("$..book[2].title", r#"["Moby Dick"]"#),
        ("$..book[0,1].price", "[8.95,12.99]"),
        ("$..book[:2].price", "[8.95,12.99]"),
        ("$..book[1:2].price", "[12.99]"),
        ("$..book[-2:].price", "[8.99,22.99]"),
        ("$..book[2:].price", "[8.99,22.99]"),
        ("$.store.book[1:-1].price", "[12.99,8.99]"),
        ("$.store.book[9:].price", "[]"),
        ("$.list[*][*]", "[1,2,3]"),
        ("$.list.*[0]", "[1,3]"),
        ("$..[0]", ""),
        ("$.list..*", "[[1,2],[3],[],1,2,3]"),
        ("$..bicycle['color','price']", r#"[{"color":"red","price":19.95}]"#),
        ("$.expensive.*", "[]"),
        ("$.none[*]", "[]"),
        ("$.tags[*]['n','s']", r#"[{"n":1,"s":"10"},{"n":2,"s":""},{"n":3.0,"s":"abc"}]"#),
    ];
    for (path, expected) in rows {
        assert!(!JsonPath::compile(path).expect(path).is_definite(), "{path}");
        if !expected.is_empty() {
            assert_eq!(found(path), expected, "{path}");
        }
    }
}

#[test]
fn filters_select() {
    let rows = [
        ("$.store.book[?(@.price < 10)].price", "[8.95,8.99]"),
        ("$..book[?(@.isbn)].price", "[8.99,22.99]"),
        ("$..book[?(!@.isbn)].price", "[8.95,12.99]"),
        ("$..book[?(@.price <= $['expensive'])].price", "[8.95,8.99]"),
        ("$..book[?(@.author =~ /.*REES/i)].price", "[8.95]"),
        ("$..book[?(@.author =~ /REES/i)].price", "[]"),
        ("$..book[?(@.category == 'fiction' && @.price < 10 || @.price > 20)].price", "[8.99,22.99]"),
        ("$..book[?(@.category == 'fiction' && (@.price < 10 || @.price > 20))].price", "[8.99,22.99]"),
        ("$..book[?(@['category'] in ['reference', 'poetry'])].price", "[8.95]"),
        ("$..book[?(@.category nin [\"fiction\"])].price", "[8.95]"),
        ("$.store[?(@.color == \"red\")].price", "[]"),
        ("$.store.bicycle[?(@.color == \"red\")].price", "[19.95]"),
        ("$..[?(@.color)].price", "[19.95]"),
        ("$.tags[?(@.n == 3)].s", r#"["abc"]"#),
        ("$.tags[?(@.n >= 2.0)].n", "[2,3.0]"),
        ("$.tags[?(@.n != 2)].n", "[1,3.0]"),
        ("$.tags[?(@.s == 10)].n", "[1]"),
        ("$.tags[?(@.s === 10)].n", "[]"),
        ("$.tags[?(10 == @.s)].n", "[1]"),
        ("$.tags[?(@.t contains 'a')].n", "[1]"),
        ("$.tags[?(@.s contains 'bc')].n", "[3.0]"),
        ("$.tags[?('b' in @.t)].n", "[1]"),
        ("$.tags[?(@.t subsetof ['a','b','c'])].n", "[1,2]"),
        ("$.tags[?(@.t anyof ['b','z'])].n", "[1]"),
        ("$.tags[?(@.t noneof ['b','z'])].n", "[2]"),
        ("$.tags[?(@.t all ['a'])].n", "[1]"),
        ("$.tags[?(@.t size 2)].n", "[1]"),
        ("$.tags[?(@.t.length() == 0)].n", "[2]"),
        ("$.tags[?(@.s empty true)].n", "[2]"),
        ("$.tags[?(@.t EMPTY false)].n", "[1]"),
        ("$.tags[?(@.o == $.tags[2].o)].n", "[3.0]"),
        ("$.tags[?(@.t == ['a', 'b'])].n", "[1]"),
        ("$.tags[?(@.missing == null)].n", "[]"),
        ("$.tags[?(@.t[0])].n", "[1]"),
        ("$.tags[?(@.t[*])].n", "[1]"),
        ("$.tags[?(@.n > 'a')].n", "[]"),
        ("$.numbers[?(@ > 2)]", "[3,4]"),
        ("$.numbers[?( @ != -1e3 )]", "[1,2,3,4]"),
        ("$.list[?(@[0] == 3)]", "[[3]]"),
    ];
    for (path, expected) in rows {
        assert_eq!(found(path), expected, "{path}");
    }
}

#[test]
fn functions_end_a_path() {
    let rows = [
        ("$.numbers.length()", "4"),
        ("$.store.length()", "2"),
        ("$.expensive.length()", "-"),
        ("$.numbers.sum()", "10.0"),
        ("$.numbers.min()", "1.0"),
        ("$.numbers.max()", "4.0"),
        ("$.numbers.avg()", "2.5"),
        ("$.numbers.stddev()", "1.118033988749895"),
        ("$..price.sum()", "73.87"),
        ("$.store.book[*].price.max()", "22.99"),
        ("$.sum($.expensive, 5, $.numbers)", "25.0"),
        ("$.store.bicycle.keys()", r#"["color","price"]"#),
        ("$.numbers.append(5, 'x')", r#"[1,2,3,4,5,"x"]"#),
        ("$.concat($.store.bicycle.color, \"-\", 'x')", r#""red-x""#),
        ("$.numbers.first()", "1"),
        ("$.numbers.last()", "4"),
        ("$.numbers.index(-2)", "3"),
        ("$.length($.numbers)", "4"),
        ("$.none.length()", "-"),
        ("$.list[2].sum()", "-"),
        ("length()", "7"),
    ];
    for (path, expected) in rows {
        assert_eq!(found(path), expected, "{path}");
    }
}

#[test]
fn what_is_no_path_is_refused_with_its_place() {
    let rows = [
        ("", 0),
        ("$.", 2),
        ("$..", 3),
        ("$.a.", 4),
        ("$a", 1),
        ("$.a b", 2),
        ("$[", 2),
        ("$[]", 2),
        ("$[:]", 3),
        ("$['a]", 3),
        ("$['a'", 5),
        ("$[1,]", 4),
        ("$[1 2]", 4),
        ("$[99999999999]", 13),
        ("$.nope()", 2),
        ("$.length(", 9),
        ("$.keys(1)", 9),
        ("$[?(@.a]", 7),
        ("$[?@.a == 1]", 3),
        ("$[?(@.a = 1)]", 8),
        ("$[?(@.a like 1)]", 8),
        ("$[?('x')]", 7),
        ("$[?(@.a =~ /(/)]", 14),
        ("$[?(@.a =~ /a/q)]", 15),
        ("$[?(@.a == )]", 11),
        ("$.a..['b'", 9),
    ];
    for (path, at) in rows {
        assert_eq!(JsonPath::compile(path).map(|_| ()).map_err(|e| e.at), Err(at), "{path}");
    }
    let deep = format!("$[?({}@.a{})]", "(".repeat(10_000), ")".repeat(10_000));
    assert!(JsonPath::compile(&deep).is_err());
    assert!(JsonPath::compile(&format!("$[?({}@.a)]", "!".repeat(5_000))).is_err());
    assert!(JsonPath::compile(&"$.a".repeat(5_000)).is_err());
    assert!(JsonPath::compile(&format!("$[?(@ in {}1{})]", "[".repeat(900), "]".repeat(900))).is_err());
}

#[test]
fn work_is_bounded() {
    let mut tape = Tape::new();
    let depth = 400;
    let document = format!("{}1{}", r#"{"a":"#.repeat(depth), "}".repeat(depth));
    let root = tape.read(document.as_bytes()).expect("JSON");
    let path = JsonPath::compile("$..a..a..a..a..a").expect("a path");
    assert!(matches!(path.find(root), Err(TooMuchWork)));
    let wide = format!("[{}0]", "0,".repeat(4_000));
    let root = tape.read(wide.as_bytes()).expect("JSON");
    assert!(matches!(JsonPath::compile("$[?(1 in $[*])]").expect("a path").find(root), Err(TooMuchWork)));
}

#[test]
fn the_deepest_document_can_be_searched() {
    let mut tape = Tape::new();
    let depth = crate::json::tape::DOCUMENT_DEPTH_MAX;
    let document = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let root = tape.read(document.as_bytes()).expect("JSON");
    let found = JsonPath::compile("$..[0]").expect("a path").find(root).expect("little work");
    assert!(matches!(found, Some(Found::List(list)) if list.len() == depth - 1));
}
