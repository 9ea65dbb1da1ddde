//! Templates as AWS documents and answers them.

use serde_json::json;

use super::{FailureKind, OverrideTarget, Overrides, Renderer, Sample, Template};

fn sample() -> Sample {
    Sample {
        path: vec![("id".into(), "123".into())],
        query: "name=Bella&type=dog&q=a+b%21".into(),
        headers: vec![("header1".into(), "header1Val".into()), ("X-One".into(), "1".into())],
        context: vec![
            ("stage".into(), "prod".into()),
            ("identity.sourceIp".into(), "192.0.2.1".into()),
            ("authorizer.tenant".into(), "acme".into()),
        ],
        stage_variables: vec![("host".into(), "example.com".into()), ("v".into(), "1".into())],
        ..Sample::default()
    }
}

fn render(template: &str, body: &str) -> String {
    let message = Sample { body: body.into(), ..sample() };
    let compiled = Template::compile(template, &message).unwrap_or_else(|error| panic!("{template}: {error}"));
    let mut out = Vec::new();
    let mut overrides = Overrides::default();
    let result = Renderer::new().render(&compiled, &message, &mut overrides, &mut out);
    result.unwrap_or_else(|failure| panic!("{template}: {failure}"));
    String::from_utf8(out).unwrap()
}

#[test]
fn paths_over_and_over_are_stopped_like_one_that_looks_everywhere() {
    let keys: Vec<_> = (0..20_000).map(|index| format!("\"k{index}\":{{}}")).collect();
    let message = Sample { body: format!("{{{}}}", keys.join(",")).into(), ..sample() };
    for path in ["$..none", "$.none", "$.k19999.x"] {
        let template = format!("#foreach($i in [1..1000])#foreach($j in [1..9])$input.path('{path}')#end#end");
        let compiled = Template::compile(&template, &message).unwrap_or_else(|error| panic!("{template}: {error}"));
        let result = Renderer::new().render(&compiled, &message, &mut Overrides::default(), &mut Vec::new());
        assert_eq!(result.map_err(|failure| failure.kind), Err(FailureKind::Steps), "{path}");
    }
}

fn check(rows: &[(&str, &str, &str)]) {
    for (template, body, expected) in rows {
        assert_eq!(render(template, body), *expected, "{template} of {body}");
    }
}

#[test]
fn documented_examples_render_as_documented() {
    let dog = r#"{ "Price" : "249.99", "Age": "6" }"#;
    let things = r#"{"things":{"1":{},"2":{},"3":{}}}"#;
    check(&[
        (
            r#"{"name" : "$input.params('name')", "body" : $input.json('$')}"#,
            dog,
            r#"{"name" : "Bella", "body" : {"Price":"249.99","Age":"6"}}"#,
        ),
        (r#"$input.json('$.Age')"#, dog, r#""6""#),
        (r#""$util.escapeJavaScript($input.json('$.Age'))""#, dog, r#""\"6\"""#),
        (
            r#"{"id" : "$input.params('id')", "count" : "$input.path('$.things').size()", "things" : $input.json('$.things')}"#,
            things,
            r#"{"id" : "123", "count" : "3", "things" : {"1":{},"2":{},"3":{}}}"#,
        ),
        (
            "#set ($o = $util.parseJson($input.path('$.errorMessage'))) {\"v\" : $o.key2.arr[0]}",
            r#"{"errorMessage":"{\"key1\":\"var1\",\"key2\":{\"arr\":[1,2,3]}}"}"#,
            " {\"v\" : 1}",
        ),
    ]);
}

#[test]
fn recorded_values_print_as_recorded() {
    let result = "#set($result = $input.path(\"$.json\"))$result";
    let nulls = "#set($r = $input.path('$.json')){\"body\": $r, \"nested\": $r.nested, \"isNull\": \
                 #if( $r == $null )\"true\"#else\"false\"#end, \"isEmptyString\": #if( $r == \"\" )\"true\"#else\"false\"#end}";
    let is_null = r#"{"body": , "nested": , "isNull": "true", "isEmptyString": "true"}"#;
    check(&[
        (result, r#"{"json":{"foo":"bar"}}"#, "{foo=bar}"),
        (result, r#"{"json":[{"foo":"bar"}]}"#, r#"[{"foo":"bar"}]"#),
        (result, r#"{"json":{"foo":[{"nested":"bar"}]}}"#, r#"{foo=[{"nested":"bar"}]}"#),
        (result, r#"{"json":{"bigger": "dict", "to": "test"}}"#, "{bigger=dict, to=test}"),
        ("#set($r = $input.path('$'))$r[0]", r#"[{"foo":"bar"}]"#, "{foo=bar}"),
        ("#set($r = $input.path('$'))$r[0]", r#"[["a",1]]"#, r#"["a",1]"#),
        (nulls, "", is_null),
        (nulls, r#"{"json":null}"#, is_null),
        (nulls, r#"{"json":[]}"#, r#"{"body": [], "nested": , "isNull": "false", "isEmptyString": "false"}"#),
        ("M=$input.body", "", "M={}"),
        ("M=$input.body", "some raw data", "M=some raw data"),
        (
            "B=$util.urlEncode($input.body)&A=$util.urlEncode($input.body.testAccess)",
            "some raw data",
            "B=some+raw+data&A=",
        ),
        ("$input.json('$.none')", "{}", "\"\""),
        ("$input.json('$')", "not json", "\"\""),
        ("$input.json('$')", "{ \"a\" : [ 1, 2.50 ],\n \"b\": \"\\u00e9\" }", "{\"a\":[1,2.50],\"b\":\"é\"}"),
    ]);
}

#[test]
fn parameters_come_from_path_query_and_headers() {
    check(&[
        ("$input.params('id')$input.params('q')$input.params('X-One')|$input.params('none')|", "", "123a b!1||"),
        (
            "$input.params().path.id|$input.params().querystring.get('type')|$input.params().header['X-One']",
            "",
            "123|dog|1",
        ),
        (
            "#set($p = $input.params())$p.keySet()|$p.header.keySet()|$p.get('path').id",
            "",
            "[path, querystring, header]|[header1, X-One]|123",
        ),
        ("#set($n = 'id')$input.params($n)$input.params().path.get($n)", "", "123123"),
        (
            "$stageVariables.host|${stageVariables['host']}|$stageVariables.get('v')|$stageVariables.none|",
            "",
            "example.com|example.com|1||",
        ),
        ("#foreach($k in $stageVariables.keySet())$k=$stageVariables.get($k);#end", "", "host=example.com;v=1;"),
    ]);
}

#[test]
fn context_is_read_by_name_and_as_a_map() {
    check(&[
        (
            "$context.stage|$context.identity.sourceIp|$context.authorizer.tenant|$context.identity.user|",
            "",
            "prod|192.0.2.1|acme||",
        ),
        ("$context.get('stage')|#set($n = 'stage')$context[$n]|$context.get(\"identity\")|", "", "prod|prod||"),
        ("#foreach($k in $context.authorizer.keySet())$k#end", "", "tenant"),
        ("$context.keySet().size()|$context.containsKey('stage')", "", "19|true"),
        ("#set($m = $context.identity)$m.sourceIp", "", "192.0.2.1"),
    ]);
}

#[test]
fn documents_can_be_navigated_and_changed() {
    let photos = r#"{"photos":{"photo":[{"id":"1","n":1,"p":19.95},{"id":"2","n":0,"p":1.50}]}}"#;
    check(&[
        (
            "#set($r = $input.path('$'))#foreach($e in $r.photos.photo){\"id\":\"$e.id\",\"n\":$e.n,\"p\":$e.p}#if($foreach.hasNext),#end#end",
            photos,
            r#"{"id":"1","n":1,"p":19.95},{"id":"2","n":0,"p":1.50}"#,
        ),
        (
            "#set($r = $input.path('$'))#set($r.x = 'y')#set($_ = $r.photos.photo.add('z'))$r",
            r#"{"photos":{"photo":[]}}"#,
            r#"{photos={photo=["z"]}, x=y}"#,
        ),
        ("#set($i = 1)$input.path(\"$.photos.photo[${i}].id\")$input.json(\"$.photos.photo[$i].n\")", photos, "20"),
        ("$input.path('$..id')|$input.path('$..id').size()", photos, r#"["1","2"]|2"#),
        (
            "#set($n = $input.path('$..n'))$n|$n[0]|$n.get(1)|$n.contains(0)#foreach($i in $n)|$i#end",
            photos,
            "[1,0]|1|0|true|1|0",
        ),
        (
            "#set($x = $input.path('$.l[*].x'))$x|$x[0]|$x[1]|$x[2]|$x[3]|$x[3][0]",
            r#"{"l":[{"x":true},{"x":null},{"x":2.50},{"x":[1]},{"x":12345678901}]}"#,
            "[true,null,2.50,[1],12345678901]|true||2.50|[1]|1",
        ),
        ("#set($m = $input.path(\"$.photos.photo[1]['n','id']\"))$m|$m.n|$m.get('id')", photos, "{n=0, id=2}|0|2"),
        ("#set($l = ['a', 'b'])$l", "", "[a, b]"),
        ("#set($x = $input.path('$.photos.photo[1].p') + 1)$x", photos, "2.5"),
    ]);
}

/// As users' templates have it: qiita.com/makisyu/items/649f2c1945bde57c129f, and many that put a time into what they pass on.
#[test]
fn what_a_template_changes_in_the_body_is_there_for_input() {
    let body = r#"{"id":7,"l":[{"n":1},{"n":2.50}],"o":{"a":"\"q\"","b":null}}"#;
    let changed = "#set($b = $input.path('$'))#set($b.url = \"/x/$b.id\")#set($b.o.a = ['z', 1, true])\
                   #set($b.l[1].n = {'k': 5})";
    let json = r#"{"id":7,"l":[{"n":1},{"n":{"k":5}}],"o":{"a":["z",1,true],"b":null},"url":"/x/7"}"#;
    let with = |rest: &str| format!("{changed}{rest}");
    check(&[
        (&with("$input.json('$')"), body, json),
        (&with("#set($p = '$')$input.json($p)"), body, json),
        (&with("$util.parseJson($input.json('$.o')).a[0]"), body, "z"),
        (&with("$input.json('$.url')|$input.json('$.l[-1].n')|$input.json('$.none')"), body, r#""/x/7"|{"k":5}|"""#),
        (&with("$input.path('$.url')|$input.path('$.l[1].n.k')|$input.path('$.none')|"), body, "/x/7|5||"),
        (
            &with("$input.json('$.l[*].n')|$input.path('$..k')|$input.path('$.l.length()')"),
            body,
            r#"[1,{"k":5}]|[5]|2"#,
        ),
        (&with("#set($o = $input.path('$.o'))#set($o.c = 1)$input.json('$.o.c')$b.o.c"), body, "11"),
        (&with("$input.body"), body, body),
        ("#set($b = $input.path('$'))$b.remove('a')$input.json('$')", r#"{"a":1,"b":2}"#, r#"1{"b":2}"#),
        ("#set($l = $input.path('$.l'))#set($_ = $l.add(3))$input.json('$.l')", r#"{"l":[1,2]}"#, "[1,2,3]"),
        ("#set($b = $input.path('$'))$input.json('$')", r#"{ "a": 1.0 }"#, r#"{"a":1.0}"#),
    ]);
}

#[test]
fn the_time_of_the_request_is_a_number() {
    let template = "#set($t = $context.requestTimeEpoch / 1000 + 60)$t|$context.requestTimeEpoch|\
                    #set($s = $context.requestTimeEpoch.toString())$s.length()|\
                    #if($context.requestTimeEpoch > 1 && $context['requestTimeEpoch'] == '1700000000123')yes#end|\
                    #set($b = $input.path('$'))#set($b.at = $context.requestTimeEpoch)$input.json('$')";
    let message = Sample { context: vec![("requestTimeEpoch".into(), "1700000000123".into())], ..sample() };
    let compiled = Template::compile(template, &message).unwrap();
    let mut out = Vec::new();
    Renderer::new().render(&compiled, &message, &mut Overrides::default(), &mut out).unwrap();
    assert_eq!(String::from_utf8_lossy(&out), r#"1700000060|1700000000123|13|yes|{"at":1700000000123}"#);
}

#[test]
fn stringified_json_is_parsed() {
    check(&[
        ("$util.parseJson($input.json('$.s')).length()", r#"{"s":"{\"a\":1}"}"#, "7"),
        ("$util.parseJson($util.parseJson($input.json('$.s'))).a", r#"{"s":"{\"a\":1}"}"#, "1"),
        ("[$util.parseJson('5')$util.parseJson('no')$util.parseJson('')$util.parseJson($x)]", "", "[]"),
    ]);
}

#[test]
fn what_has_no_value_is_an_empty_text() {
    check(&[
        ("[$x][${x.y}][$!x]", "", "[][][]"),
        ("#if($x == '' && $x == $null && \"$x\" == '')yes#end", "", "yes"),
        ("#set($a = $x)#if($a == '')empty#end", "", "empty"),
        ("#foreach($i in $x)$i#end", "", ""),
        ("#evaluate('x')", "", "#evaluate('x')"),
        ("\\$x \\#if", "", "$x #if"),
    ]);
}

#[test]
fn overrides_count_when_the_template_has_run() {
    let message = sample();
    let template = "#set($context.requestOverride.header.X-Amz-Target = \"a$input.params('id')\")\
                    #set($context.requestOverride.header.many = ['a', 'b'])\
                    #set($h = 'q')#set($context[\"requestOverride\"].querystring[$h] = 1)\
                    $!context.requestOverride.path.put('proxy', 'p')\
                    #set($context.responseOverride.status = 202)#set($context.responseOverride.header['x'] = 'y')";
    let compiled = Template::compile(template, &message).unwrap();
    assert!(compiled.sets_overrides() && !compiled.reads_body());
    let (mut renderer, mut overrides, mut out) = (Renderer::new(), Overrides::default(), Vec::new());
    renderer.render(&compiled, &message, &mut overrides, &mut out).unwrap();
    let of = |target| overrides.of(target).map(|o| (&*o.name, o.values.join(","))).collect::<Vec<_>>();
    assert_eq!(of(OverrideTarget::RequestHeader), [("X-Amz-Target", "a123".into()), ("many", "a,b".into())]);
    assert_eq!(of(OverrideTarget::RequestQuery), [("q", "1".into())]);
    assert_eq!(of(OverrideTarget::RequestPath), [("proxy", "p".into())]);
    assert_eq!(of(OverrideTarget::ResponseHeader), [("x", "y".into())]);
    assert_eq!(overrides.status(), Some(202));
    // The next template reads what this one set, and changes it.
    let next = "$context.responseOverride.status $context.requestOverride.header.many\
                #set($context.responseOverride.status = 99)";
    let compiled = Template::compile(next, &message).unwrap();
    out.clear();
    renderer.render(&compiled, &message, &mut overrides, &mut out).unwrap();
    assert_eq!(String::from_utf8_lossy(&out), "202 [a, b]");
    assert_eq!((overrides.status(), overrides.of(OverrideTarget::RequestHeader).count()), (None, 2));
}

#[test]
fn a_failed_template_sets_nothing() {
    let message = sample();
    let template = "#set($context.responseOverride.status = 202)$input.params('id').substring(9)";
    let compiled = Template::compile(template, &message).unwrap();
    let mut overrides = Overrides::default();
    let failure = Renderer::new().render(&compiled, &message, &mut overrides, &mut Vec::new()).unwrap_err();
    assert_eq!((failure.place.line, failure.place.column), (1, 65));
    assert!(overrides.is_empty());
}

#[test]
fn what_needs_no_run_is_recognised() {
    let shape = |text: &str| format!("{:?}", Template::compile(text, &sample()).unwrap().shape());
    assert_eq!(shape(" {\"statusCode\": 200}\n"), r#"Text("{\"statusCode\": 200}")"#);
    assert_eq!(shape("to $stageVariables.host"), r#"Text("to example.com")"#);
    assert_eq!(shape(""), r#"Text("")"#);
    assert_eq!(shape("$input.body"), "Body");
    assert_eq!(shape("\n$!{input.body}"), "Body");
    // It is written anew, without blanks.
    assert_eq!(shape("$input.json('$')"), "Program");
    assert_eq!(shape("$input.json(\"$.a\")"), "Program");
    assert_eq!(shape("## comment\n$input.body"), "Body");
}

#[test]
fn a_wrong_path_is_found_when_deployed() {
    let error = Template::compile("{\n  \"a\": $input.path('$.[')\n}", &sample()).unwrap_err();
    assert_eq!((error.place.line, error.place.column), (2, 15));
    assert!(error.message.contains("JSONPath"), "{error}");
}

#[test]
fn samples_are_read_from_json() {
    let read = Sample::read(&json!({
        "context": {"stage": "dev", "identity": {"sourceIp": "::1"}, "requestOverride": {"header": {}}},
        "stageVariables": {"a": 1},
        "input": {"body": "{}", "params": {"path": {"id": "7"}, "querystring": {"q": "a b"}, "header": {"H": "v"}}},
    }));
    assert_eq!(read.context, [("stage".into(), "dev".into()), ("identity.sourceIp".into(), "::1".to_owned())]);
    assert_eq!((read.query.as_str(), read.headers.len(), read.body.as_slice()), ("q=a%20b", 1, &b"{}"[..]));
    assert_eq!(Sample::read(&json!({"stage": "dev"})).context, [("stage".into(), "dev".to_owned())]);
}
