//! The command line: what it says and how it ends when something is wrong.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::harness::{Folder, Ran, document, mock, proxy, routes, run};

fn fine() -> String {
    document(&routes(&[("/x", "get", mock("x"))])).to_string()
}

#[test]
fn a_wrong_call_ends_with_2_and_says_what_is_wrong() {
    let folder = Folder::new();
    let file = folder.write("api.json", &fine());
    let file = file.to_str().expect("plain");
    let rows: [(&[&str], &str); 12] = [
        (&["dev", file, "--nonsense"], "--nonsense"),
        (&["dev", file, "--listen=nowhere"], "--listen"),
        (&["dev", file, "--shards=0"], "--shards"),
        (&["dev", file, "--head-timeout=soon"], "--head-timeout"),
        (&["dev", file, "--listen=127.0.0.1:9", "--admin=127.0.0.1:9"], "share a socket"),
        (&["dev", file, "--admin=0.0.0.0:1"], "--admin"),
        (&["dev", file, "--upstream=x"], "--upstream"),
        (&["dev", file, "--proxy-protocol"], "--trusted-proxies"),
        (&["dev", "/nowhere/api.json"], "/nowhere/api.json"),
        (&["check", "/nowhere/api.json"], "/nowhere/api.json"),
        (&["check"], "FILE"),
        (&["frobnicate"], "frobnicate"),
    ];
    for (arguments, says) in rows {
        let Ran { code, err, out } = run(arguments);
        assert_eq!(code, Some(2), "{arguments:?}: {err}{out}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
    // Every problem at once.
    let Ran { err, .. } = run(&["dev", file, "--shards=0", "--account=x"]);
    assert!(err.contains("--shards") && err.contains("--account"), "{err}");
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = Folder::new();
    let file = folder.write("api.json", &fine());
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    for (flag, other) in [("--listen", "--admin"), ("--admin", "--listen")] {
        let (taken, free) = (format!("{flag}={address}"), format!("{other}=127.0.0.1:0"));
        let Ran { code, err, .. } = run(&["dev", file.to_str().expect("plain"), &taken, &free]);
        assert_eq!(code, Some(2), "{err}");
        assert!(err.contains(flag) && err.contains(&address) && err.contains("choose another"), "{err}");
    }
}

#[test]
fn a_document_that_cannot_be_served_ends_with_1_and_a_place() {
    let folder = Folder::new();
    let whole = fine();
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let rows = [
        ("truncated.json", whole[..whole.len() / 2].to_owned()),
        ("truncated.yaml", "openapi: 3.0.1\npaths:\n  /x:\n    get: {".to_owned()),
        ("list.json", "[1, 2, 3]".to_owned()),
        ("text.json", "\"hello\"".to_owned()),
        ("empty.json", String::new()),
        ("other.yaml", "name: something else\n".to_owned()),
        ("version.json", "{\"openapi\": \"9.0.0\", \"paths\": {}}".to_owned()),
        ("deep.json", deep),
        ("bomb.yaml", bomb()),
    ];
    for (name, text) in rows {
        let path = folder.write(name, &text);
        let path = path.to_str().expect("plain");
        for arguments in [vec!["check", path], vec!["dev", path, "--listen=127.0.0.1:0", "--admin=127.0.0.1:0"]] {
            let started = Instant::now();
            let Ran { code, out, err } = run(&arguments);
            assert_eq!(code, Some(1), "{name}: {out}{err}");
            assert!(
                format!("{out}{err}").contains(&format!("{name}:1"))
                    || format!("{out}{err}").contains(&format!("{name}:")),
                "{name}: {out}{err}"
            );
            assert!(started.elapsed() < Duration::from_secs(5), "{name}: {:?}", started.elapsed());
        }
    }
}

/// Aliases of aliases: a few lines that stand for billions.
fn bomb() -> String {
    let mut text = "openapi: 3.0.1\na: &a [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for (name, before) in ["b", "c", "d", "e", "f", "g", "h", "i"].iter().zip(["a", "b", "c", "d", "e", "f", "g", "h"])
    {
        let of = format!("*{before}");
        text.push_str(&format!("{name}: &{name} [{}]\n", [of.as_str(); 9].join(", ")));
    }
    text.push_str("paths: *i\n");
    text
}

#[test]
fn a_loop_of_references_is_told_and_does_not_hang() {
    let folder = Folder::new();
    let mut looping = document(&json!({"/x": {"$ref": "#/paths/~1y"}, "/y": {"$ref": "#/paths/~1x"}}));
    looping["components"] =
        json!({"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}}});
    let path = folder.write("loop.json", &looping.to_string());
    let Ran { code, out, .. } = run(&["check", path.to_str().expect("plain")]);
    assert_eq!(code, Some(1), "{out}");
    assert!(out.contains("$ref") || out.contains("reference"), "{out}");
    // A schema that contains itself is an honest one.
    let mut tree = document(&routes(&[("/x", "get", mock("x"))]));
    tree["components"] =
        json!({"schemas": {"Tree": {"type": "object", "properties": {"left": {"$ref": "#/components/schemas/Tree"}}}}});
    let path = folder.write("tree.json", &tree.to_string());
    assert_eq!(run(&["check", path.to_str().expect("plain")]).code, Some(0));
}

#[test]
fn files_that_are_no_text_or_too_large_are_refused_as_such() {
    let folder = Folder::new();
    let (binary, large) = (folder.file("binary.json"), folder.file("large.json"));
    std::fs::write(&binary, b"{\"openapi\": \"\xff\xfe\"}").expect("a temporary file");
    std::fs::File::create(&large).and_then(|file| file.set_len(7 << 20)).expect("a temporary file");
    for (path, says) in [
        (&binary, "not UTF-8"),
        (&large, "--limits relaxed"),
        (&folder.file(""), "directory"),
        (&"/dev/zero".into(), "--limits relaxed"),
    ] {
        for command in ["check", "dev"] {
            let Ran { code, err, .. } = run(&[command, path.to_str().expect("plain")]);
            assert_eq!(code, Some(2), "{err}");
            assert!(err.contains(says), "{err}");
        }
    }
}

#[test]
fn check_tells_errors_from_warnings_for_people_and_programs() {
    let folder = Folder::new();
    let warned = document(&routes(&[("/x", "post", proxy("http://a.example/"))])).to_string();
    let broken =
        document(&json!({"/x": {"get": {"x-amazon-apigateway-integration": {"type": "nonsense"}}}})).to_string();
    for (name, text, code, strict) in [("warned.json", warned, 0, 1), ("broken.json", broken, 1, 1)] {
        let path = folder.write(name, &text);
        let path = path.to_str().expect("plain");
        let human = run(&["check", path]);
        assert_eq!(human.code, Some(code), "{name}: {}", human.out);
        assert!(human.out.contains(" errors, ") && human.out.contains(&format!("{name}:1:")), "{}", human.out);
        assert_eq!(run(&["check", path, "--strict"]).code, Some(strict), "{name}");
        let json = run(&["check", path, "--format=json"]);
        assert_eq!(json.code, Some(code));
        let findings: Value = serde_json::from_str(&json.out).unwrap_or_else(|error| panic!("{error}: {}", json.out));
        let text = findings.to_string();
        assert!(text.contains(if code == 1 { "\"error\"" } else { "\"warning\"" }), "{text}");
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [["--help"], ["--version"], ["help"]] {
        let Ran { code, out, .. } = run(&arguments);
        assert_eq!(code, Some(0));
        assert!(out.contains("ringgate"), "{out}");
    }
}

#[test]
fn the_largest_published_document_is_checked_at_once() {
    let root = std::env::var_os("RINGGATE_CONFORMANCE").map_or_else(
        || std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance"),
        std::path::PathBuf::from,
    );
    let Ok(folder) = std::fs::read_dir(root.join("openapi/documents")) else {
        println!("no documents at {}", root.display());
        return;
    };
    let size = |path: &std::path::PathBuf| std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let largest = folder.flatten().map(|entry| entry.path()).max_by_key(size).expect("there are some");
    let started = Instant::now();
    let Ran { code, out, .. } = run(&["check", largest.to_str().expect("plain"), "--limits=relaxed"]);
    let taken = started.elapsed();
    assert!(matches!(code, Some(0 | 1)), "{}", &out[..out.len().min(500)]);
    // Built without optimization, on a machine that does other things too.
    assert!(taken < Duration::from_secs(4), "{taken:?} for {}", largest.display());
}
