//! OpenAPI documents with `x-amazon-apigateway-*` extensions, turned into the model of a REST API.
//!
//! [`import`] reads Swagger 2.0 and OpenAPI 3 as AWS's `ImportRestApi` does and says what it did not take over:
//! every member is stored, obeyed, or named in a [`Diagnostic`] with its place. [`lint()`] looks at the model for the
//! usual mistakes, [`render()`] prints findings. What the gateway stores but does not obey yet is not decided here: the
//! compiler knows.
//!
//! One file per part of a document: `tree` (paths), `operation`, `parameters`, `payload` (request bodies and
//! responses), `schemas`, `security`, `integration`, `root` (all else at the top level), `documentation`. `put` joins
//! a document with an API that exists, `answer` says of a document what AWS says, `export` writes documents.

mod answer;
mod checks;
mod documentation;
pub mod export;
mod findings;
mod integration;
mod kind;
pub mod lint;
mod operation;
mod parameters;
mod parts;
mod payload;
mod prepare;
mod put;
mod references;
pub mod render;
mod root;
mod schemas;
mod scope;
mod security;
#[cfg(test)]
mod tests;
mod tree;
mod values;

use std::collections::{HashMap, HashSet};

pub use answer::{Answer, INVALID_INPUT};
pub use documentation::documentation_parts;
pub use lint::lint;
pub use put::{Stated, merge, merge_parts, overwrite};
pub use references::{References, flatten};
pub use render::{Format, render};

use crate::base::limits::DEFINITION_NODES_MAX;
use crate::base::{Diagnostic, Place, Severity};
use crate::json::{Kind, Node, Pointer, SyntaxError, read, read_relaxed};
use crate::model::documentation::DocumentationPart;
use crate::model::rest::{EndpointType, RestApi};

use findings::{Findings, Remark};
use kind::Version;
use parts::PartIndex;
use security::Scheme;

/// How a document is to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Which kind of API it describes.
    pub kind: ApiKind,
    /// What becomes of the base path.
    pub base_path: BasePath,
    /// Counts beyond AWS's quotas are accepted.
    pub relaxed_limits: bool,
    /// A warning refuses the document (`failonwarnings`). Findings of `lint` are no import warnings.
    pub fail_on_warnings: bool,
    /// No documentation parts are made (`ignore=documentation`).
    pub ignore_documentation: bool,
    /// What the import parameter `endpointConfigurationTypes` says; empty: nothing.
    pub endpoint_types: Vec<EndpointType>,
    /// Stands for `${AWS::AccountId}`.
    pub account: String,
    /// Stands for `${AWS::Partition}`.
    pub partition: String,
    /// Stands for `${AWS::Region}`.
    pub region: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            kind: ApiKind::default(),
            base_path: BasePath::default(),
            relaxed_limits: false,
            fail_on_warnings: false,
            ignore_documentation: false,
            endpoint_types: Vec::new(),
            account: "000000000000".to_owned(),
            partition: "aws".to_owned(),
            region: "us-east-1".to_owned(),
        }
    }
}

/// Which kind of API a document describes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApiKind {
    /// The document decides; one that does not is a REST API.
    #[default]
    Undecided,
    /// A REST API, whatever the document says.
    Rest,
    /// An HTTP API, whatever the document says.
    Http,
}

/// The import parameter `basepath`
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api-basePath.html>).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BasePath {
    /// Paths stay as written.
    #[default]
    Ignore,
    /// The base path is put before every path.
    Prepend,
    /// The base path without its first segment is put before every path.
    Split,
}

/// What became of a document.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The API; `None` if the document was refused, in which case at least one finding is an error. An error beside
    /// an API means that one of its routes answers 500.
    pub api: Option<RestApi>,
    /// Everything there is to say, in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
    /// What AWS's import call says of it.
    pub answer: Answer,
    /// What the document says although it is the default.
    pub stated: Stated,
}

impl Imported {
    fn refused(diagnostic: Diagnostic, answer: Answer) -> Self {
        Self { api: None, diagnostics: vec![diagnostic], answer, stated: Stated::default() }
    }
}

/// Reads a document in JSON or YAML.
pub fn import(text: &str, options: &Options) -> Imported {
    let mut root = match if options.relaxed_limits { read_relaxed(text) } else { read(text) } {
        Ok(root) => root,
        Err(error) => return refused_syntax(error),
    };
    let mut prepared = prepare::prepare(&mut root, options);
    let mut imported = import_tree(&root, options);
    imported.diagnostics.append(&mut prepared.diagnostics);
    imported.diagnostics.sort_by_key(|finding| finding.place);
    imported.answer = imported.answer.after(prepared.answer);
    if prepared.is_refused || (options.fail_on_warnings && imported.answer.strict_refusal().is_some()) {
        imported.api = None;
    }
    if imported.api.is_none() && !imported.diagnostics.iter().any(|finding| finding.severity == Severity::Error) {
        imported.diagnostics.push(failed_on_warnings(&root));
    }
    imported
}

fn import_tree(root: &Node, options: &Options) -> Imported {
    let mut import = Import::new(root, options);
    let mut api = import.run();
    if let Some(api) = &mut api {
        api.documentation.parts = std::mem::take(&mut import.parts);
    }
    let answer = import.findings.take_answer();
    Imported { api, diagnostics: import.findings.finish(), answer, stated: put::stated(root) }
}

fn refused_syntax(error: SyntaxError) -> Imported {
    let mut answer = Answer::default();
    answer.refuse_input();
    let diagnostic = Diagnostic {
        severity: Severity::Error,
        rule: "syntax",
        place: error.place,
        pointer: String::new(),
        message: error.message,
        on_aws: INVALID_INPUT.to_owned(),
        fix: String::new(),
    };
    Imported::refused(diagnostic, answer)
}

fn failed_on_warnings(root: &Node) -> Diagnostic {
    Diagnostic {
        severity: Severity::Error,
        rule: "fail-on-warnings",
        place: root.place,
        pointer: String::new(),
        message: "there are warnings, and they are to refuse the document".to_owned(),
        on_aws: "With failonwarnings the import is rolled back with 400.".to_owned(),
        fix: "Mend what the warnings name, or import without failing on warnings.".to_owned(),
    }
}

/// Where a reference leads, and what it costs to go there.
#[derive(Clone, Copy)]
struct Target<'d> {
    node: &'d Node,
    weight: usize,
}

/// One import on its way.
struct Import<'d> {
    root: &'d Node,
    options: &'d Options,
    version: Version,
    findings: Findings<'d>,
    api: RestApi,
    schemes: HashMap<&'d str, Scheme>,
    /// Names of declared models, and of generated ones as they come.
    model_names: HashSet<String>,
    /// Where references led.
    targets: HashMap<&'d str, Option<Target<'d>>>,
    /// What following references has cost so far, in units of [`weight`].
    followed: usize,
    /// Models made of schemas written in place, by the place of the schema: a shared response is met many times.
    made_models: HashMap<Place, String>,
    validator_names: HashSet<&'d str>,
    /// Documentation parts, explicit ones first, and what those made of descriptions take.
    parts: Vec<DocumentationPart>,
    documented: PartIndex,
    derived_bytes: usize,
}

impl<'d> Import<'d> {
    fn new(root: &'d Node, options: &'d Options) -> Self {
        Self {
            root,
            options,
            version: Version::OpenApi3,
            findings: Findings::default(),
            api: RestApi::default(),
            schemes: HashMap::new(),
            model_names: HashSet::new(),
            targets: HashMap::new(),
            followed: 0,
            made_models: HashMap::new(),
            validator_names: HashSet::new(),
            parts: Vec::new(),
            documented: PartIndex::default(),
            derived_bytes: 0,
        }
    }

    fn run(&mut self) -> Option<RestApi> {
        if !self.root.is_object() {
            self.findings.refuse_kind(self.root, "an OpenAPI document", &Pointer::ROOT);
            return None;
        }
        self.version = kind::version(self.root, &mut self.findings)?;
        if self.is_http_api() {
            return None;
        }
        self.read_root();
        self.read_schemas();
        self.read_security_schemes();
        self.read_paths();
        let mut api = std::mem::take(&mut self.api);
        api.endpoint_types.clone_from(&self.options.endpoint_types);
        (!self.findings.is_refused()).then_some(api)
    }

    /// Refuses HTTP APIs, naming what made this document one.
    fn is_http_api(&mut self) -> bool {
        let sign = match self.options.kind {
            ApiKind::Rest => None,
            ApiKind::Undecided => kind::http_api_sign(self.root),
            ApiKind::Http => kind::http_api_sign(self.root).or_else(|| kind::version_sign(self.root)),
        };
        let Some(sign) = sign else { return false };
        let message = format!("{} makes this an HTTP API; it is refused until HTTP APIs are supported", sign.what);
        let remark = Remark::new("http-api", message)
            .on_aws("Imported by apigatewayv2 import-api.")
            .fix("If it is meant as a REST API, say so with --kind rest.");
        self.findings.refuse(remark, sign.place, &Pointer::written(&sign.pointer));
        true
    }

    /// The node that `node` stands for: itself, or where its `$ref` leads, and the pointer to it. A reference that
    /// leads nowhere, out of the document or in a circle is refused.
    fn resolve<'p>(&mut self, node: &'d Node, at: Pointer<'p>) -> Option<(&'d Node, Pointer<'p>)>
    where
        'd: 'p,
    {
        let (mut node, mut at) = (node, at);
        for _ in 0..REFERENCE_HOPS_MAX {
            let Some(reference) = node.get("$ref").filter(|reference| !reference.is_null()) else {
                return Some((node, at));
            };
            (node, at) = self.follow(reference, &at)?;
        }
        let remark = Remark::new("reference-loop", "this reference leads in a circle");
        self.findings.refuse(remark, node.place, &at);
        None
    }

    fn follow<'p>(&mut self, reference: &'d Node, at: &Pointer<'_>) -> Option<(&'d Node, Pointer<'p>)>
    where
        'd: 'p,
    {
        let at = at.key("$ref");
        let Some(text) = reference.as_str() else {
            self.findings.refuse_kind(reference, "a reference", &at);
            return None;
        };
        let Some(pointer) = text.strip_prefix('#') else {
            self.refuse_reference(reference, format!("'{text}' lies outside of this document"), &at);
            return None;
        };
        let Some(target) = self.target(pointer) else {
            self.refuse_reference(reference, format!("'{text}' leads nowhere"), &at);
            return None;
        };
        self.followed = self.followed.saturating_add(target.weight);
        if self.followed > REFERENCE_WEIGHT_MAX {
            self.refuse_reference(reference, "references repeat too much of this document".to_owned(), &at);
            return None;
        }
        Some((target.node, Pointer::written(pointer)))
    }

    fn target(&mut self, pointer: &'d str) -> Option<Target<'d>> {
        let root = self.root;
        let find = || root.find(pointer).map(|node| Target { node, weight: weight(node) });
        *self.targets.entry(pointer).or_insert_with(find)
    }

    fn refuse_reference(&mut self, reference: &Node, message: String, at: &Pointer<'_>) {
        let remark = Remark::new("reference", message)
            .on_aws("Refused: a reference must lead to a part of the same document.")
            .fix("Put the part into this document and refer to it as #/….");
        self.findings.refuse(remark, reference.place, at);
    }
}

/// What it costs to read a node and all below it: one for each value, and one for each 32 bytes of text.
fn weight(node: &Node) -> usize {
    match &node.kind {
        Kind::Null | Kind::Bool(_) => 1,
        Kind::String(text) | Kind::Number(text) => 1 + text.len() / 32,
        Kind::Array(elements) => 1 + elements.iter().map(weight).sum::<usize>(),
        Kind::Object(members) => 1 + members.iter().map(|m| m.key.text.len() / 32 + weight(&m.value)).sum::<usize>(),
    }
}

/// How much of a document references may repeat. A small document can refer to its largest part from every line.
const REFERENCE_WEIGHT_MAX: usize = 4 * DEFINITION_NODES_MAX;

/// How many references may follow each other before they are taken for a circle.
const REFERENCE_HOPS_MAX: usize = 32;
