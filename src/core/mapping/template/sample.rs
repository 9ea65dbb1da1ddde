//! An exchange made up for trying templates out: by `ringgate vtl`, and by tests.

use serde_json::{Map, Value as Json};

use super::Message;
use crate::mapping::context::ContextVariable;
use crate::mapping::expression::{Resolve, Values};
use crate::proto::http::percent;

/// A request with everything that a template may ask of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The body.
    pub body: Vec<u8>,
    /// Path variables in order, values as sent.
    pub path: Vec<(String, String)>,
    /// The raw query string without `?`.
    pub query: String,
    /// Headers in order.
    pub headers: Vec<(String, String)>,
    /// `$context` by names with points: `identity.sourceIp`.
    pub context: Vec<(String, String)>,
    /// Stage variables.
    pub stage_variables: Vec<(String, String)>,
}

impl Sample {
    /// Reads `{"context": {…}, "stageVariables": {…}, "input": {"body": "…", "params": {"path": {…}, "querystring":
    /// {…}, "header": {…}}}}`, of which everything may be missing; `params` may also stand at the top. A document
    /// with none of these names is all `$context`.
    pub fn read(json: &Json) -> Self {
        let mut sample = Self::default();
        let is_known = ["context", "stageVariables", "input", "params"].iter().any(|name| json.get(name).is_some());
        let context = if is_known { &json["context"] } else { json };
        flatten("", context, &mut sample.context);
        flatten("", &json["stageVariables"], &mut sample.stage_variables);
        let input = &json["input"];
        sample.body = text_of(&input["body"]).into_bytes();
        let params = [&input["params"], &json["params"]].into_iter().find(|params| params.is_object());
        let params = params.unwrap_or(&Json::Null);
        flatten("", &params["path"], &mut sample.path);
        flatten("", &params["header"], &mut sample.headers);
        for (name, value) in params["querystring"].as_object().unwrap_or(&Map::new()) {
            sample.add_query(name, &text_of(value));
        }
        sample
    }

    fn add_query(&mut self, name: &str, value: &str) {
        let mut query = std::mem::take(&mut self.query).into_bytes();
        if !query.is_empty() {
            query.push(b'&');
        }
        percent::encode(name.as_bytes(), &mut query);
        query.push(b'=');
        percent::encode(value.as_bytes(), &mut query);
        self.query = String::from_utf8_lossy(&query).into_owned();
    }
}

fn text_of(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Names of nested objects are joined with points. What a template sets is not read.
fn flatten(prefix: &str, json: &Json, out: &mut Vec<(String, String)>) {
    for (name, value) in json.as_object().into_iter().flatten() {
        if name.ends_with("Override") {
            continue;
        }
        let name = format!("{prefix}{name}");
        match value {
            Json::Object(_) => flatten(&format!("{name}."), value, out),
            Json::Null => {}
            other => out.push((name, text_of(other))),
        }
    }
}

fn find<'s>(pairs: &'s [(String, String)], name: &str) -> Option<&'s str> {
    pairs.iter().rfind(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

impl Resolve for Sample {
    fn path_variable(&self, name: &str) -> Option<usize> {
        self.path.iter().position(|(known, _)| known == name)
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        find(&self.stage_variables, name)
    }

    fn each_stage_variable(&self, give: &mut dyn FnMut(&str, &str)) {
        self.stage_variables.iter().for_each(|(name, value)| give(name, value));
    }
}

impl Values for Sample {
    fn path(&self, index: usize) -> Option<&[u8]> {
        self.path.get(index).map(|(_, value)| value.as_bytes())
    }

    fn path_named(&self, name: &str) -> Option<&[u8]> {
        find(&self.path, name).map(str::as_bytes)
    }

    fn query(&self) -> &[u8] {
        self.query.as_bytes()
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        find(&self.headers, name).map(str::as_bytes)
    }

    fn headers(&self, name: &str, out: &mut Vec<u8>) -> bool {
        let values = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let values: Vec<&str> = values.collect();
        out.extend_from_slice(values.join(",").as_bytes());
        !values.is_empty()
    }

    fn integration_header(&self, _: &str) -> Option<&[u8]> {
        None
    }

    fn integration_headers(&self, _: &str, _: &mut Vec<u8>) -> bool {
        false
    }

    fn context(&self, variable: &ContextVariable, out: &mut Vec<u8>) -> bool {
        let own_name = match variable {
            ContextVariable::AuthorizerClaim(name) => Some(format!("authorizer.claims.{name}")),
            ContextVariable::AuthorizerProperty(name) => Some(format!("authorizer.{name}")),
            _ => None,
        };
        let value = find(&self.context, own_name.as_deref().unwrap_or(variable.name()));
        out.extend_from_slice(value.unwrap_or_default().as_bytes());
        value.is_some()
    }
}

impl Message for Sample {
    fn payload(&self) -> &[u8] {
        &self.body
    }

    fn path_parameter(&self, index: usize) -> Option<(&str, &[u8])> {
        self.path.get(index).map(|(name, value)| (name.as_str(), value.as_bytes()))
    }

    fn header_parameter(&self, index: usize) -> Option<(&[u8], &[u8])> {
        self.headers.get(index).map(|(name, value)| (name.as_bytes(), value.as_bytes()))
    }

    fn each_authorizer_property(&self, give: &mut dyn FnMut(&str, &str)) {
        for (name, value) in &self.context {
            match name.strip_prefix("authorizer.") {
                Some(name) if !name.strip_prefix("claims.").unwrap_or(name).contains('.') => give(name, value),
                _ => {}
            }
        }
    }
}
