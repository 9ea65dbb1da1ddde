//! The language at its own seam: what a template prints, and what it must not do.

use serde_json::{Value, json};

use super::{Coverage, Dialect, Document, FailureKind, Machine, compile, limits};

fn run(template: &str, variables: &Value) -> Result<String, FailureKind> {
    let document = Document::new(variables);
    let program = compile(template, Dialect::Velocity, Coverage::Off, &mut &document);
    let program = program.unwrap_or_else(|error| panic!("{template}: {error}"));
    let mut out = Vec::new();
    let result = Machine::new().run(&program, &mut &document, &mut out);
    result.map(|()| String::from_utf8(out).expect("text")).map_err(|failure| failure.kind)
}

fn check(rows: &[(&str, &str)]) {
    let variables = json!({
        "s": "hello", "n": 7, "d": 2.5, "list": ["a", "b"], "map": {"k": "v", "in": {"x": 1}}, "e": [], "z": null,
    });
    for (template, expected) in rows {
        assert_eq!(run(template, &variables).as_deref(), Ok(*expected), "{template}");
    }
}

fn refused(template: &str) -> (u32, u32) {
    for dialect in [Dialect::Velocity, Dialect::ApiGateway] {
        let error = compile(template, dialect, Coverage::Off, &mut ()).expect_err(template);
        if dialect == Dialect::ApiGateway {
            return (error.place.line, error.place.column);
        }
    }
    unreachable!("the last dialect returns")
}

#[test]
fn references_print_their_values_or_their_source() {
    check(&[
        ("$s ${s}! $!s $map.k ${map.in.x} $list[1] $list[-1]", "hello hello! hello v 1 b b"),
        ("$none $!none ${none.a} $s.foo $map.get('q')", "$none  ${none.a} $s.foo $map.get('q')"),
        ("\\$s \\\\$s \\$none $$s $1", "$s \\hello \\$none $hello $1"),
        ("$s-x.y", "$s-x.y"),
        ("$map.z.y $!map.z.y $!z $z.k $list.a.b $map.in $map.in.x.y", "$map.z.y   $z.k $list.a.b {x=1} $map.in.x.y"),
        ("#set($i = $list.iterator())$i.next()$i.hasNext()$i.next()$i.hasNext()", "atruebfalse"),
        ("#set($i = $list.iterator())$i.next()#set($_ = $list.add('c'))$i.next()$i.next()", "abc"),
        ("#set($_ = $map.put('k', 'w'))$map.k $map.in.x|#set($_ = $map.in.put('x', 2))$map.in.x", "w 1|2"),
        ("$map['k']$map[\"in\"].x $list $map", "v1 [a, b] {k=v, in={x=1}}"),
        // Signs in double quotes that begin no reference are text.
        ("#set($x = \"$.a # $\")$x #set($x = \"#\")$x #set($x = \"$1 #*no*#\")$x|", "$.a # $#$1 |"),
    ]);
}

#[test]
fn arithmetic_is_javas() {
    check(&[
        ("#set($r = 7 / 2)$r", "3"),
        ("#set($r = 7 / 2.0)$r", "3.5"),
        ("#set($r = 2147483647 + 1)$r", "2147483648"),
        ("#set($r = 9223372036854775807 + 1)$r", "9223372036854775808"),
        ("#set($r = 1)#set($r = 7 / 0)$r", "1"),
        ("#set($r = (1 + 2) * 3 - -4 % 3)$r", "10"),
        ("#set($r = 'a' + 1 + $d)$r", "a12.5"),
        ("#set($r = $n == 7.0 && 'x' < 'y')$r", "false"),
    ]);
}

#[test]
fn macros_take_their_arguments_by_name() {
    check(&[
        ("#macro(m $a)#set($s = 'x')$a#end#m($s)", "x"),
        ("#macro(m $a)$a#end#m($none)#m('q')", "$noneq"),
        ("#macro(m $a)#n()#end#macro(n)<$a>#end#m(1)", "<1>"),
        ("#macro(m $a)#set($a = 5)$a#end#m(1)$a", "55"),
        ("#@m(1)body#end#macro(m $a)$a$bodyContent#end", "1body"),
        ("#define($b)$s#end#set($s = 'late')$b", "late"),
    ]);
}

#[test]
fn a_machine_that_failed_runs_the_next_program() {
    let mut machine = Machine::new();
    let failing = compile("a#set($x = \"b$list[7]\")c", Dialect::Velocity, Coverage::Off, &mut &list()).unwrap();
    let mut out = Vec::new();
    let failure = machine.run(&failing, &mut &list(), &mut out).unwrap_err();
    assert_eq!((failure.kind, failure.place.line, &out[..]), (FailureKind::Call, 1, &b"a"[..]));
    let fine = compile("#foreach($i in $list)$i#end", Dialect::Velocity, Coverage::Off, &mut &list()).unwrap();
    out.clear();
    machine.run(&fine, &mut &list(), &mut out).unwrap();
    assert_eq!(out, b"12");
}

fn list() -> Document {
    Document::new(&json!({"list": [1, 2]}))
}

#[test]
fn errors_name_line_and_column() {
    assert_eq!(refused("a\n  #if($x)b"), (2, 11));
    assert_eq!(refused("#set($x = )"), (1, 11));
    assert_eq!(refused("ą #foreach($i)x#end"), (1, 3));
    assert_eq!(refused("#set($x = [1, 2"), (1, 16));
    assert_eq!(refused("x\n#end"), (2, 1));
}

/// Few enough times that only what is asked can be too much.
fn over_and_over(asked: &str) -> String {
    format!("#foreach($i in [1..100])#foreach($j in [1..300])#set($x = 1){asked}#end#end")
}

#[test]
fn what_would_not_end_is_stopped() {
    let doubling = format!("#set($s = 'xxxxxxxx'){}", "#set($s = \"$s$s$s$s$s$s$s$s\")".repeat(12));
    let lists = format!("#set($l = [1]){}$l", "#set($l = [$l, $l, $l, $l])".repeat(30));
    let rows = [
        ("#foreach($i in [1..3000])#foreach($j in [1..3000])#set($x = 1)#end#end".to_owned(), FailureKind::Steps),
        ("#macro(m)#m()#end#m()".to_owned(), FailureKind::MacroDepth),
        (doubling, FailureKind::Output),
        ("#set($l = [1..2000000000])".to_owned(), FailureKind::Steps),
        (lists, FailureKind::Output),
        (
            "#set($s = 'xxxxxxxxxx')#foreach($i in [1..2000])#foreach($j in [1..200])$s$s$s$s$s$s$s#end#end".to_owned(),
            FailureKind::Output,
        ),
        ("#set($x = $s.repeat(2000000000))".to_owned(), FailureKind::Memory),
        ("#set($l = [])#set($q = $l.add($l))$l".to_owned(), FailureKind::Depth),
        (over_and_over("$!keys.none"), FailureKind::Steps),
        (over_and_over("$!keys.get('none')"), FailureKind::Steps),
        (over_and_over("$!items[-1]"), FailureKind::Steps),
        (over_and_over("$!items.get(900)"), FailureKind::Steps),
        (over_and_over("#if($items.contains('none'))#end"), FailureKind::Steps),
        (over_and_over("#if($s.equalsIgnoreCase($long))#end"), FailureKind::Steps),
        // The pattern reads to the end after each match; and patterns that are made up take time to compile.
        ("$long.replaceAll('a(?s:.)*b|a', 'c')".to_owned(), FailureKind::Call),
        ("$long.replaceAll('(?<=a)a', 'c')".to_owned(), FailureKind::Call),
        ("#foreach($i in [1..1000])$s.matches(\"x$i\")#end".to_owned(), FailureKind::Call),
    ];
    let keys: serde_json::Map<_, _> = (0..1_000).map(|i| (format!("k{i}"), json!(i))).collect();
    let items: Vec<_> = (0..1_000).collect();
    let variables = json!({"s": "text", "keys": keys, "items": items, "long": "a".repeat(100_000)});
    assert_eq!(run(&over_and_over(""), &variables), Ok(String::new()));
    for (template, kind) in rows {
        assert_eq!(
            run(&template, &variables).map(|out| out.len()),
            Err(kind),
            "{}",
            &template[..template.len().min(80)]
        );
    }
}

#[test]
fn large_and_deep_templates_are_read_or_refused() {
    let text = "x".repeat(limits::TEMPLATE_BYTES_MAX);
    assert_eq!(run(&text, &json!({})).map(|out| out.len()), Ok(text.len()));
    assert_eq!(refused(&format!("{text}x")), (1, 1));
    refused(&"#if(true)".repeat(20_000));
    refused(&"#set($x=".repeat(20_000));
    refused(&format!("#set($x = {}1)", "(".repeat(50_000)));
    refused(&format!("#set($x = {}1)", "!".repeat(50_000)));
    refused(&format!("#set($x = {}1)", "[".repeat(50_000)));
    refused(&format!("#set($x = 1{})", " + 1".repeat(50_000)));
    refused(&format!("{}1{}", "$a[".repeat(50_000), "]".repeat(50_000)));
    for mass in ["$a ", "\\", "##\n", "#set($a = 1)", "$a.b.c[0]", "#a ", "{", "$", "#", "\"", "#if(true)#end"] {
        let template = mass.repeat(limits::TEMPLATE_BYTES_MAX / mass.len());
        let _ = compile(&template, Dialect::Velocity, Coverage::Off, &mut ());
    }
}

#[test]
fn loops_of_api_gateway_end_after_a_thousand_passes() {
    let document = Document::default();
    let program = compile("#foreach($i in [1..5000])x#end", Dialect::ApiGateway, Coverage::Off, &mut ()).unwrap();
    let mut out = Vec::new();
    Machine::new().run(&program, &mut &document, &mut out).unwrap();
    assert_eq!(out.len(), limits::FOREACH_PASSES_MAX);
}

#[test]
fn patterns_are_javas_and_those_that_go_back_are_remarked_with_their_place() {
    check(&[
        ("$s.matches('h.*o') $s.matches('ell') $s.replaceAll('(?=l)', '-')", "true false he-l-lo"),
        ("$s.replaceFirst('(l)\\1', '<$1>') #foreach($p in $s.split('(?<=e)'))$p;#end", "he<l>o he;llo;"),
        ("#set($p = 'l+')$s.replaceAll($p, 'L') $s.matches(\"${s}+\")", "heLo true"),
    ]);
    let text = "$a.matches('x+')\n  $a.b.replaceAll('(?!x)y', 'z')\n#if($a.split(\"(\"))#end$a.matches($p)";
    let program = compile(text, Dialect::ApiGateway, Coverage::Off, &mut ()).unwrap();
    let [going_back, wrong] = program.remarks() else { panic!("{:?}", program.remarks()) };
    assert_eq!((going_back.place.line, going_back.place.column), (2, 8));
    assert!(going_back.message.starts_with("the pattern `(?!x)y` goes back"), "{}", going_back.message);
    assert_eq!((wrong.place.line, wrong.place.column), (3, 8));
    assert!(wrong.message.starts_with("the pattern `(` cannot be used"), "{}", wrong.message);
}
