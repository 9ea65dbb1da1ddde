//! `x-amazon-apigateway-documentation`: parts that are kept with the API.

use crate::json::{Kind, Node, Pointer};
use crate::model::rest::DocumentationPart;

use super::Import;
use super::scope::Scope;
use super::values::{present, text};

impl<'d> Import<'d> {
    /// Stores the explicit parts. Ordinary descriptions, of which AWS makes parts too, are only counted.
    pub(super) fn read_documentation(&mut self) {
        let name = "x-amazon-apigateway-documentation";
        let Some(node) = present(self.root, name) else { return };
        let at = Pointer::ROOT.key(name);
        if !node.is_object() {
            return self.findings.skip_kind(node, "an object", &at);
        }
        self.findings.leftovers(node, Scope::Documentation, &at);
        self.api.documentation.version = text(node, "version", &at, &mut self.findings);
        let at = at.key("documentationParts");
        let Some(parts) = present(node, "documentationParts") else { return };
        if !matches!(parts.kind, Kind::Array(_)) {
            self.findings.skip_kind(parts, "a list", &at);
        }
        for (index, part) in parts.elements().iter().enumerate() {
            self.read_part(part, &at.index(index));
        }
    }

    fn read_part(&mut self, part: &'d Node, at: &Pointer<'_>) {
        let (Some(location), Some(properties)) = (part.get("location"), part.get("properties")) else {
            return self.findings.skip_kind(part, "an object with `location` and `properties`", at);
        };
        self.findings.leftovers(part, Scope::DocumentationPart, at);
        self.api.documentation.parts.push(DocumentationPart {
            location: location.to_json(),
            properties: properties.to_json(),
            place: part.place,
        });
    }
}
