//! Documentation parts, found by what they document. What is said of a path holds for the paths below it, what is said
//! of all methods or all responses holds for each of them, and the more special text wins
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-documenting-api-content-representation.html>).

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::model::documentation::{DocumentationLocation, DocumentationPart, PartType};

/// Paths beyond this many bytes inherit nothing: each would be looked up once for every segment it has.
const INHERITING_PATH_BYTES_MAX: usize = 1024;

/// Indices of parts of one list.
#[derive(Debug, Default)]
pub(super) struct PartIndex {
    /// By type and name, then by path (empty where the type has none).
    by_entity: HashMap<(PartType, Option<String>), HashMap<String, Vec<usize>>>,
}

impl PartIndex {
    pub(super) fn of(parts: &[DocumentationPart]) -> Self {
        let mut index = Self::default();
        parts.iter().enumerate().for_each(|(number, part)| index.add(&part.location, number));
        index
    }

    /// Adds the part with this number.
    pub(super) fn add(&mut self, location: &DocumentationLocation, number: usize) {
        let paths = self.by_entity.entry((location.part_type, location.name.clone())).or_default();
        paths.entry(location.path.clone().unwrap_or_default()).or_default().push(number);
    }

    /// Whether a part is about exactly this.
    pub(super) fn contains(&self, parts: &[DocumentationPart], location: &DocumentationLocation) -> bool {
        let paths = self.by_entity.get(&(location.part_type, location.name.clone()));
        let numbers = paths.and_then(|paths| paths.get(location.path.as_deref().unwrap_or_default()));
        numbers.into_iter().flatten().any(|number| parts.get(*number).is_some_and(|part| part.location == *location))
    }

    /// All that parts say of an entity.
    pub(super) fn said(&self, parts: &[DocumentationPart], location: &DocumentationLocation) -> Map<String, Value> {
        let mut said = Map::new();
        let Some(paths) = self.by_entity.get(&(location.part_type, location.name.clone())) else { return said };
        for path in lineage(location.path.as_deref().unwrap_or_default()) {
            let numbers = paths.get(path).into_iter().flatten();
            let mut found: Vec<_> = numbers.filter_map(|number| rank(parts.get(*number)?, location)).collect();
            found.sort_by_key(|(rank, _)| *rank);
            for properties in found.into_iter().filter_map(|(_, part)| part.properties.as_object()) {
                said.extend(properties.iter().map(|(name, value)| (name.clone(), value.clone())));
            }
        }
        said
    }
}

/// How special a part is among those at one path; `None` if it is about another method or response.
fn rank<'p>(part: &'p DocumentationPart, location: &DocumentationLocation) -> Option<(u8, &'p DocumentationPart)> {
    let special = |said: &Option<String>, wanted: &Option<String>| match said.as_deref() {
        said if said == wanted.as_deref() => Some(1),
        Some("*") => Some(0),
        _ => None,
    };
    let method = special(&part.location.method, &location.method)?;
    let status_code = special(&part.location.status_code, &location.status_code)?;
    Some((2 * method + status_code, part))
}

/// The paths that a path inherits from, the root first, and itself.
fn lineage(path: &str) -> impl Iterator<Item = &str> {
    let inherits = path.len() > 1 && path.len() <= INHERITING_PATH_BYTES_MAX;
    let above = path.match_indices('/').map(|(end, _)| path.get(..end.max(1)).unwrap_or_default());
    above.filter(move |_| inherits).chain([path])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::Place;
    use crate::model::documentation::GivenLocation;

    fn location(path: &str, method: &str, status_code: &str) -> DocumentationLocation {
        let some = |text: &str| Some(text.to_owned());
        let given =
            GivenLocation { path: some(path), method: some(method), status_code: some(status_code), name: None };
        DocumentationLocation::new(PartType::Response, given)
    }

    #[test]
    fn the_more_special_text_wins_member_by_member() {
        let rows = [
            (location("/a/b", "GET", "200"), json!({"f": 1})),
            (location("/a", "*", "*"), json!({"a": 2, "b": 2, "c": 2, "d": 2, "e": 2, "f": 2})),
            (location("/a/b", "*", "*"), json!({"c": 3, "d": 3, "e": 3, "f": 3})),
            (location("/a/b", "*", "200"), json!({"d": 4, "e": 4, "f": 4})),
            (location("/a/b", "GET", "*"), json!({"e": 5, "f": 5})),
            (location("/", "*", "200"), json!({"a": 6})),
            (location("/", "*", "404"), json!({"a": 7, "z": 7})),
            (location("/a/bc", "*", "*"), json!({"z": 8})),
        ];
        let parts =
            rows.map(|(location, properties)| DocumentationPart { location, properties, place: Place::NOWHERE });
        let index = PartIndex::of(&parts);
        let said = |path, method, status| Value::Object(index.said(&parts, &location(path, method, status)));
        assert_eq!(said("/a/b", "GET", "200"), json!({"a": 2, "b": 2, "c": 3, "d": 4, "e": 5, "f": 1}));
        assert_eq!(said("/a/b", "PUT", "404"), json!({"a": 2, "b": 2, "c": 3, "d": 3, "e": 3, "f": 3, "z": 7}));
        assert_eq!(said("/", "PUT", "200"), json!({"a": 6}));
        assert_eq!(said("/b", "PUT", "500"), json!({}));
        assert!(index.contains(&parts, &location("/", "*", "200")));
        assert!(!index.contains(&parts, &location("/", "GET", "200")));
    }
}
