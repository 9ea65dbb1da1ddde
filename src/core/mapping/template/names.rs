//! Names at deploy time: whole references become sources, so that nothing of them is looked up at run time.

use super::overrides::side_of;
use crate::json::JsonPath;
use crate::mapping::context::{ContextVariable, Scope};
use crate::mapping::expression::Resolve;
use crate::vtl::{Binding, Bound, Constant, Document, HostRef, Link, Names, Written};

/// What the host's things are.
pub(super) mod realm {
    /// `$input`
    pub const INPUT: u16 = 0;
    /// `$context`
    pub const CONTEXT: u16 = 1;
    /// `$util`
    pub const UTIL: u16 = 2;
    /// `$stageVariables`
    pub const STAGE_VARIABLES: u16 = 3;
    /// A name (even) or value (odd) of a stage variable.
    pub const STAGE_VARIABLE: u16 = 4;
    /// The body as text.
    pub const BODY: u16 = 5;
    /// A text that was made for this run.
    pub const TEXT: u16 = 6;
    /// A value of the body's document.
    pub const NODE: u16 = 7;
    /// A value of the first document of `$util.parseJson`; those after it follow.
    pub const PARSED: u16 = 16;
}

/// The object behind a name.
pub(super) const fn object(realm: u16) -> HostRef {
    HostRef { realm, index: 0 }
}

/// Functions of `$util`.
const FUNCTIONS: [&str; 6] =
    ["escapeJavaScript", "parseJson", "urlEncode", "urlDecode", "base64Encode", "base64Decode"];

/// Where a bound reference reads its value.
#[derive(Debug)]
pub(super) enum Source {
    /// `$input.body`
    Body,
    /// `$input.json(…)`
    Json(JsonPath),
    /// `$input.path(…)`
    Path(JsonPath),
    /// `$input.params('name')`
    Parameter(Box<str>),
    /// `$input.params().path.name`
    PathParameter(Box<str>),
    /// `$input.params().querystring.name`
    QueryParameter(Box<str>),
    /// `$input.params().header.name`
    HeaderParameter(Box<str>),
    /// `$context.…`
    Context(ContextVariable),
}

/// The names of mapping templates.
pub(super) struct TemplateNames<'r, R> {
    resolve: &'r R,
    variables: &'r Document,
    sources: Vec<Source>,
    /// `$input` is used in ways that are known only at run time.
    has_free_input: bool,
}

impl<'r, R: Resolve> TemplateNames<'r, R> {
    pub(super) fn new(variables: &'r Document, resolve: &'r R) -> Self {
        Self { resolve, variables, sources: Vec::new(), has_free_input: false }
    }

    pub(super) fn reads_body(&self) -> bool {
        let is_body = |source: &Source| matches!(source, Source::Body | Source::Json(_) | Source::Path(_));
        self.has_free_input || self.sources.iter().any(is_body)
    }

    pub(super) fn stage_variables(&self) -> Box<[(Box<str>, Box<str>)]> {
        let mut variables = Vec::new();
        self.resolve.each_stage_variable(&mut |name, value| variables.push((name.into(), value.into())));
        variables.into()
    }

    pub(super) fn sources(self) -> Box<[Source]> {
        self.sources.into()
    }

    fn bound(&mut self, links: usize, source: Source) -> Binding {
        self.sources.push(source);
        Binding { links, what: Bound::Number(self.sources.len() as u32 - 1) }
    }

    fn bind_input(&mut self, links: &[Link]) -> Result<Option<Binding>, String> {
        let Some(Link::Method(method, arguments)) = links.first() else {
            return Ok(match links.first() {
                Some(Link::Property(name)) if &**name == "body" => Some(self.bound(1, Source::Body)),
                _ => None,
            });
        };
        Ok(match (&**method, &arguments[..]) {
            ("json", [Constant::Text(path)]) => Some(self.bound(1, Source::Json(json_path(path)?))),
            ("path", [Constant::Text(path)]) => Some(self.bound(1, Source::Path(json_path(path)?))),
            ("params", [Constant::Text(name)]) => Some(self.bound(1, Source::Parameter(name.clone()))),
            ("params", []) => match (links.get(1).and_then(name_of), links.get(2).and_then(name_of)) {
                (Some("path"), Some(name)) => Some(self.bound(3, Source::PathParameter(name.into()))),
                (Some("querystring"), Some(name)) => Some(self.bound(3, Source::QueryParameter(name.into()))),
                (Some("header"), Some(name)) => Some(self.bound(3, Source::HeaderParameter(name.into()))),
                _ => None,
            },
            _ => None,
        })
    }

    /// The longest beginning of the reference that is a variable.
    fn bind_context(&mut self, links: &[Link]) -> Option<Binding> {
        let names: Vec<&str> = links.iter().map_while(name_of).collect();
        (1..=names.len()).rev().find_map(|count| {
            let variable = ContextVariable::parse(&names[..count].join(".")).ok()?;
            (variable.scope() == Scope::Everywhere).then(|| self.bound(count, Source::Context(variable)))
        })
    }
}

/// What is wrong with the name that a reference asks of a thing; `None`: nothing.
fn unknown(realm: u16, path: &[Written<'_>]) -> Option<String> {
    let name = match *path.first()? {
        Written::Property(name) => name.to_owned(),
        Written::Method(name, _) => format!("{name}()"),
    };
    match (realm, path.first()?) {
        (realm::CONTEXT, _) => unknown_of_context(path),
        (
            realm::INPUT,
            Written::Property("body") | Written::Method("json" | "path", 1) | Written::Method("params", 0 | 1),
        ) => None,
        (realm::INPUT, _) => {
            Some(format!("$input.{name} does not exist; body, json(path), path(path), params() and params(name) do"))
        }
        (realm::UTIL, Written::Method(name, 1)) if FUNCTIONS.contains(name) => None,
        (realm::UTIL, _) => Some(format!("$util.{name} does not exist; with one argument {} do", FUNCTIONS.join(", "))),
        _ => None,
    }
}

fn unknown_of_context(path: &[Written<'_>]) -> Option<String> {
    let names: Vec<&str> =
        path.iter().map_while(|part| if let Written::Property(name) = part { Some(*name) } else { None }).collect();
    let whole = names.join(".");
    let is_group = || {
        ContextVariable::NAMED
            .iter()
            .any(|known| known.name().strip_prefix(&*whole).is_some_and(|rest| rest.starts_with('.')))
    };
    if names.is_empty() || side_of(names[0]).is_some() || is_group() {
        return None;
    }
    let known = (1..=names.len()).rev().find_map(|count| ContextVariable::parse(&names[..count].join(".")).ok());
    match known {
        Some(variable) if variable.scope() == Scope::Everywhere => None,
        Some(_) => {
            Some(format!("$context.{whole} has its value only when the response is made: it is for access logs"))
        }
        None => ContextVariable::parse(&whole).err().map(|unknown| unknown.to_string()),
    }
}

/// The name that a link asks for.
fn name_of(link: &Link) -> Option<&str> {
    match link {
        Link::Property(name) => Some(name),
        Link::Method(method, arguments) => match &arguments[..] {
            [Constant::Text(name)] if &**method == "get" => Some(name),
            _ => None,
        },
    }
}

pub(super) fn json_path(text: &str) -> Result<JsonPath, String> {
    JsonPath::compile(text).map_err(|error| error.to_string())
}

impl<R: Resolve> Names for TemplateNames<'_, R> {
    fn look(&self, root: HostRef, path: &[Written<'_>]) -> Option<String> {
        unknown(root.realm, path).map(|message| format!("{message}; it prints nothing"))
    }

    fn root(&self, name: &str) -> Option<HostRef> {
        match name {
            "input" => Some(object(realm::INPUT)),
            "context" => Some(object(realm::CONTEXT)),
            "util" => Some(object(realm::UTIL)),
            "stageVariables" => Some(object(realm::STAGE_VARIABLES)),
            name => self.variables.root(name),
        }
    }

    fn bind(&mut self, root: HostRef, links: &[Link]) -> Result<Option<Binding>, String> {
        Ok(match root.realm {
            realm::INPUT => {
                let binding = self.bind_input(links)?;
                self.has_free_input |= binding.is_none();
                binding
            }
            realm::CONTEXT => self.bind_context(links),
            realm::STAGE_VARIABLES => links.first().and_then(name_of).map(|name| {
                let text = self.resolve.stage_variable(name).unwrap_or_default();
                Binding { links: 1, what: Bound::Text(text.into()) }
            }),
            _ => None,
        })
    }
}
