//! Parameter mappings as LocalStack's unit tests have them: the rows of `localstack-unit` that are no templates.

use std::collections::BTreeMap;

use ringgate_core::json::Tape;
use ringgate_core::mapping::body::read_document;
use ringgate_core::mapping::expression::{Cause, ExpressionError, Side, Target};
use ringgate_core::mapping::{ContextVariable, Expression, Presence, Resolve, Values};
use ringgate_core::proto::http::percent;
use serde_json::{Value, json};

use super::support;

/// One row: the message that its mappings read.
struct Row<'r> {
    row: &'r Value,
    query: Vec<u8>,
    body: String,
    document: Tape,
}

fn text<'v>(value: &'v Value, name: &str) -> Option<&'v str> {
    value.get(name)?.as_str()
}

impl<'r> Row<'r> {
    fn new(row: &'r Value) -> Self {
        let message = Self::message_of(row);
        let mut query = Vec::new();
        for (name, values) in message["multi_value_query_string_parameters"].as_object().into_iter().flatten() {
            for value in values.as_array().into_iter().flatten() {
                query.push(b'&');
                percent::encode(name.as_bytes(), &mut query);
                query.push(b'=');
                percent::encode(value.as_str().expect("text").as_bytes(), &mut query);
            }
        }
        let body = text(message, "body").unwrap_or_default().to_owned();
        Self { row, query, body, document: Tape::new() }
    }

    fn message_of(row: &Value) -> &Value {
        row.get("request").unwrap_or_else(|| &row["integrationResponse"])
    }

    fn message(&self) -> &Value {
        Self::message_of(self.row)
    }

    fn paths(&self) -> Vec<(&str, &str)> {
        let paths = self.message()["path_parameters"].as_object().into_iter().flatten();
        paths.map(|(name, value)| (name.as_str(), value.as_str().expect("text"))).collect()
    }

    fn side(&self) -> Side {
        if self.row.get("request").is_some() { Side::Request } else { Side::Response }
    }

    /// What the mappings make, by place and name; `None`: the body is refused.
    fn mapped(&mut self) -> Option<Value> {
        let member = if self.side() == Side::Request { "requestParameters" } else { "responseParameters" };
        let mappings: BTreeMap<_, _> = self.row[member].as_object().expect("mappings").iter().collect();
        let mappings: Vec<_> = mappings.into_iter().map(|(target, source)| self.parse(target, source)).collect();
        if mappings.iter().any(|(_, expression)| expression.reads_body()) {
            read_document(self.body.as_bytes(), &mut self.document).ok()?;
        }
        let mut result = json!({"header": {}});
        if self.side() == Side::Request {
            result["path"] = json!({});
            result["querystring"] = json!({});
        }
        for (target, expression) in mappings {
            let (place, name) = match target {
                Target::RequestHeader(name) | Target::ResponseHeader(name) => ("header", name),
                Target::RequestQuery(name) => ("querystring", name),
                Target::RequestPath(name) => ("path", name),
                other => panic!("{other:?}"),
            };
            let mut out = Vec::new();
            if expression.write(self, &mut out) == Presence::Present {
                result[place][&*name] = json!(String::from_utf8(out).expect("text"));
            }
        }
        Some(result)
    }

    fn parse(&self, target: &str, source: &Value) -> (Target, Expression) {
        let source = source.as_str().expect("text");
        let expression = match Expression::parse(source, self.side(), self) {
            // As when a stage is compiled: it is always missing.
            Err(ExpressionError { cause: Cause::NoSuchPathVariable, .. }) => Expression::Absent,
            parsed => parsed.expect(source),
        };
        (Target::parse(target, self.side()).expect(target), expression)
    }
}

impl Resolve for Row<'_> {
    fn path_variable(&self, name: &str) -> Option<usize> {
        self.paths().iter().position(|(known, _)| *known == name)
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        text(&self.row["stageVariables"], name)
    }
}

impl Values for Row<'_> {
    fn path(&self, index: usize) -> Option<&[u8]> {
        self.paths().get(index).map(|(_, value)| value.as_bytes())
    }

    fn path_named(&self, name: &str) -> Option<&[u8]> {
        self.path(self.path_variable(name)?)
    }

    fn query(&self) -> &[u8] {
        &self.query
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        text(&self.message()["headers"], name).map(str::as_bytes)
    }

    fn headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
        self.header(name).inspect(|value| out.extend_from_slice(value)).is_some()
    }

    fn integration_header(&self, name: &str) -> Option<&[u8]> {
        self.header(name)
    }

    fn integration_headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
        self.headers(name, out)
    }

    fn body(&self) -> Option<&[u8]> {
        Some(self.body.as_bytes())
    }

    fn document(&self) -> Option<&Tape> {
        Some(&self.document)
    }

    fn context(&self, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
        let value = variable.name().split('.').try_fold(&self.row["context"], |at, name| at.get(name));
        let text = value.and_then(Value::as_str);
        text.inspect(|text| out.extend_from_slice(text.as_bytes())).is_some()
    }
}

/// Rows that lost what they test when they were written down.
const FLATTENED: [&str; 1] = ["test_multi_headers_mapping: two values of one header became the last of them"];

#[test]
fn mappings_make_what_the_rows_say() {
    let Some(folder) = support::suite("localstack-unit") else { return };
    let text_of_rows = std::fs::read_to_string(folder.join("vtl-and-parameters.json")).expect("the rows");
    let rows: Value = serde_json::from_str(&text_of_rows).expect("JSON");
    let rows = rows.as_array().expect("rows").iter().filter(|row| row["kind"] != "vtl");
    let mut count = 0;
    for row in rows {
        let name = text(row, "test").expect("a name");
        if FLATTENED.iter().any(|known| known.split(':').next().is_some_and(|test| name.ends_with(test))) {
            continue;
        }
        let expected = row.get("raises").is_none().then(|| row["result"].clone());
        assert_eq!(Row::new(row).mapped(), expected, "{row:#}");
        count += 1;
    }
    assert_eq!(count, 20, "every row but {FLATTENED:?}");
}
