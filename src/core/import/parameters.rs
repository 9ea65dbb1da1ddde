//! Parameters of an operation: its own, those of its path, and the variables of the path itself.

use std::collections::HashMap;

use crate::json::{Kind, Node, Pointer};
use crate::model::rest::{ParameterLocation, RequestParameter};

use super::Import;
use super::findings::Remark;
use super::scope::{Scope, Why};
use super::tree::variables;
use super::values::{flag, present};

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
    /// Adds the parameters listed in `owner`, a path item or an operation.
    pub(super) fn read_parameters(&mut self, owner: &'d Node, at: &Pointer<'_>, into: &mut Parameters<'d>) {
        let Some(list) = present(owner, "parameters") else { return };
        let at = at.key("parameters");
        if !matches!(list.kind, Kind::Array(_)) {
            return self.findings.refuse_kind(list, "a list of parameters", &at);
        }
        for (index, parameter) in list.elements().iter().enumerate() {
            let at = at.index(index);
            if !parameter.is_object() {
                self.findings.refuse_kind(parameter, "a parameter", &at);
            } else if let Some((parameter, at)) = self.resolve(parameter, at) {
                self.read_parameter(parameter, &at, into);
            }
        }
    }

    fn read_parameter(&mut self, parameter: &'d Node, at: &Pointer<'_>, into: &mut Parameters<'d>) {
        let location = parameter.get("in").and_then(Node::as_str).unwrap_or_default();
        let location = match location {
            "body" => return self.read_body_parameter(parameter, at, into),
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
                return self.findings.warn(remark.on_aws("Invalid OpenAPI input."), parameter.place, at);
            }
        };
        self.findings.leftovers(parameter, Scope::Parameter, at);
        let Some(name) = parameter.get("name").and_then(Node::scalar_text).filter(|name| !name.is_empty()) else {
            let remark = Remark::new("invalid-value", "a parameter without a name is left out");
            return self.findings.warn(remark.on_aws("Invalid OpenAPI input."), parameter.place, at);
        };
        let required = flag(parameter, "required", at, &mut self.findings).unwrap_or_default();
        into.declare(location, name, required || location == ParameterLocation::Path);
    }

    fn read_body_parameter(&mut self, parameter: &'d Node, at: &Pointer<'_>, into: &mut Parameters<'d>) {
        self.findings.leftovers(parameter, Scope::BodyParameter, at);
        if let Some(schema) = present(parameter, "schema") {
            into.body = Some((schema, at.key("schema").render()));
        }
    }

    /// Path, query and header share one space of names.
    pub(super) fn check_unique(&mut self, parameters: &[RequestParameter], node: &Node, at: &Pointer<'_>) {
        let mut seen = HashMap::new();
        for parameter in parameters {
            if seen.insert(parameter.name.as_str(), ()).is_some() {
                let message = format!(
                    "Parameter names must be unique across querystring, header and path: '{}' is in two of them",
                    parameter.name
                );
                let remark = Remark::new("parameter-name", message)
                    .on_aws("Refused with these words.")
                    .fix("Rename one of them.");
                return self.findings.refuse(remark, node.place, at);
            }
        }
    }
}
