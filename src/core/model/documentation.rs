//! Documentation parts and versions: text about the entities of an API. None of it changes a request
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-documenting-api-content-representation.html>).

use serde_json::Value;

use crate::base::Place;

/// Documentation parts and the version they were published as.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documentation {
    /// Name of the documentation version; `None`: no version is made.
    pub version: Option<String>,
    /// The parts, in the order given. One for each location.
    pub parts: Vec<DocumentationPart>,
}

/// One piece of documentation.
#[derive(Clone, Debug, PartialEq)]
pub struct DocumentationPart {
    /// What it documents.
    pub location: DocumentationLocation,
    /// What it says: an object.
    pub properties: Value,
    /// Where it was written.
    pub place: Place,
}

/// A snapshot of all parts, which a stage can point at and an export takes its texts from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DocumentationVersion {
    /// Its name, unique in the API.
    pub version: String,
    /// When it was made, in ISO 8601.
    pub created_date: String,
    /// The parts as they were then.
    pub parts: Vec<DocumentationPart>,
}

/// What a documentation part documents. Which members count depends on the type; [`DocumentationLocation::new`] leaves
/// out the others and gives those that are missing their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DocumentationLocation {
    /// The kind of entity.
    pub part_type: PartType,
    /// Path of the resource, with braces.
    pub path: Option<String>,
    /// `GET`, or `*` for every method.
    pub method: Option<String>,
    /// Three digits, or `*` for every response.
    pub status_code: Option<String>,
    /// Name of the parameter, model or authorizer.
    pub name: Option<String>,
}

impl DocumentationLocation {
    /// The location as AWS stores it: path `/`, method `*` and status `*` where the type has such a member and none is
    /// given, nothing where it has none
    /// (<https://docs.aws.amazon.com/apigateway/latest/api/API_DocumentationPartLocation.html>).
    pub fn new(part_type: PartType, given: GivenLocation) -> Self {
        let or =
            |has: bool, value: Option<String>, default: &str| has.then(|| value.unwrap_or_else(|| default.to_owned()));
        Self {
            part_type,
            path: or(part_type.has_path(), given.path, "/"),
            method: or(part_type.has_method(), given.method, "*"),
            status_code: or(part_type.has_status_code(), given.status_code, "*"),
            name: given.name.filter(|_| part_type.has_name()),
        }
    }
}

/// The members of a location as somebody wrote them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenLocation {
    /// `path`
    pub path: Option<String>,
    /// `method`
    pub method: Option<String>,
    /// `statusCode`
    pub status_code: Option<String>,
    /// `name`
    pub name: Option<String>,
}

/// The kinds of entities that can be documented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartType {
    /// `API`
    Api,
    /// `AUTHORIZER`
    Authorizer,
    /// `MODEL`
    Model,
    /// `RESOURCE`
    Resource,
    /// `METHOD`
    Method,
    /// `PATH_PARAMETER`
    PathParameter,
    /// `QUERY_PARAMETER`
    QueryParameter,
    /// `REQUEST_HEADER`
    RequestHeader,
    /// `REQUEST_BODY`
    RequestBody,
    /// `RESPONSE`
    Response,
    /// `RESPONSE_HEADER`
    ResponseHeader,
    /// `RESPONSE_BODY`
    ResponseBody,
}

impl PartType {
    /// All of them, in AWS's order.
    pub const ALL: [Self; 12] = [
        Self::Api,
        Self::Authorizer,
        Self::Model,
        Self::Resource,
        Self::Method,
        Self::PathParameter,
        Self::QueryParameter,
        Self::RequestHeader,
        Self::RequestBody,
        Self::Response,
        Self::ResponseHeader,
        Self::ResponseBody,
    ];

    /// AWS's spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::Authorizer => "AUTHORIZER",
            Self::Model => "MODEL",
            Self::Resource => "RESOURCE",
            Self::Method => "METHOD",
            Self::PathParameter => "PATH_PARAMETER",
            Self::QueryParameter => "QUERY_PARAMETER",
            Self::RequestHeader => "REQUEST_HEADER",
            Self::RequestBody => "REQUEST_BODY",
            Self::Response => "RESPONSE",
            Self::ResponseHeader => "RESPONSE_HEADER",
            Self::ResponseBody => "RESPONSE_BODY",
        }
    }

    /// The type of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part_type| part_type.as_str() == text)
    }

    const fn has_path(self) -> bool {
        !matches!(self, Self::Api | Self::Authorizer | Self::Model)
    }

    const fn has_method(self) -> bool {
        self.has_path() && !matches!(self, Self::Resource)
    }

    const fn has_status_code(self) -> bool {
        matches!(self, Self::Response | Self::ResponseHeader | Self::ResponseBody)
    }

    const fn has_name(self) -> bool {
        match self {
            Self::Authorizer | Self::Model | Self::PathParameter | Self::QueryParameter => true,
            Self::RequestHeader | Self::ResponseHeader => true,
            Self::Api | Self::Resource | Self::Method | Self::RequestBody | Self::Response | Self::ResponseBody => {
                false
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_have_the_members_of_their_type_and_defaults() {
        let some = |text: &str| Some(text.to_owned());
        let given = GivenLocation { path: some("/a"), method: some("GET"), status_code: None, name: some("n") };
        let cases = [
            (PartType::Api, [None, None, None, None]),
            (PartType::Model, [None, None, None, Some("n")]),
            (PartType::Resource, [Some("/a"), None, None, None]),
            (PartType::QueryParameter, [Some("/a"), Some("GET"), None, Some("n")]),
            (PartType::ResponseHeader, [Some("/a"), Some("GET"), Some("*"), Some("n")]),
        ];
        for (part_type, expected) in cases {
            let location = DocumentationLocation::new(part_type, given.clone());
            let DocumentationLocation { path, method, status_code, name, .. } = &location;
            assert_eq!([path, method, status_code, name].map(Option::as_deref), expected, "{part_type:?}");
            assert_eq!(PartType::parse(part_type.as_str()), Some(part_type));
        }
        let bare = DocumentationLocation::new(PartType::Method, GivenLocation::default());
        assert_eq!((bare.path.as_deref(), bare.method.as_deref()), (Some("/"), Some("*")));
    }
}
