//! Which integration response answers a status. The same few lists of patterns stand at the methods of an API: what each
//! of them chooses is worked out once.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use crate::base::pattern::{Extent, Pattern, PatternError};
use crate::model::rest::IntegrationResponse;
use crate::plan::Choice;

/// The choices of an API, by the lengths and texts of their patterns.
#[derive(Debug, Default)]
pub(super) struct Choices(HashMap<String, Chosen>);

/// What a list of patterns comes to.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) choice: Arc<Choice>,
    /// Patterns that never match, by the index of their response.
    pub(super) invalid: Vec<(usize, PatternError)>,
}

impl Choices {
    /// The choice among `responses`.
    pub(super) fn among(&mut self, responses: &[IntegrationResponse]) -> &Chosen {
        let mut key = String::new();
        for text in responses.iter().map(pattern) {
            // Writing to a text cannot fail.
            let _ = write!(key, "{}:{text}", text.len());
        }
        self.0.entry(key).or_insert_with(|| Chosen::new(responses))
    }
}

impl Chosen {
    fn new(responses: &[IntegrationResponse]) -> Self {
        let mut invalid = Vec::new();
        // The whole of a status must match, as with Java's `matches` (rest-integrations §5).
        let mut compiled = |(index, text): (usize, &str)| {
            let pattern = (!text.is_empty()).then(|| Pattern::compile(text, Extent::Whole))?;
            pattern.map_err(|why| invalid.push((index, why))).ok()
        };
        let patterns = responses.iter().map(pattern).enumerate().map(&mut compiled).collect();
        let default = responses.iter().position(|response| pattern(response).is_empty());
        Self { choice: Arc::new(Choice::new(default, patterns)), invalid }
    }
}

/// An absent and an empty pattern both make the default (rest-integrations §5).
fn pattern(response: &IntegrationResponse) -> &str {
    response.selection_pattern.as_deref().unwrap_or_default()
}
