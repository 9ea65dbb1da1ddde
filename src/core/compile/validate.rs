//! Request validators: required parameters, and models compiled to schemas.
//!
//! A model refers to others by their address or, as an imported document does, by `#/components/schemas/Name` and
//! `#/definitions/Name`. Both become addresses here, so that a schema sees one kind of reference only.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::{Place, Severity};
use crate::json::Tape;
use crate::json::tape::Node;
use crate::mapping::Resolve;
use crate::model::rest::{Method, Model, ParameterLocation, RequestValidator, RestApi};
use crate::plan::ByMediaType;
use crate::plan::validate::{ParameterSource, RequiredParameter, ValidatePlan};
use crate::schema::{Library, Remark, Schema};

use super::{Findings, Names};

/// What the address of a model begins with: then its API's id, `/models/` and its name.
const MODEL_ADDRESS: &str = "https://apigateway.amazonaws.com/restapis/";

/// The models of an API, compiled when the first method asks for them.
pub(super) struct Models<'a> {
    api: &'a RestApi,
    address: String,
    documents: Documents,
    compiled: HashMap<String, Result<Arc<Schema>, String>>,
}

/// Models as documents, by name.
#[derive(Default)]
struct Documents(HashMap<String, Tape>);

impl Library for Documents {
    fn document(&self, address: &str) -> Option<Node<'_>> {
        let (_, name) = address.strip_prefix(MODEL_ADDRESS)?.split_once("/models/")?;
        self.0.get(name).and_then(Tape::root)
    }
}

impl<'a> Models<'a> {
    pub(super) fn new(api: &'a RestApi, api_id: &str) -> Self {
        let address = format!("{MODEL_ADDRESS}{api_id}/models/");
        Self { api, address, documents: Documents::default(), compiled: HashMap::new() }
    }

    /// What a method's validator checks; `None`: nothing.
    ///
    /// # Errors
    /// Why it is not known what to check; the method must not be served.
    pub(super) fn validate(
        &mut self,
        method: &Method,
        names: &Names<'_>,
        findings: &mut Findings,
    ) -> Result<Option<Box<ValidatePlan>>, String> {
        let Some(name) = &method.request_validator else { return Ok(None) };
        let validators = &self.api.request_validators;
        let Some(validator) = validators.iter().find(|validator| validator.name == name.value) else {
            return Err(format!("the request validator `{}` is not declared", name.value));
        };
        let plan = ValidatePlan {
            parameters: required_parameters(validator, method, names),
            models: self.models(validator, method, findings)?,
        };
        let is_something = !plan.parameters.is_empty() || !plan.models.is_empty();
        Ok(is_something.then(|| Box::new(plan)))
    }

    fn models(
        &mut self,
        validator: &RequestValidator,
        method: &Method,
        findings: &mut Findings,
    ) -> Result<ByMediaType<Arc<Schema>>, String> {
        if !validator.validate_request_body {
            return Ok(ByMediaType::default());
        }
        let mut models = Vec::with_capacity(method.request_models.len());
        for (content_type, name) in &method.request_models {
            models.push((content_type.clone(), self.schema(name, findings)?));
        }
        Ok(ByMediaType::new(models))
    }

    fn schema(&mut self, name: &str, findings: &mut Findings) -> Result<Arc<Schema>, String> {
        if let Some(known) = self.compiled.get(name) {
            return known.clone();
        }
        if self.documents.0.is_empty() {
            self.read_documents();
        }
        let schema = self.compile(name, findings);
        self.compiled.insert(name.to_owned(), schema.clone());
        schema
    }

    fn compile(&self, name: &str, findings: &mut Findings) -> Result<Arc<Schema>, String> {
        let Some(document) = self.documents.0.get(name).and_then(Tape::root) else {
            return Err(format!("the model `{name}` is not declared"));
        };
        let address = format!("{}{name}", self.address);
        let schema = Schema::compile(document, &address, &self.documents)
            .map_err(|error| format!("the model `{name}` cannot be checked: {error}"))?;
        let place = self.api.models.iter().find(|model| model.name == name).map_or(Place::NOWHERE, |model| model.place);
        schema.remarks().iter().for_each(|remark| say(name, place, remark, findings));
        Ok(Arc::new(schema))
    }

    /// Every model as a document; the two that every API has, unless it declares its own.
    fn read_documents(&mut self) {
        for (name, schema) in [
            ("Empty", json!({"type": "object"})),
            ("Error", json!({"type": "object", "properties": {"message": {"type": "string"}}})),
        ] {
            self.documents.add(name, &schema);
        }
        for model in &self.api.models {
            let mut schema = model.schema.clone();
            Addresses { models: &self.api.models, address: &self.address, own: &model.schema }.write(&mut schema);
            self.documents.add(&model.name, &schema);
        }
    }
}

impl Documents {
    fn add(&mut self, name: &str, schema: &Value) {
        let mut tape = Tape::new();
        // What cannot be read, for its depth, stays away and is then missed by name.
        if tape.read(schema.to_string().as_bytes()).is_ok() {
            self.0.insert(name.to_owned(), tape);
        }
    }
}

/// Turns references of an imported document into addresses.
struct Addresses<'a> {
    models: &'a [Model],
    address: &'a str,
    /// The model that is read: what it defines itself stays where it is.
    own: &'a Value,
}

impl Addresses<'_> {
    fn write(&self, schema: &mut Value) {
        match schema {
            Value::Array(items) => items.iter_mut().for_each(|item| self.write(item)),
            Value::Object(members) => {
                for (name, member) in members.iter_mut() {
                    match member {
                        Value::String(reference) if name == "$ref" => {
                            if let Some(address) = self.of(reference) {
                                *reference = address;
                            }
                        }
                        Value::String(_) => {}
                        other => self.write(other),
                    }
                }
            }
            _ => {}
        }
    }

    fn of(&self, reference: &str) -> Option<String> {
        let path =
            reference.strip_prefix("#/components/schemas/").or_else(|| reference.strip_prefix("#/definitions/"))?;
        let (name, rest) = path.split_once('/').map_or((path, None), |(name, rest)| (name, Some(rest)));
        let is_own = self.own.pointer(&reference[1..]).is_some();
        if is_own || !self.models.iter().any(|model| model.name == name) {
            return None;
        }
        let fragment = rest.map(|rest| format!("#/{rest}")).unwrap_or_default();
        Some(format!("{}{name}{fragment}", self.address))
    }
}

fn say(model: &str, place: Place, remark: &Remark, findings: &mut Findings) {
    let (rule, message) = match remark {
        Remark::Ignored { at, keyword } => (
            "model-keyword",
            format!("model `{model}`, {at:?}: {keyword:?} is no keyword of draft 4 and checks nothing"),
        ),
        Remark::Backtracks { at, pattern } => (
            "model-pattern",
            format!(
                "model `{model}`, {at:?}: the pattern {pattern:?} goes back and tries again; it runs with a budget, and a \
                 body that exceeds it is refused"
            ),
        ),
    };
    findings.add(Severity::Note, rule, place, "", message);
}

fn required_parameters(validator: &RequestValidator, method: &Method, names: &Names<'_>) -> Box<[RequiredParameter]> {
    if !validator.validate_request_parameters {
        return Box::default();
    }
    let required = method.request_parameters.iter().filter(|parameter| parameter.required);
    let mut parameters: Vec<_> = required
        .map(|parameter| RequiredParameter {
            name: parameter.name.as_str().into(),
            source: match parameter.location {
                ParameterLocation::Header => ParameterSource::Header,
                ParameterLocation::Path => ParameterSource::Path(names.path_variable(&parameter.name)),
                ParameterLocation::QueryString => ParameterSource::QueryString,
            },
        })
        .collect();
    let rank = |source: ParameterSource| match source {
        ParameterSource::Header => 0,
        ParameterSource::Path(_) => 1,
        ParameterSource::QueryString => 2,
    };
    parameters.sort_by(|a, b| rank(a.source).cmp(&rank(b.source)).then_with(|| a.name.cmp(&b.name)));
    parameters.into()
}
