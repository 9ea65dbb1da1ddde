//! Rules.
use crate::base::Diagnostic;
use crate::model::rest::RestApi;
/// Lint.
pub fn lint(_api: &RestApi) -> Vec<Diagnostic> { Vec::new() }
