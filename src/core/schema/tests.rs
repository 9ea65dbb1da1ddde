use super::*;
use crate::json::Tape;

/// Named documents.
#[derive(Default)]
struct Documents(Vec<(String, Tape)>);

impl Documents {
    fn with(mut self, address: &str, text: &str) -> Self {
        let mut tape = Tape::new();
        tape.read(text.as_bytes()).expect(text);
        self.0.push((address.to_owned(), tape));
        self
    }
}

impl Library for Documents {
    fn document(&self, address: &str) -> Option<Node<'_>> {
        self.0.iter().find(|(known, _)| known == address).and_then(|(_, tape)| tape.root())
    }
}

fn compile(schema: &str, library: &impl Library) -> Result<Schema, SchemaError> {
    Schema::compile(Tape::new().read(schema.as_bytes()).expect(schema), "", library)
}

/// The faults, as API Gateway prints a list of them.
fn faults(schema: &str, instance: &str) -> String {
    let schema = compile(schema, &()).unwrap_or_else(|error| panic!("{schema}: {error}"));
    let mut tape = Tape::new();
    let instance = tape.read(instance.as_bytes()).expect(instance);
    let faults = schema.faults(instance).expect("little work");
    assert_eq!(schema.is_valid(instance), Ok(faults.is_empty()), "{instance:?}");
    faults.join(", ")
}

/// A schema, an instance and what is wrong with it.
const FAULTS: &[(&str, &str, &str)] = &[
    (r#"{"required":["b","a","c"]}"#, r#"{"c":1}"#, r#"object has missing required properties (["a","b"])"#),
    (
        r#"{"properties":{"a":{}},"additionalProperties":false}"#,
        r#"{"z":1,"a":1,"y":1}"#,
        r#"object instance has properties which are not allowed by the schema: ["y","z"]"#,
    ),
    (
        r#"{"type":"number"}"#,
        r#""x""#,
        r#"instance type (string) does not match any allowed primitive type (allowed: ["integer","number"])"#,
    ),
    (
        r#"{"type":["string","null"]}"#,
        "1.0",
        r#"instance type (number) does not match any allowed primitive type (allowed: ["null","string"])"#,
    ),
    (
        r#"{"enum":["cat",1,{"a":[]}]}"#,
        r#""bird""#,
        r#"instance value ("bird") not found in enum (possible values: ["cat",1,{"a":[]}])"#,
    ),
    (r#"{"minLength":3}"#, r#""é😀""#, r#"string "é😀" is too short (length: 2, required minimum: 3)"#),
    (r#"{"maxLength":1}"#, r#""ab""#, r#"string "ab" is too long (length: 2, maximum allowed: 1)"#),
    (r#"{"pattern":"^\\d+$"}"#, r#""a""#, r#"ECMA 262 regex "^\d+$" does not match input string "a""#),
    (
        r#"{"minimum":10.50}"#,
        "-3e1",
        "numeric instance is lower than the required minimum (minimum: 10.50, found: -3e1)",
    ),
    (
        r#"{"maximum":500}"#,
        "500.01",
        "numeric instance is greater than the required maximum (maximum: 500, found: 500.01)",
    ),
    (
        r#"{"minimum":1,"exclusiveMinimum":true}"#,
        "1.0",
        "numeric instance is not strictly greater than the required minimum 1",
    ),
    (
        r#"{"maximum":1,"exclusiveMaximum":true}"#,
        "1",
        "numeric instance is not strictly lower than the required maximum 1",
    ),
    (r#"{"multipleOf":0.01}"#, "19.995", "remainder of division is not zero (19.995 / 0.01)"),
    (r#"{"minItems":2}"#, "[1]", "array is too short: must have at least 2 elements but instance has 1 elements"),
    (r#"{"maxItems":1.0}"#, "[1,2]", "array is too long: must have at most 1 elements but instance has 2 elements"),
    (r#"{"uniqueItems":true}"#, r#"[{"a":1,"b":2},{"b":2.0,"a":1}]"#, "array must not contain duplicate elements"),
    (r#"{"minProperties":1}"#, "{}", "object has too few properties (found 0 but schema requires at least 1)"),
    (
        r#"{"maxProperties":1}"#,
        r#"{"a":1,"b":2}"#,
        "object has too many properties (found 2 but schema requires at most 1)",
    ),
    (
        r#"{"dependencies":{"a":["b","c"]}}"#,
        r#"{"a":1,"b":2}"#,
        r#"property "a" of object has missing property dependencies (schema requires ["b","c"]; missing: ["c"])"#,
    ),
    (
        r#"{"anyOf":[{"type":"null"},{"type":"string"}]}"#,
        "1",
        "instance failed to match at least one required schema among 2",
    ),
    (
        r#"{"allOf":[{"type":"integer"},{"type":"string"}]}"#,
        "1",
        "instance failed to match all required schemas (matched only 1 out of 2)",
    ),
    (
        r#"{"oneOf":[{"type":"integer"},{"minimum":0}]}"#,
        "1",
        "instance failed to match exactly one schema (matched 2 out of 2)",
    ),
    (r#"{"not":{}}"#, "1", "instance matched a schema which it should not have"),
    (r#"{"format":"email"}"#, r#""x""#, r#"string "x" is not a valid email address"#),
    (r#"{"format":"uuid"}"#, r#""a-b-c-d""#, r#"input string "a-b-c-d" is not a valid UUID"#),
    (
        r#"{"items":[{},{}],"additionalItems":false}"#,
        "[1,2,3]",
        "schema only allows 2 elements in array but instance has 3 elements",
    ),
    (
        r#"{"type":"number","format":"double"}"#,
        "null",
        r#"instance type (null) does not match any allowed primitive type (allowed: ["integer","number"]), format attribute "double" not supported"#,
    ),
];

#[test]
fn faults_are_worded_as_by_the_java_validator() {
    for (schema, instance, expected) in FAULTS {
        assert_eq!(faults(schema, instance), *expected, "{schema}");
    }
}

#[test]
fn once_something_is_wrong_nothing_is_looked_into() {
    let schema = r#"{"type":"object","required":["a"],"properties":{
        "a":{"type":"integer","minimum":5},"b":{"type":"string","minLength":2},"l":{"minItems":1,"items":{"type":"null"}}}}"#;
    let a = "numeric instance is lower than the required minimum (minimum: 5, found: 1)";
    let b = r#"string "x" is too short (length: 1, required minimum: 2)"#;
    let l = "array is too short: must have at least 1 elements but instance has 0 elements";
    let item = r#"instance type (integer) does not match any allowed primitive type (allowed: ["null"])"#;
    let sorted = |instance: &str| {
        let mut faults: Vec<_> = faults(schema, instance).split(", ").map(str::to_owned).collect();
        faults.sort_unstable();
        faults
    };
    let expected = |messages: &[&str]| {
        let mut parts: Vec<_> = messages.iter().flat_map(|message| message.split(", ")).map(str::to_owned).collect();
        parts.sort_unstable();
        parts
    };
    assert_eq!(sorted(r#"{"l":[],"b":"x","a":1}"#), expected(&[a, b, l]));
    assert_eq!(sorted(r#"{"l":[null,1],"b":"x","a":1}"#), expected(&[a, b]));
    assert_eq!(sorted(r#"{"l":[null,1],"b":"xy","a":5}"#), expected(&[item]));
    assert_eq!(faults(schema, r#"{"b":"x"}"#), r#"object has missing required properties (["a"])"#);
    assert_eq!(faults(schema, r#"{"a":5,"b":"xy","l":[null]}"#), "");
}

#[test]
fn a_format_that_asserts_nothing_is_mentioned_where_something_is_wrong() {
    let schema = r#"{"properties":{"at":{"type":"string","format":"date"},"n":{"type":"integer","format":"int32"},
        "id":{"type":"string","format":"uuid"}}}"#;
    let wrong = r#"instance type (string) does not match any allowed primitive type (allowed: ["integer"])"#;
    let date = r#"format attribute "date" not supported"#;
    let int32 = r#"format attribute "int32" not supported"#;
    for (instance, expected) in [
        (r#"{"at":"x","n":1}"#, vec![]),
        (r#"{"at":"x","n":"1","id":"0-0-0-0-7fffffffffffffff"}"#, vec![date, int32, wrong]),
        (r#"{"n":"1"}"#, vec![int32, wrong]),
    ] {
        let found = faults(schema, instance);
        assert_eq!(found.is_empty(), expected.is_empty(), "{instance}: {found}");
        assert!(expected.iter().all(|message| found.contains(message)), "{instance}: {found}");
        assert_eq!(found.matches("not supported").count(), expected.len().saturating_sub(1), "{instance}: {found}");
    }
}

#[test]
fn models_refer_to_each_other_also_in_circles() {
    let model = |name: &str| format!("https://apigateway.amazonaws.com/restapis/abc/models/{name}");
    let node = format!(
        r#"{{"type":"object","properties":{{"next":{{"oneOf":[{{"type":"null"}},{{"$ref":"{0}"}}]}}}}}}"#,
        model("Node")
    );
    let library = Documents::default().with(&model("Node"), &node).with(
        &model("Price"),
        r##"{"definitions":{"p":{"type":"number"}},"properties":{"price":{"$ref":"#/definitions/p"}}}"##,
    );
    let list = format!(
        r#"{{"type":"array","items":{{"allOf":[{{"$ref":"{}"}},{{"$ref":"{}"}}]}}}}"#,
        model("Node"),
        model("Price")
    );
    let schema = compile(&list, &library).expect("a schema");
    let mut tape = Tape::new();
    for (instance, expected) in [
        (r#"[{"next":{"next":null},"price":1}]"#, true),
        (r#"[{"next":{"next":5}}]"#, false),
        (r#"[{"price":"1"}]"#, false),
        ("{}", false),
    ] {
        assert_eq!(schema.is_valid(tape.read(instance.as_bytes()).expect("JSON")), Ok(expected), "{instance}");
    }
}

#[test]
fn what_cannot_be_run_is_refused_with_its_place() {
    let rows = [
        ("[]", ""),
        (r#"{"properties":{"a/b":5}}"#, "/properties/a~1b"),
        (r#"{"type":"text"}"#, ""),
        (r#"{"items":{"type":[]}}"#, "/items"),
        (r#"{"allOf":[]}"#, ""),
        (r#"{"required":[1]}"#, ""),
        (r#"{"minLength":-1}"#, ""),
        (r#"{"minimum":"1"}"#, ""),
        (r#"{"multipleOf":0}"#, ""),
        (r#"{"multipleOf":-2}"#, ""),
        (r#"{"pattern":"("}"#, ""),
        (r##"{"not":{"$ref":"#/definitions/none"}}"##, "/not"),
        (r#"{"$ref":"https://elsewhere/x"}"#, ""),
        (r##"{"$ref":"#"}"##, ""),
        (r##"{"anyOf":[{"$ref":"#/definitions/a"}],"definitions":{"a":{"not":{"$ref":"#"}}}}"##, ""),
    ];
    for (schema, at) in rows {
        assert_eq!(compile(schema, &()).map(|_| ()).map_err(|error| error.at), Err(at.to_owned()), "{schema}");
    }
}

#[test]
fn what_draft_4_ignores_and_what_backtracks_is_remarked() {
    let schema = compile(r#"{"properties":{"a":{"const":1},"b":{"pattern":"^(?!x)"}}}"#, &()).expect("a schema");
    assert_eq!(schema.remarks().len(), 2);
    assert!(schema.remarks().contains(&Remark::Ignored { at: "/properties/a".into(), keyword: "const".into() }));
    assert!(schema.remarks().contains(&Remark::Backtracks { at: "/properties/b".into(), pattern: "^(?!x)".into() }));
}

#[test]
fn work_is_bounded_although_alternatives_multiply() {
    let schema =
        compile(r##"{"properties":{"a":{"oneOf":[{"$ref":"#"},{"allOf":[{"$ref":"#"}],"required":["b"]}]}}}"##, &())
            .expect("a schema");
    let mut tape = Tape::new();
    let document = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    let instance = tape.read(document.as_bytes()).expect("JSON");
    assert_eq!(schema.is_valid(instance), Err(TooMuchWork));
    assert_eq!(schema.faults(instance), Err(TooMuchWork));
}

#[test]
fn nesting_is_bounded_before_the_stack_is() {
    let schema = compile(r##"{"items":{"allOf":[{"anyOf":[{"$ref":"#"}]}]}}"##, &()).expect("a schema");
    for (depth, expected) in [(100, Ok(true)), (200, Err(TooMuchWork)), (1_000, Err(TooMuchWork))] {
        let document = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(schema.is_valid(Tape::new().read(document.as_bytes()).expect("JSON")), expected, "{depth}");
    }
}

#[test]
fn formats_assert_what_the_java_validator_does() {
    let rows = [
        ("date-time", "2026-11-21T08:00:00Z", true),
        ("date-time", "1990-12-31T23:59:60Z", true),
        ("date-time", "2026-02-29T08:00:00.123+01:00", false),
        ("date-time", "2026-11-21 08:00:00Z", false),
        ("date-time", "2026-11-21T08:00:00", false),
        ("email", "joe.bloggs@example.com", true),
        ("email", "2962", false),
        ("email", ".test@example.com", false),
        ("hostname", "www.example.com", true),
        ("hostname", "-bad-host-name-", false),
        ("ipv4", "192.168.0.1", true),
        ("ipv4", "192.168.0.256", false),
        ("ipv6", "::ffff:192.168.0.1", true),
        ("ipv6", "12345::", false),
        ("uri", "http://foo.bar/?baz=qux#quux", true),
        ("uri", "//foo.bar/?baz=qux", true),
        ("uri", "/bar,baz", true),
        ("uri", "http://ex\u{e4}mple/", true),
        ("uri", "bar baz", false),
        ("uri", "1a:b", false),
        ("uri", "http:", false),
        ("uri", "a#b#c", false),
        ("regex", "([abc])+\\\\s+$", true),
        ("regex", "^(abc]", false),
        ("uuid", "123e4567-E89B-12d3-a456-426614174000", true),
        ("uuid", "123e4567-e89b-12d3-a456", false),
        ("uuid", "123e4567-e89b-12d3-a456-+26614174000", false),
        ("date", "no", true),
    ];
    for (format, instance, expected) in rows {
        let schema = format!(r#"{{"format":"{format}"}}"#);
        assert_eq!(faults(&schema, &format!("\"{instance}\"")).is_empty(), expected, "{format} {instance}");
    }
}
