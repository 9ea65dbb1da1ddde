//! References between models: how they are written, and how one way of writing becomes another.
//!
//! A document writes `#/definitions/Pet` or `#/components/schemas/Pet`; a model of the management API writes its
//! address, `https://apigateway.amazonaws.com/restapis/{id}/models/Pet`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::model::rest::Model;

/// Where a model of the same API is found by its address.
const ADDRESS: &str = "https://apigateway.amazonaws.com/restapis/";
const DEFINITIONS: &str = "/definitions/";
const SCHEMAS: &str = "/components/schemas/";

/// What a reference in a schema leads to.
pub(super) enum Reference<'a> {
    /// A whole model, by name.
    Model(&'a str),
    /// Another part of the document, by pointer.
    Inside(&'a str),
    /// Something else.
    Outside,
}

pub(super) fn parse(reference: &str) -> Reference<'_> {
    if let Some((_, name)) = reference.strip_prefix(ADDRESS).and_then(|rest| rest.split_once("/models/")) {
        return Reference::Model(name);
    }
    let Some(pointer) = reference.strip_prefix('#') else { return Reference::Outside };
    let name = pointer.strip_prefix(DEFINITIONS).or_else(|| pointer.strip_prefix(SCHEMAS));
    match name.filter(|name| !name.contains(['/', '~'])) {
        Some(name) => Reference::Model(name),
        None => Reference::Inside(pointer),
    }
}

/// How references to models are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum References<'a> {
    /// `#/definitions/Pet`: Swagger 2.0, and a flattened model.
    Definitions,
    /// `#/components/schemas/Pet`: OpenAPI 3.
    Components,
    /// `https://apigateway.amazonaws.com/restapis/{id}/models/Pet`: a model as the management API shows it.
    Addresses {
        /// The id of the API.
        api_id: &'a str,
    },
}

impl References<'_> {
    /// The schema with every reference to a model written in this way.
    pub fn write(self, schema: &Value) -> Value {
        match schema {
            Value::Object(members) => {
                members.iter().map(|(name, value)| (name.clone(), self.write_member(name, value))).collect()
            }
            Value::Array(elements) => elements.iter().map(|element| self.write(element)).collect(),
            other => other.clone(),
        }
    }

    fn write_member(self, name: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if name == "$ref" => Value::String(self.rewrite(text)),
            _ => self.write(value),
        }
    }

    fn rewrite(self, reference: &str) -> String {
        let name = match parse(reference) {
            Reference::Model(name) => name,
            // A part of a model: the model's own name begins the pointer.
            Reference::Inside(pointer) => {
                match pointer.strip_prefix(DEFINITIONS).or_else(|| pointer.strip_prefix(SCHEMAS)) {
                    Some(name) => name,
                    None => return reference.to_owned(),
                }
            }
            Reference::Outside => return reference.to_owned(),
        };
        match self {
            Self::Definitions => format!("#{DEFINITIONS}{name}"),
            Self::Components => format!("#{SCHEMAS}{name}"),
            Self::Addresses { api_id } => format!("{ADDRESS}{api_id}/models/{name}"),
        }
    }
}

/// Calls `found` with the name of each model that a schema refers to, wholly or in part.
fn for_each_name<'s>(schema: &'s Value, found: &mut impl FnMut(&'s str)) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "$ref" => model_name(text).into_iter().for_each(&mut *found),
                    _ => for_each_name(value, found),
                }
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| for_each_name(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn model_name(reference: &str) -> Option<&str> {
    match parse(reference) {
        Reference::Model(name) => Some(name),
        Reference::Inside(pointer) => {
            let rest = pointer.strip_prefix(DEFINITIONS).or_else(|| pointer.strip_prefix(SCHEMAS))?;
            rest.split('/').next()
        }
        Reference::Outside => None,
    }
}

/// The models of `names` and all that they refer to, in the order of `models`.
pub(super) fn reachable<'m>(models: &'m [Model], names: impl IntoIterator<Item = &'m str>) -> Vec<&'m Model> {
    let by_name: std::collections::HashMap<&str, &Model> =
        models.iter().map(|model| (model.name.as_str(), model)).collect();
    let mut wanted: Vec<&str> = names.into_iter().collect();
    let mut seen: HashSet<&str> = HashSet::new();
    while let Some(name) = wanted.pop() {
        let Some(model) = by_name.get(name).filter(|_| seen.insert(name)) else { continue };
        for_each_name(&model.schema, &mut |name| wanted.push(name));
    }
    models.iter().filter(|model| seen.contains(model.name.as_str())).collect()
}

/// The schema of a model with all that it refers to inside it, under `definitions` (`GetModel` with `flatten=true`);
/// `None` where there is no such model.
pub fn flatten(models: &[Model], name: &str) -> Option<Value> {
    let model = models.iter().find(|model| model.name == name)?;
    let mut schema = References::Definitions.write(&model.schema);
    let mut referred = Vec::new();
    for_each_name(&model.schema, &mut |name| referred.push(name));
    let others = reachable(models, referred);
    if let (Value::Object(members), false) = (&mut schema, others.is_empty()) {
        let written = others.iter().map(|model| (model.name.clone(), References::Definitions.write(&model.schema)));
        let definitions: Map<String, Value> = written.collect();
        members.insert("definitions".to_owned(), Value::Object(definitions));
    }
    Some(schema)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::Place;

    fn model(name: &str, schema: Value) -> Model {
        let content_type = "application/json".to_owned();
        Model { name: name.to_owned(), content_type, description: None, schema, place: Place::NOWHERE }
    }

    #[test]
    fn one_way_of_writing_references_becomes_another() {
        let address = "https://apigateway.amazonaws.com/restapis/a1/models/Pet";
        let written = ["#/definitions/Pet", "#/components/schemas/Pet", address];
        let ways = [References::Definitions, References::Components, References::Addresses { api_id: "a1" }];
        for from in written {
            for (way, to) in ways.iter().zip(written) {
                let schema = json!({"properties": {"$ref": {"$ref": from}}, "oneOf": [{"$ref": from}]});
                let expected = json!({"properties": {"$ref": {"$ref": to}}, "oneOf": [{"$ref": to}]});
                assert_eq!(way.write(&schema), expected);
            }
        }
        let part = json!({"$ref": "#/definitions/Pet/properties/id"});
        assert_eq!(References::Components.write(&part), json!({"$ref": "#/components/schemas/Pet/properties/id"}));
        let elsewhere = json!({"$ref": "#/responses/r"});
        assert_eq!(References::Components.write(&elsewhere), elsewhere);
    }

    #[test]
    fn a_flattened_model_holds_all_that_it_refers_to_circles_among_them() {
        let models = [
            model("House", json!({"items": {"$ref": "#/components/schemas/Person"}})),
            model("Other", json!({})),
            model("Person", json!({"properties": {"house": {"$ref": "#/components/schemas/House"}}})),
        ];
        let expected = json!({
            "items": {"$ref": "#/definitions/Person"},
            "definitions": {
                "House": {"items": {"$ref": "#/definitions/Person"}},
                "Person": {"properties": {"house": {"$ref": "#/definitions/House"}}}
            }
        });
        assert_eq!(flatten(&models, "House"), Some(expected));
        assert_eq!(flatten(&models, "Other"), Some(json!({})));
        assert_eq!(flatten(&models, "None"), None);
    }
}
