//! Answers in HAL (draft-kelly-json-hal): what the API gives to whoever does not ask for `application/json`.
//!
//! Members stay where they are; a list moves below `_embedded`, where AWS writes a single item without a list; times are
//! ISO 8601; `_links` leads to what can be done next, which the table of operations knows.

use ringgate_core::base::WallTime;
use ringgate_core::base::calendar::rfc3339;
use serde_json::{Map, Value, json};

use super::v1;

/// The media type.
pub const HAL: &str = "application/hal+json";

/// Whether a request that accepts `accept` wants HAL: AWS gives plain JSON to those alone who name it.
pub fn is_wanted(accept: Option<&str>) -> bool {
    !accept.is_some_and(|accept| accept.contains("application/json"))
}

/// `answer` to a request for `path` in HAL.
pub fn document(path: &str, answer: Value) -> Value {
    let Value::Object(mut members) = answer else { return answer };
    let item = members.remove("item");
    let mut document = Map::new();
    document.insert("_links".to_owned(), links(path));
    if let Some(Value::Array(items)) = item {
        let mut items: Vec<Value> = items.into_iter().map(with_times).collect();
        let embedded = if items.len() == 1 { items.remove(0) } else { items.into() };
        document.insert("_embedded".to_owned(), json!({ "item": embedded }));
    }
    if let Value::Object(rest) = with_times(Value::Object(members)) {
        document.extend(rest);
    }
    Value::Object(document)
}

/// Seconds become text.
fn with_times(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let is_time = |name: &str| name.ends_with("Date") && name != "startDate" && name != "endDate";
    let members = members.into_iter().map(|(name, value)| match value.as_u64() {
        Some(seconds) if is_time(&name) => {
            let text = rfc3339(WallTime::from_millis(seconds.saturating_mul(1_000))).replace(".000Z", "Z");
            (name, text.into())
        }
        _ => (name, value),
    });
    Value::Object(members.collect())
}

fn links(path: &str) -> Value {
    let mut links = Map::new();
    let mut nouns = Vec::new();
    for operation in v1::beside(path) {
        let Some((noun, action)) = relation(operation) else { continue };
        links.insert(format!("{noun}:{action}"), json!({ "href": path }));
        if !nouns.contains(&noun) {
            nouns.push(noun);
        }
    }
    let curie = |noun: &String| {
        json!({
            "href": format!("https://docs.aws.amazon.com/apigateway/latest/developerguide/restapi-{noun}-{{rel}}.html"),
            "name": noun,
            "templated": true,
        })
    };
    links.insert("curies".to_owned(), nouns.iter().map(curie).collect());
    links.insert("self".to_owned(), json!({ "href": path }));
    Value::Object(links)
}

/// `CreateRestApi` is `restapi:create`.
fn relation(operation: &str) -> Option<(String, &'static str)> {
    const ACTIONS: [(&str, &str); 5] =
        [("Create", "create"), ("Update", "update"), ("Delete", "delete"), ("Put", "put"), ("Generate", "generate")];
    let mut actions = ACTIONS.into_iter();
    actions.find_map(|(verb, action)| Some((operation.strip_prefix(verb)?.to_ascii_lowercase(), action)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_move_and_times_become_text() {
        let list = document("/restapis", json!({ "item": [{ "id": "a", "createdDate": 0 }], "position": "p" }));
        assert_eq!(list["_embedded"]["item"]["createdDate"], "1970-01-01T00:00:00Z");
        assert_eq!(list["position"], "p");
        assert_eq!(list["_links"]["restapi:create"]["href"], "/restapis");
        let one = document("/restapis/abc", json!({ "id": "abc" }));
        assert_eq!((&one["id"], &one["_links"]["restapi:delete"]["href"]), (&json!("abc"), &json!("/restapis/abc")));
        let two = document("/restapis", json!({ "item": [{}, {}] }));
        assert_eq!(two["_embedded"]["item"], json!([{}, {}]));
    }

    #[test]
    fn whoever_names_json_gets_it() {
        for (accept, wanted) in
            [(None, true), (Some("*/*"), true), (Some(HAL), true), (Some("application/json"), false)]
        {
            assert_eq!(is_wanted(accept), wanted, "{accept:?}");
        }
    }
}
