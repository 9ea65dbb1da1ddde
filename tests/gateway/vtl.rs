//! `ringgate vtl`: what somebody sees who writes templates, tests them and breaks them.

use std::path::Path;
use std::time::{Duration, Instant};

use super::harness::{Folder, Ran, run};

fn text(path: &Path) -> &str {
    path.to_str().expect("plain")
}

/// What `vtl eval` makes of a template.
fn eval(template: &str, more: &[&str]) -> Ran {
    let folder = Folder::new();
    let path = folder.write("t.vtl", template);
    run(&[&["vtl", "eval", text(&path)], more].concat())
}

#[test]
fn a_template_is_run_over_what_it_is_given() {
    let folder = Folder::new();
    let context = folder.write(
        "context.json",
        r#"{"context": {"stage": "prod", "identity": {"sourceIp": "192.0.2.1"}}, "stageVariables": {"colour": "red"},
            "params": {"path": {"id": "7"}, "querystring": {"q": "a b"}, "header": {"X-Key": "k"}}}"#,
    );
    let bare = folder.write("bare.json", r#"{"stage": "bare"}"#);
    let variables = folder.write("vars.json", r#"{"list": [1, {"a": null}], "name": "n"}"#);
    let body = folder.write("body.json", r#"{"name": "from a file"}"#);
    let (context, bare) = (format!("--context={}", text(&context)), format!("--context={}", text(&bare)));
    let (variables, body) = (format!("--vars={}", text(&variables)), format!("--input=@{}", text(&body)));
    let rows: [(&str, &[&str], &str); 9] = [
        ("plain", &[], "plain"),
        ("$input.json(\"$.name\")", &["--input={\"name\": \"n\"}"], "\"n\""),
        ("$input.path('$.name')", &[&body], "from a file"),
        ("[$input.path('$.name')]$input.body", &[], "[]{}"),
        ("$context.stage $context.identity.sourceIp $stageVariables.colour", &[&context], "prod 192.0.2.1 red"),
        ("$input.params('id') $input.params('q') $input.params('X-Key')", &[&context], "7 a b k"),
        ("$context.stage", &[&bare], "bare"),
        ("$list $name $none", &[&variables], "[1, {a=null}] n "),
        ("$list $name $none $input", &[&variables, "--dialect=velocity"], "[1, {a=null}] n $none $input"),
    ];
    for (template, more, expected) in rows {
        let Ran { code, out, err } = eval(template, more);
        assert_eq!((code, out.as_str(), err.as_str()), (Some(0), expected, ""), "{template} {more:?}");
    }
}

#[test]
fn what_is_wrong_in_a_template_is_shown_with_its_line_and_a_caret() {
    let long = format!("{}#if($a}}", "x".repeat(5_000));
    let shown = format!("  {}#if($a}}\n  {}^\n", "x".repeat(50 - 6), " ".repeat(50));
    let rows = [
        ("{\n\t#if($a}\n", "t.vtl:2:8: ", "  \t#if($a}\n  \t      ^\n"),
        ("é #set($x = $input.path(\"$[\"))", "t.vtl:1:20: not a JSONPath", "  é #set($x = $input.path(\"$[\"))\n"),
        ("#set($list = [1])\n$list.get(5)", "t.vtl:2:7: index 5", "  $list.get(5)\n        ^\n"),
        ("#macro(m)#m()#end\n#m()", "t.vtl:1:10: macros call each other deeper", "           ^\n"),
        (long.as_str(), "t.vtl:1:5007: ", shown.as_str()),
    ];
    for (template, place, excerpt) in rows {
        let Ran { code, out, err } = eval(template, &[]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains(place) && err.contains(excerpt), "{place}\n{err}");
    }
}

#[test]
fn templates_without_end_or_measure_are_stopped() {
    let run_on = "#foreach($i in [1..1000])#foreach($j in [1..1000])#foreach($k in [1..1000])x#end#end#end";
    let rows = [
        (run_on.to_owned(), "steps"),
        ("#set($s = 'xx')#foreach($i in [1..100])#set($s = $s + $s)#end".to_owned(), "t.vtl:1:"),
        (format!("{}$input.body", "x".repeat(300 * 1024)), "at most 307200 bytes"),
        ("#if($a)".repeat(20_000), "nested deeper than"),
    ];
    for (template, says) in rows {
        let started = Instant::now();
        let Ran { code, err, .. } = eval(&template, &[]);
        assert_eq!(code, Some(1), "{err}");
        assert!(err.contains(says) && err.len() < 1_000, "{says}: {err}");
        assert!(started.elapsed() < Duration::from_secs(5), "{says}: {:?}", started.elapsed());
    }
}

#[test]
fn a_body_that_is_no_json_is_pointed_out_where_it_matters() {
    let Ran { code, out, err } = eval("$input.json('$.a')", &["--input=a=1"]);
    assert_eq!((code, out.as_str()), (Some(0), "\"\""));
    assert!(err.starts_with("note: the input is not JSON"), "{err}");
    assert_eq!(eval("$input.body", &["--input=a=1"]).err, "");
}

#[test]
fn names_that_mean_nothing_are_pointed_out_with_their_place() {
    let Ran { code, out, err } = eval("a\n $util.toJson($input.path('$')) $context.stage", &[]);
    assert_eq!((code, out.as_str()), (Some(0), "a\n  "));
    assert!(err.contains(":2:2: note: $util.toJson() does not exist") && err.contains("\n   ^\n"), "{err}");
}

#[test]
fn patterns_that_go_back_and_try_again_are_pointed_out() {
    let template = "#set($n = \"1234567\")\n$n.replaceAll(\"(?<=\\d)(?=(?:\\d{3})+$)\", \",\")";
    let Ran { code, out, err } = eval(template, &[]);
    assert_eq!((code, out.as_str()), (Some(0), "1,234,567"), "{err}");
    assert!(err.contains("t.vtl:2:4: note: the pattern `(?<=\\d)(?=(?:\\d{3})+$)` goes back"), "{err}");
    assert!(err.contains("\n  $n.replaceAll(") && err.ends_with("\n     ^\n"), "{err}");
}

#[test]
fn files_of_values_that_are_wrong_are_shown_with_their_place() {
    let folder = Folder::new();
    for (name, content, says) in [
        ("cut.json", "{\"a\": 1,\n \"b\": tru}", "cut.json:2:10: not JSON"),
        ("list.json", "[1]", "list.json:1:1: not an object"),
        ("empty.json", "", "empty.json:1:1: not JSON"),
    ] {
        let path = folder.write(name, content);
        for flag in ["--vars", "--context"] {
            let Ran { code, err, .. } = eval("x", &[flag, text(&path)]);
            assert_eq!(code, Some(1), "{err}");
            assert!(err.contains(says), "{says}: {err}");
        }
    }
}

#[test]
fn a_wrong_call_ends_with_2() {
    let folder = Folder::new();
    let template = folder.write("t.vtl", "x");
    let binary = folder.file("binary.vtl");
    std::fs::write(&binary, b"a\xff").expect("a temporary file");
    let (template, empty) = (text(&template), Folder::new());
    let empty = empty.file("");
    let rows: [(&[&str], &str); 11] = [
        (&["vtl", "eval"], "<TEMPLATE>"),
        (&["vtl", "eval", "/nowhere/t.vtl"], "/nowhere/t.vtl"),
        (&["vtl", "eval", "/dev/zero"], "more than"),
        (&["vtl", "eval", text(&binary)], "not UTF-8"),
        (&["vtl", "eval", template, "--input=@/nowhere/body"], "/nowhere/body"),
        (&["vtl", "eval", template, "--vars=/nowhere/v.json"], "/nowhere/v.json"),
        (&["vtl", "eval", template, "--dialect=freemarker"], "freemarker"),
        (&["vtl", "test"], "<DIR>"),
        (&["vtl", "test", "/nowhere"], "/nowhere"),
        (&["vtl", "test", text(&empty)], "no case"),
        (&["vtl"], "eval"),
    ];
    for (arguments, says) in rows {
        let Ran { code, out, err } = run(arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
        assert!(err.contains(says), "{arguments:?}: {err}");
    }
}

#[test]
fn golden_files_pass_fail_and_show_branches_that_no_case_took() {
    let folder = Folder::new();
    folder.write("greet.vtl", "#if($input.path('$.name') == '')Hello\n#{else}Hello $input.path('$.name')\n#end\n");
    folder.write("greet.named.body", "{\"name\": \"Ada\"}");
    folder.write("greet.named.out", "Hello Ada\n");
    folder.write("broken.vtl", "#if($a}");
    folder.write("broken.err", "not expected");
    let all = |code: i32, says: &[&str]| {
        let Ran { code: ended, out, err } = run(&["vtl", "test", text(&folder.file(""))]);
        assert_eq!(ended, Some(code), "{out}{err}");
        assert!(says.iter().all(|says| out.contains(says)), "{says:?}: {out}");
    };
    all(0, &["greet.vtl:1:1: no case meets the condition", "2 passed, 0 failed; 1 of 2 branches taken"]);

    folder.write("greet.nobody.body", "{\"name\": \"\"}");
    folder.write("greet.nobody.out", "Hello\n");
    all(0, &["3 passed, 0 failed; 2 of 2 branches taken"]);

    folder.write("greet.wrong.out", "Hello Bob");
    folder.write("greet.spoilt.out", "Hello");
    folder.write("greet.spoilt.json", "{");
    folder.write("lonely.vtl", "x");
    let spoilt = "greet.spoilt.json:1:1: not JSON";
    all(1, &["expected \"Hello Bob\"", spoilt, "lonely.vtl: no case", "3 passed, 2 failed"]);
}
