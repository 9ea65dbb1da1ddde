//! Path items and operations: the methods of a resource.

use crate::json::{Key, Member, Node, Pointer};
use crate::model::documentation::PartType;
use crate::model::rest::{Authorization, Declared, Method, MethodName};

use super::Import;
use super::findings::Remark;
use super::parameters::Parameters;
use super::scope::Scope;
use super::tree::Tree;
use super::values::{Owner, choice, present, text};

/// The extension that answers every method.
pub(super) const ANY_METHOD: &str = "x-amazon-apigateway-any-method";

/// The name of an operation's member in its path item.
pub(super) fn member_name(method: MethodName) -> &'static str {
    match method {
        MethodName::Get => "get",
        MethodName::Put => "put",
        MethodName::Post => "post",
        MethodName::Delete => "delete",
        MethodName::Patch => "patch",
        MethodName::Options => "options",
        MethodName::Head => "head",
        MethodName::Any => ANY_METHOD,
    }
}

fn method_name(member: &str) -> Option<MethodName> {
    MethodName::ALL.into_iter().find(|method| member_name(*method) == member)
}

/// A path item, and the path of the resource it describes.
struct PathItem<'d, 'p> {
    node: &'d Node,
    path: String,
    at: Pointer<'p>,
}

impl<'d> Import<'d> {
    /// Gives the resource `index` of the tree the methods of a path item.
    pub(super) fn read_path_item(&mut self, tree: &mut Tree, index: usize, key: &Key, node: &'d Node, at: Pointer<'_>) {
        if node.is_null() {
            return;
        }
        let Some((node, at)) = self.resolve(node, at) else { return };
        if !node.is_object() {
            return self.findings.refuse_kind(node, "a path item", &at);
        }
        self.findings.leftovers(node, Scope::PathItem, &at);
        let Some(resource) = tree.get_mut(index) else { return };
        self.document_resource(&resource.path, node);
        let item = PathItem { node, path: resource.path.clone(), at };
        for member in node.members() {
            let Some(name) = method_name(&member.key.text) else { continue };
            if resource.methods.iter().any(|method| method.name == name) {
                self.refuse_duplicate(&item, name, member);
            } else if let Some(method) = self.read_operation(&item, name, member) {
                resource.methods.push(method);
            }
        }
        if resource.place.line == 0 {
            resource.place = key.place;
        }
    }

    /// Two paths of the document are one resource: `/pets` and `/pets/`.
    fn refuse_duplicate(&mut self, item: &PathItem<'d, '_>, name: MethodName, member: &Member) {
        let message = format!("another path of the document has already declared {name} {}", item.path);
        let remark = Remark::new("repeated-method", message)
            .on_aws("A resource has one method of each name.")
            .fix("Remove one of the two; a trailing slash does not make another path.");
        self.findings.refuse(remark, member.key.place, &item.at.key(&member.key.text));
    }

    fn read_operation(&mut self, item: &PathItem<'d, '_>, name: MethodName, member: &'d Member) -> Option<Method> {
        let (node, at) = (&member.value, item.at.key(&member.key.text));
        if !node.is_object() {
            self.findings.refuse_kind(node, "an operation", &at);
            return None;
        }
        let scope = if name == MethodName::Any { Scope::AnyMethod } else { Scope::Operation };
        self.findings.leftovers(node, scope, &at);
        let owner = Owner { resource: &item.path, method: name.as_str() };
        let protection = self.protection(node, &at);
        let mut parameters = Parameters::of_path(&item.path);
        self.document_entity(PartType::Method, owner, None, None, node);
        self.read_parameters(item.node, Owner { method: "*", ..owner }, &item.at, &mut parameters);
        self.read_parameters(node, owner, &at, &mut parameters);
        let body = parameters.body.take();
        let method = Method {
            name,
            operation_name: text(node, "operationId", &at, &mut self.findings),
            authorization: self.own_authorization(node, &at).unwrap_or(protection.authorization),
            api_key_required: protection.api_key_required,
            request_validator: self.request_validator(node, owner, &at),
            request_parameters: parameters.into_list(),
            request_models: self.request_models(node, body, owner, &at),
            responses: self.method_responses(node, owner, &at),
            integration: self.read_integration(node, &item.path, name, &at),
            place: member.key.place,
        };
        self.check_unique(&method.request_parameters, owner, node, &at);
        self.check_method(&item.path, &method, &at);
        Some(method)
    }

    /// `x-amazon-apigateway-auth`, which overrides the requirements.
    fn own_authorization(&mut self, node: &'d Node, at: &Pointer<'_>) -> Option<Authorization> {
        let name = "x-amazon-apigateway-auth";
        let auth = present(node, name)?;
        let at = at.key(name);
        if !auth.is_object() {
            self.findings.refuse_kind(auth, "an object", &at);
            return None;
        }
        self.findings.leftovers(auth, Scope::Auth, &at);
        match choice(auth, "type", &[("NONE", false), ("AWS_IAM", true)], &at, &mut self.findings)? {
            true => Some(Authorization::Iam),
            false => Some(Authorization::None),
        }
    }

    /// The operation's validator, else that of the document. One that is not declared is refused: requests would go
    /// unchecked.
    fn request_validator(&mut self, node: &'d Node, method: Owner<'_>, at: &Pointer<'_>) -> Option<Declared<String>> {
        let name = "x-amazon-apigateway-request-validator";
        let own = present(node, name).is_some();
        let (owner, at) = if own { (node, *at) } else { (self.root, Pointer::ROOT) };
        let validator = text(owner, name, &at, &mut self.findings)?;
        let place = owner.get(name).map_or(owner.place, |node| node.place);
        if !self.validator_names.contains(validator.as_str()) {
            let remark =
                Remark::new("undeclared-validator", format!("the request validator '{validator}' is not declared"))
                    .on_aws("Refused: Invalid Request Validator identifier specified")
                    .words(method.unable_to_put_method("Invalid Request Validator identifier specified"))
                    .fix("Declare it under x-amazon-apigateway-request-validators.");
            self.findings.refuse(remark, place, &at.key(name));
        }
        Some(Declared { value: validator, place })
    }
}
