//! The resource tree: paths checked as AWS checks them, one resource per prefix.

use std::collections::HashMap;

use crate::base::Place;
use crate::base::limits::{RESOURCES_MAX, RESOURCES_RELAXED_MAX};
use crate::json::Pointer;
use crate::model::rest::Resource;

use super::findings::{Findings, Remark};

/// Resources in the making: root first, parents before children.
#[derive(Debug)]
pub(super) struct Tree {
    resources: Vec<Resource>,
    by_path: HashMap<String, usize>,
    /// Of each resource, its child that is a path variable.
    variable_child: Vec<Option<String>>,
    resources_max: usize,
}

/// Why a path cannot be a resource.
enum Fault {
    Segment(String),
    GreedyInside(String),
    Sibling { written: String, sibling: String },
    TooMany(usize),
}

impl Tree {
    /// A tree with its root.
    pub(super) fn new(relaxed: bool) -> Self {
        let root = Resource { path: "/".to_owned(), ..Resource::default() };
        let resources_max = if relaxed { RESOURCES_RELAXED_MAX } else { RESOURCES_MAX };
        Self { resources: vec![root], by_path: HashMap::new(), variable_child: vec![None], resources_max }
    }

    /// The resource at `path`, made with all its ancestors if need be.
    pub(super) fn resource(
        &mut self,
        path: &str,
        place: Place,
        at: &Pointer<'_>,
        findings: &mut Findings<'_>,
    ) -> Option<usize> {
        match self.insert(path, place) {
            Ok(index) => Some(index),
            Err(fault) => {
                findings.refuse(fault.remark(path), place, at);
                None
            }
        }
    }

    pub(super) fn get_mut(&mut self, index: usize) -> Option<&mut Resource> {
        self.resources.get_mut(index)
    }

    pub(super) fn into_resources(self) -> Vec<Resource> {
        self.resources
    }

    fn insert(&mut self, path: &str, place: Place) -> Result<usize, Fault> {
        if !path.starts_with('/') {
            return Err(Fault::Segment(String::new()));
        }
        let mut parent = 0;
        let mut end = 0;
        let trimmed = path.strip_suffix('/').unwrap_or(path);
        for segment in trimmed.split('/').skip(1) {
            end += 1 + segment.len();
            parent = match self.by_path.get(&trimmed[..end]) {
                Some(&known) => known,
                None => self.add_child(parent, segment, &trimmed[..end], place)?,
            };
        }
        Ok(parent)
    }

    fn add_child(&mut self, parent: usize, segment: &str, path: &str, place: Place) -> Result<usize, Fault> {
        if !is_segment(segment) {
            return Err(Fault::Segment(segment.to_owned()));
        }
        self.check_parent(parent)?;
        self.check_sibling(parent, segment)?;
        // The root is not counted: AWS's quota of 300 is on the resources that one creates.
        if self.resources.len() > self.resources_max {
            return Err(Fault::TooMany(self.resources_max));
        }
        let index = self.resources.len();
        self.resources.push(Resource { path: path.to_owned(), methods: Vec::new(), place });
        self.variable_child.push(None);
        self.by_path.insert(path.to_owned(), index);
        Ok(index)
    }

    fn check_parent(&self, parent: usize) -> Result<(), Fault> {
        let parent = self.resources.get(parent).map_or("", |resource| resource.path.as_str());
        match parent.ends_with("+}") {
            true => Err(Fault::GreedyInside(parent.rsplit('/').next().unwrap_or_default().to_owned())),
            false => Ok(()),
        }
    }

    fn check_sibling(&mut self, parent: usize, segment: &str) -> Result<(), Fault> {
        let Some(variable) = self.variable_child.get_mut(parent).filter(|_| segment.starts_with('{')) else {
            return Ok(());
        };
        match variable {
            Some(sibling) => Err(Fault::Sibling { written: segment.to_owned(), sibling: sibling.clone() }),
            None => {
                *variable = Some(segment.to_owned());
                Ok(())
            }
        }
    }
}

impl Fault {
    fn remark(self, path: &str) -> Remark {
        let line = format!("Unable to create resource at path '{path}': {}", self.words());
        self.finding(path).words(line)
    }

    /// What CreateResource says.
    fn words(&self) -> String {
        match self {
            Self::Segment(_) => "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable and curly braces at the beginning and the end.".to_owned(),
            Self::GreedyInside(greedy) => {
                format!("Cannot create a child of a resource with a greedy path variable: {greedy}")
            }
            Self::Sibling { sibling, .. } => format!(
                "A sibling ({sibling}) of this resource already has a variable path part -- only one is allowed"
            ),
            Self::TooMany(_) => "Maximum number of resources for this API has been reached. Please contact AWS if you need additional resources.".to_owned(),
        }
    }

    fn finding(&self, path: &str) -> Remark {
        match self {
            Self::Segment(segment) if segment.is_empty() => {
                Remark::new("path-segment", format!("the path '{path}' has an empty segment"))
                    .on_aws("Refused: a path part must not be empty.")
                    .fix("Write one `/` between segments and begin the path with `/`.")
            }
            Self::Segment(segment) => {
                Remark::new("path-segment", format!("'{segment}' in the path '{path}' cannot be a path part"))
                    .on_aws("Refused: a path part consists of a-zA-Z0-9._-:, or is one variable in braces.")
                    .fix("Make a variable a whole segment, and keep queries and fragments out of paths.")
            }
            Self::GreedyInside(_) => Remark::new("path-greedy", self.words())
                .on_aws("Refused with these words.")
                .fix("Let the greedy variable end the path."),
            Self::Sibling { written, .. } => {
                Remark::new("path-sibling", format!("'{written}' in '{path}': {}", self.words()))
                    .on_aws("Refused with these words.")
                    .fix("Give the variable the same name in every path that goes through here.")
            }
            Self::TooMany(max) => Remark::new("resource-count", format!("the API has more than {max} resources"))
                .on_aws("The quota is 300 resources for each API and can be raised.")
                .fix("Raise it here with --limits relaxed."),
        }
    }
}

fn is_segment(segment: &str) -> bool {
    let Some(variable) = segment.strip_prefix('{') else { return is_part(segment) };
    let Some(name) = variable.strip_suffix('}') else { return false };
    is_part(name.strip_suffix('+').unwrap_or(name))
}

fn is_part(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:,".contains(&b))
}

/// Names of the variables of a path, without braces and `+`.
pub(super) fn variables(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.strip_suffix('+').unwrap_or(name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(written: &[&str]) -> Result<Vec<String>, String> {
        let (mut tree, mut findings) = (Tree::new(false), Findings::default());
        for path in written {
            tree.resource(path, Place { line: 7, column: 3 }, &Pointer::ROOT, &mut findings);
        }
        match findings.finish().first() {
            Some(finding) => Err(finding.message.clone()),
            None => Ok(tree.into_resources().into_iter().map(|resource| resource.path).collect()),
        }
    }

    #[test]
    fn every_prefix_is_a_resource_and_parents_come_first() {
        let expected = ["/", "/a", "/a/{id}", "/a/{id}/b.c-d_e:f,g", "/x", "/a/{id}/{rest+}"];
        let written = ["/a/{id}/b.c-d_e:f,g", "/", "/x/", "/a/{id}/{rest+}", "/a"];
        assert_eq!(paths(&written).unwrap(), expected);
    }

    #[test]
    fn what_aws_refuses_is_refused_in_its_words() {
        let cases: [(&[&str], &str); 13] = [
            (&["/a/{x}", "/a/{y}/b"], "(`A sibling ({x}) of this resource already has a variable path part"),
            (&["/{x}", "/{proxy+}"], "A sibling ({x}) of this resource"),
            (&["/{p+}/a"], "Cannot create a child of a resource with a greedy path variable: {p+}"),
            (&["/a{b}"], "'a{b}' in the path '/a{b}' cannot be a path part"),
            (&["/{a}-{b}"], "cannot be a path part"),
            (&["/{a}:cancel"], "cannot be a path part"),
            (&["/{}"], "cannot be a path part"),
            (&["/{+}"], "cannot be a path part"),
            (&["/a#b"], "cannot be a path part"),
            (&["/é"], "cannot be a path part"),
            (&["/a//b"], "has an empty segment"),
            (&["//"], "has an empty segment"),
            (&["é/b"], "has an empty segment"),
        ];
        for (written, expected) in cases {
            let message = paths(written).expect_err(expected);
            assert!(message.contains(expected.trim_start_matches("(`")), "{written:?}: {message}");
        }
    }

    #[test]
    fn three_hundred_resources_fit_beside_the_root() {
        let many = |count: usize| (0..count).map(|n| format!("/r{n}")).collect::<Vec<_>>();
        let check = |count| paths(&many(count).iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(check(300).unwrap().len(), 301);
        assert!(check(301).is_err());
    }

    #[test]
    fn variables_are_named_without_braces() {
        assert_eq!(variables("/a/{id}/b/{rest+}").collect::<Vec<_>>(), ["id", "rest"]);
    }
}
