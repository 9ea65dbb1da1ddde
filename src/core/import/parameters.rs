//! Parameters of an operation: its own, those of its path, and the variables of the path itself.

use std::collections::HashMap;

use crate::json::{Kind, Node, Pointer};
use crate::model::documentation::PartType;
use crate::model::rest::{ParameterLocation, RequestParameter};

use super::Import;
use super::answer::attribute;
use super::findings::Remark;
use super::scope::{Scope, Why};
use super::tree::variables;
use super::values::{Owner, flag, present};

/// The parameters of one operation in the making.
#[derive(Debug, Default)]
pub(super) struct Parameters<'d> {
    list: Vec<RequestParameter>,
    by_name: HashMap<(ParameterLocation, String), usize>,
    /// The body parameter of Swagger 2.0, and where it was written.
    pub(super) body: Option<(&'d Node, String)>,
}

impl Parameters<'_> {
    /// Path variables, which AWS declares by itself.
    pub(super) fn of_path(path: &str) -> Self {
        let mut parameters = Self::default();
        for name in variables(path) {
            parameters.declare(ParameterLocation::Path, name, true);
        }
        parameters
    }

    /// Adds a parameter; a later declaration of the same one replaces the earlier.
    fn declare(&mut self, location: ParameterLocation, name: &str, required: bool) {
        let index = *self.by_name.entry((location, name.to_owned())).or_insert(self.list.len());
        match self.list.get_mut(index) {
            Some(known) => known.required = required,
            None => self.list.push(RequestParameter { location, name: name.to_owned(), required }),
        }
    }

    pub(super) fn into_list(self) -> Vec<RequestParameter> {
        self.list
    }
}

impl<'d> Import<'d> {
    /// Adds the parameters listed in `holder`, a path item or an operation.
    pub(super) fn read_parameters(
        &mut self,
        holder: &'d Node,
        owner: Owner<'_>,
        at: &Pointer<'_>,
        into: &mut Parameters<'d>,
    ) {
        let Some(list) = present(holder, "parameters") else { return };
        let at = at.key("parameters");
        if !matches!(list.kind, Kind::Array(_)) {
            return self.findings.refuse_kind(list, "a list of parameters", &at);
        }
        for (index, parameter) in list.elements().iter().enumerate() {
            let at = at.index(index);
            if !parameter.is_object() {
                self.findings.refuse_kind(parameter, "a parameter", &at);
            } else if let Some((parameter, at)) = self.resolve(parameter, at) {
                self.read_parameter(parameter, owner, &at, into);
            }
        }
    }

    fn read_parameter(&mut self, parameter: &'d Node, owner: Owner<'_>, at: &Pointer<'_>, into: &mut Parameters<'d>) {
        let location = parameter.get("in").and_then(Node::as_str).unwrap_or_default();
        let location = match location {
            "body" => return self.read_body_parameter(parameter, owner, at, into),
            "path" => ParameterLocation::Path,
            "query" => ParameterLocation::QueryString,
            "header" => ParameterLocation::Header,
            "cookie" | "formData" => {
                let place = parameter.place;
                return self.findings.ignored_name(Why::ParameterLocation, location, place, &at.key("in"));
            }
            _ => {
                let remark = Remark::new(
                    "invalid-value",
                    format!("a parameter must be in path, query, header or body, not in '{location}'"),
                );
                return self.findings.warn(remark.on_aws("The parameter is left out."), parameter.place, at);
            }
        };
        self.findings.leftovers(parameter, Scope::Parameter, at);
        let Some(name) = parameter.get("name").and_then(Node::scalar_text).filter(|name| !name.is_empty()) else {
            let line = format!("Parse issue: attribute {}.name is missing", attribute(&at.render()));
            let remark = Remark::new("invalid-value", "a parameter without a name is left out").words(line);
            return self.findings.warn(remark.on_aws("The parameter is left out."), parameter.place, at);
        };
        let part_type = match location {
            ParameterLocation::Path => PartType::PathParameter,
            ParameterLocation::QueryString => PartType::QueryParameter,
            ParameterLocation::Header => PartType::RequestHeader,
        };
        self.document_entity(part_type, owner, None, Some(name), parameter);
        let required = flag(parameter, "required", at, &mut self.findings).unwrap_or_default();
        into.declare(location, name, required || location == ParameterLocation::Path);
    }

    fn read_body_parameter(
        &mut self,
        parameter: &'d Node,
        owner: Owner<'_>,
        at: &Pointer<'_>,
        into: &mut Parameters<'d>,
    ) {
        self.document_entity(PartType::RequestBody, owner, None, None, parameter);
        self.findings.leftovers(parameter, Scope::BodyParameter, at);
        if let Some(schema) = present(parameter, "schema") {
            into.body = Some((schema, at.key("schema").render()));
        }
    }

    /// Path, query and header share one space of names.
    pub(super) fn check_unique(
        &mut self,
        parameters: &[RequestParameter],
        method: Owner<'_>,
        node: &Node,
        at: &Pointer<'_>,
    ) {
        let words = "Parameter names must be unique across querystring, header and path";
        let mut seen = HashMap::new();
        for parameter in parameters {
            if seen.insert(parameter.name.as_str(), ()).is_some() {
                let message = format!("{words}: '{}' is in two of them", parameter.name);
                let remark = Remark::new("parameter-name", message)
                    .words(method.unable_to_put_method(words))
                    .on_aws("Refused with these words.")
                    .fix("Rename one of them.");
                return self.findings.refuse(remark, node.place, at);
            }
        }
    }
}
