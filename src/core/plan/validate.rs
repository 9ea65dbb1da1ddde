//! What a request must bring before it goes further (rest-validation-models-cors §1).

use std::sync::Arc;

use crate::schema::Schema;

use super::ByMediaType;

/// What a route's request validator checks.
#[derive(Debug, Default)]
pub struct ValidatePlan {
    /// Required parameters, in the order in which missing ones are listed: headers, path, query string, each by name.
    pub parameters: Box<[RequiredParameter]>,
    /// Models of the body by content type. A body of a type that is not here is not looked at.
    pub models: ByMediaType<Arc<Schema>>,
}

/// A parameter without which a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequiredParameter {
    /// Its name, case kept.
    pub name: Box<str>,
    /// Where it is looked for.
    pub source: ParameterSource,
}

/// Where a required parameter is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterSource {
    /// Among the headers.
    Header,
    /// In the path, at this position among its variables. `None`: the resource has no such variable, and the parameter
    /// is always missing.
    Path(Option<usize>),
    /// In the query string.
    QueryString,
}
