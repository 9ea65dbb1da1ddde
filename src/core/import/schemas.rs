//! Models: declared schemas, schemas written in place, and the references between them.

use serde_json::{Value, json};

use crate::json::{Kind, Member, Node, Pointer};
use crate::model::rest::Model;

use super::Import;
use super::findings::Remark;
use super::kind::Version;
use super::references::{Reference, parse};
use super::scope::Why;
use super::values::{present, text};

impl<'d> Import<'d> {
    /// Every declared schema becomes a model.
    pub(super) fn read_schemas(&mut self) {
        let components = Pointer::ROOT.key("components");
        let (parent, name, at) = match self.version {
            Version::Swagger2 => (Some(self.root), "definitions", Pointer::ROOT),
            Version::OpenApi3 => (present(self.root, "components"), "schemas", components),
        };
        let Some(schemas) = parent.and_then(|parent| present(parent, name)) else { return };
        let at = at.key(name);
        if !schemas.is_object() {
            return self.findings.refuse_kind(schemas, "an object", &at);
        }
        // All names first: models refer to each other in any order.
        self.model_names.extend(schemas.members().iter().map(|member| member.key.text.clone()));
        for member in schemas.members() {
            self.read_schema(member, &at.key(&member.key.text));
        }
        self.check_names(schemas.members(), &at);
    }

    fn read_schema(&mut self, member: &'d Member, at: &Pointer<'_>) {
        let Member { key, value } = member;
        if !value.is_object() {
            return self.findings.skip_kind(value, "a schema", at);
        }
        self.check_schema(value, at);
        self.api.models.push(Model {
            name: key.text.clone(),
            content_type: "application/json".to_owned(),
            description: text(value, "description", at, &mut self.findings),
            schema: value.to_json(),
            place: key.place,
        });
    }

    /// One finding for all names: a document that has one such name usually has many.
    fn check_names(&mut self, members: &[Member], at: &Pointer<'_>) {
        let is_bad = |member: &&Member| !member.key.text.bytes().all(|b| b.is_ascii_alphanumeric());
        let count = members.iter().filter(is_bad).count();
        for Member { key, .. } in members.iter().filter(is_bad) {
            let name = &key.text;
            let line = format!("Unable to create model for '{name}': Model name must be alphanumeric: {name}");
            self.findings.add_warning(line);
        }
        let Some(first) = members.iter().find(is_bad) else { return };
        let message = format!("the name of a model is alphanumeric; '{}' is not ({count} such names)", first.key.text);
        let remark = Remark::new("model-name", message)
            .on_aws("Model names are alphanumeric only: the import refuses others.")
            .fix("Rename the schemas if the document is to be imported on AWS.");
        self.findings.warn(remark, first.key.place, &at.key(&first.key.text));
    }

    /// The name of the model that a schema is: the one it refers to, or one made for it.
    pub(super) fn model_of(&mut self, schema: &'d Node, at: &Pointer<'_>) -> Option<String> {
        if !schema.is_object() {
            self.findings.skip_kind(schema, "a schema", at);
            return None;
        }
        if let Some(name) = self.made_models.get(&schema.place) {
            return Some(name.clone());
        }
        self.check_schema(schema, at);
        if let Some(reference) = schema.get("$ref").and_then(Node::as_str)
            && let Reference::Model(name) = parse(reference)
        {
            return Some(name.to_owned());
        }
        let json = schema.to_json();
        let name = self.fresh_name(&format!("{} {json}", at.render()));
        self.api.models.push(Model {
            name: name.clone(),
            content_type: "application/json".to_owned(),
            description: None,
            schema: json,
            place: schema.place,
        });
        self.made_models.insert(schema.place, name.clone());
        Some(name)
    }

    /// `Empty` and `Error`, which every API has that was not imported; templates refer to them undeclared.
    fn add_default_model(&mut self, name: &str, reference: &Node, at: &Pointer<'_>) {
        let Some(schema) = default_model(name) else { return };
        let remark =
            Remark::new("default-model", format!("the model '{name}' is not declared; the default one is used"))
                .on_aws("An imported API has only the models of its document; the import may refuse this.")
                .fix("Declare it among the schemas.");
        self.findings.warn(remark, reference.place, at);
        self.model_names.insert(name.to_owned());
        self.api.models.push(Model {
            name: name.to_owned(),
            content_type: "application/json".to_owned(),
            description: Some(format!("This is a default {} schema model", name.to_lowercase())),
            schema,
            place: reference.place,
        });
    }

    /// `MODEL` and six characters: the same for the same schema at the same place, so that importing a document again
    /// changes nothing, and another for another, so that merging leaves the models of other documents alone.
    fn fresh_name(&mut self, schema: &str) -> String {
        let mut seed = fnv1a(schema.as_bytes());
        loop {
            let name = format!("MODEL{}", base36(seed));
            if self.model_names.insert(name.clone()) {
                return name;
            }
            seed = seed.wrapping_add(1);
        }
    }

    /// Looks through a schema for references and for keywords without effect.
    fn check_schema(&mut self, schema: &'d Node, at: &Pointer<'_>) {
        for member in schema.members() {
            let (value, at) = (&member.value, at.key(&member.key.text));
            match member.key.text.as_str() {
                "$ref" => self.check_reference(value, &at),
                "properties" | "patternProperties" | "definitions" => {
                    value.members().iter().for_each(|child| self.check_schema(&child.value, &at.key(&child.key.text)));
                }
                "items" | "not" | "additionalProperties" | "additionalItems" | "allOf" | "anyOf" | "oneOf" => {
                    self.check_schemas(value, &at);
                }
                "example" | "examples" | "externalDocs" | "xml" | "discriminator" | "readOnly" | "writeOnly"
                | "nullable" | "deprecated" | "default" => self.findings.ignored(Why::SchemaKeyword, member, &at),
                "minItems" | "maxItems" | "exclusiveMinimum" | "exclusiveMaximum" => {
                    self.findings.ignored(Why::SchemaPartly, member, &at);
                }
                name if name.starts_with("x-") => self.findings.ignored(Why::Vendor, member, &at),
                _ => {}
            }
        }
    }

    /// One schema or a list of them.
    fn check_schemas(&mut self, value: &'d Node, at: &Pointer<'_>) {
        match &value.kind {
            Kind::Array(elements) => {
                elements.iter().enumerate().for_each(|(index, element)| self.check_schema(element, &at.index(index)));
            }
            _ => self.check_schema(value, at),
        }
    }

    fn check_reference(&mut self, reference: &'d Node, at: &Pointer<'_>) {
        let Some(text) = reference.as_str() else { return };
        match parse(text) {
            Reference::Model(name) if self.model_names.contains(name) => {}
            Reference::Model(name) if default_model(name).is_some() => self.add_default_model(name, reference, at),
            Reference::Model(_) => self.refuse_reference(reference, format!("'{text}' leads to no model"), at),
            Reference::Outside => {
                self.refuse_reference(reference, format!("'{text}' lies outside of this document"), at)
            }
            Reference::Inside(pointer) => match self.target(pointer) {
                Some(_) => self.findings.ignored_name(Why::ModelPart, text, reference.place, at),
                None => self.refuse_reference(reference, format!("'{text}' leads nowhere"), at),
            },
        }
    }
}

fn default_model(name: &str) -> Option<Value> {
    const DRAFT: &str = "http://json-schema.org/draft-04/schema#";
    match name {
        "Empty" => Some(json!({"$schema": DRAFT, "title": "Empty Schema", "type": "object"})),
        "Error" => Some(json!({
            "$schema": DRAFT,
            "title": "Error Schema",
            "type": "object",
            "properties": {"message": {"type": "string"}}
        })),
        _ => None,
    }
}

fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

fn base36(mut number: u64) -> String {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut text = String::with_capacity(6);
    for _ in 0..6 {
        let digit = DIGITS.get((number % 36) as usize).copied().unwrap_or(b'0');
        text.push(char::from(digit));
        number /= 36;
    }
    text
}
