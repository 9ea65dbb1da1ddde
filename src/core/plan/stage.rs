//! One stage of one API, ready to serve.

use crate::aws::errors::ResponseType;
use crate::mapping::context::ContextVariable;
use crate::mapping::{Expression, Substitution};
use crate::record::AccessLogProgram;

use super::content::BinaryMediaTypes;
use super::trie::Trie;
use super::{ByMediaType, RoutePlan};

/// A dense number for a stage's counters, its canary's are others. It stays the same across snapshots while the stage is
/// served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StageSlot(pub u32);

/// A stage: routes, and what they share.
#[derive(Debug)]
pub struct StagePlan {
    /// Its counters.
    pub slot: StageSlot,
    /// `$context.accountId`
    pub account_id: Box<str>,
    /// Region of ARNs.
    pub region: Box<str>,
    /// `$context.apiId`
    pub api_id: Box<str>,
    /// `$context.stage`
    pub name: Box<str>,
    /// `$context.deploymentId`
    pub deployment_id: Box<str>,
    /// `$context.endpointType`
    pub endpoint_type: &'static str,
    /// `$context.isCanaryRequest`
    pub is_canary: bool,
    /// The line `X-Amzn-Apigateway-Api-Id: …` of requests to back ends, with its line end.
    pub api_id_line: Box<[u8]>,
    /// The line `User-Agent: AmazonAPIGateway_…` of `HTTP` integrations, with its line end.
    pub user_agent_line: Box<[u8]>,
    /// Lines that every response of this stage carries beyond those of AWS.
    pub response_lines: Box<[u8]>,
    /// Whose bodies are binary.
    pub binary_media_types: BinaryMediaTypes,
    /// Responses of at least so many bytes are compressed for clients that take it, and compressed requests are read.
    pub minimum_compression_size: Option<u64>,
    /// Finds the route.
    pub trie: Trie,
    /// Routes by the trie's index.
    pub routes: Box<[RoutePlan]>,
    /// Gateway responses by [`ResponseType`].
    pub rejections: Box<[RejectionPlan]>,
    /// Names of API, stage and deployment as a decision record holds them.
    pub description: Box<[u8]>,
    /// Decision records of this stage hold bodies.
    pub records_bodies: bool,
    /// A line of the access log.
    pub access_log: AccessLogProgram<ContextVariable>,
}

impl StagePlan {
    /// What a type of gateway response answers.
    pub fn rejection(&self, response_type: ResponseType) -> Option<&RejectionPlan> {
        self.rejections.get(response_type as usize)
    }
}

/// A gateway response, ready to send.
#[derive(Debug)]
pub struct RejectionPlan {
    /// Status where it is customized, or follows from the customization.
    pub status: Option<u16>,
    /// Customized headers.
    pub headers: Box<[(Box<[u8]>, Expression)]>,
    /// Customized templates; empty: the standard body.
    pub templates: ByMediaType<Substitution>,
}
