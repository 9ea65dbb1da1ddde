//! One method of one resource, ready to run.

use super::{HttpPlan, MockPlan, ValidatePlan};

/// A dense number for a route's counters. It stays the same across snapshots while the route exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RouteSlot(pub u32);

/// A method of a resource.
#[derive(Debug)]
pub struct RoutePlan {
    /// `$context.resourcePath`, with braces.
    pub resource_path: Box<str>,
    /// `$context.resourceId`.
    pub resource_id: Box<str>,
    /// Declared method, `ANY` included.
    pub method: &'static str,
    /// Its counters.
    pub slot: RouteSlot,
    /// Names of the path variables, in template order: the captures of the trie are theirs.
    pub variables: Box<[Box<str>]>,
    /// What a decision record says of this route before any request.
    pub description: Box<[u8]>,
    /// Why nobody may call it: what protects it is not obeyed yet. 500 `API_CONFIGURATION_ERROR`.
    pub closed: Option<Box<str>>,
    /// What the request must bring.
    pub validate: Option<Box<ValidatePlan>>,
    /// What answers.
    pub integration: IntegrationPlan,
}

/// What answers a route.
#[derive(Debug)]
pub enum IntegrationPlan {
    /// `HTTP` and `HTTP_PROXY`.
    Http(Box<HttpPlan>),
    /// `MOCK`.
    Mock(Box<MockPlan>),
    /// Something this version cannot do, or a definition that AWS accepts and cannot run: 500
    /// `API_CONFIGURATION_ERROR`, with the reason for the operator.
    Unserved(Box<str>),
    /// A URI that cannot be called, such as one whose host is a stage variable that the stage lacks: 500.
    BadEndpoint(Box<str>),
}
