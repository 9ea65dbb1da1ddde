//! Where the importer puts what it has to say.
//!
//! A public document repeats the same ignored member thousands of times. Such members are counted and become one
//! finding each, at their first place; everything else is one finding per occurrence.

use std::collections::HashMap;

use crate::base::{Diagnostic, Place, Severity};
use crate::json::{Member, Node, Pointer};

use super::answer::{Answer, INVALID_INPUT, attribute};
use super::scope::{Scope, Why};

/// Findings of one import, in the making.
#[derive(Debug, Default)]
pub(super) struct Findings<'d> {
    list: Vec<Diagnostic>,
    groups: HashMap<(Why, &'d str), Group>,
    refused: bool,
    has_error: bool,
    answer: Answer,
    /// Findings beyond [`LIST_MAX`] and names beyond [`GROUPS_MAX`].
    unsaid: usize,
}

/// Findings that are said one by one. A document with more is not mended by hand.
const LIST_MAX: usize = 2000;

/// Names of ignored members that are said one by one.
const GROUPS_MAX: usize = 2000;

/// Longest message in characters: messages quote the document.
const MESSAGE_CHARACTERS_MAX: usize = 1000;

#[derive(Debug)]
struct Group {
    place: Place,
    pointer: String,
    count: usize,
}

/// What to say about one thing: rule, message, what AWS does, what to do.
pub(super) struct Remark {
    pub(super) rule: &'static str,
    pub(super) message: String,
    pub(super) on_aws: &'static str,
    pub(super) fix: &'static str,
    words: Words,
}

/// What AWS's import call says about the same thing.
enum Words {
    /// Of a refusal: the message. Of a warning: nothing.
    Plain,
    /// `Invalid OpenAPI input.`: the document is not looked at any further.
    InvalidInput,
    /// A line of its own.
    Line(String),
}

impl Remark {
    pub(super) fn new(rule: &'static str, message: impl Into<String>) -> Self {
        Self { rule, message: message.into(), on_aws: "", fix: "", words: Words::Plain }
    }

    /// What stands here makes the whole text none that AWS reads.
    pub(super) fn invalid_input(self) -> Self {
        Self { on_aws: INVALID_INPUT, words: Words::InvalidInput, ..self }
    }

    /// The line that AWS's answer has for this.
    pub(super) fn words(self, line: impl Into<String>) -> Self {
        Self { words: Words::Line(line.into()), ..self }
    }

    pub(super) fn on_aws(self, on_aws: &'static str) -> Self {
        Self { on_aws, ..self }
    }

    pub(super) fn fix(self, fix: &'static str) -> Self {
        Self { fix, ..self }
    }
}

impl<'d> Findings<'d> {
    /// The document cannot be imported.
    pub(super) fn refuse(&mut self, remark: Remark, place: Place, at: &Pointer<'_>) {
        self.refused = true;
        match &remark.words {
            Words::Plain => self.answer.add_error(shorten(remark.message.clone())),
            Words::InvalidInput => self.answer.refuse_input(),
            Words::Line(line) => self.answer.add_error(shorten(line.clone())),
        }
        self.push(Severity::Error, remark, place, at);
    }

    /// The document is imported, but a route of it will answer 500.
    pub(super) fn error(&mut self, remark: Remark, place: Place, at: &Pointer<'_>) {
        self.push(Severity::Error, remark, place, at);
    }

    /// Probably not what was meant, or not obeyed.
    pub(super) fn warn(&mut self, remark: Remark, place: Place, at: &Pointer<'_>) {
        self.answer_warning(&remark);
        self.push(Severity::Warning, remark, place, at);
    }

    /// Worth knowing.
    pub(super) fn note(&mut self, remark: Remark, place: Place, at: &Pointer<'_>) {
        self.answer_warning(&remark);
        self.push(Severity::Note, remark, place, at);
    }

    fn answer_warning(&mut self, remark: &Remark) {
        if let Words::Line(line) = &remark.words {
            self.add_warning(line.clone());
        }
    }

    fn push(&mut self, severity: Severity, remark: Remark, place: Place, at: &Pointer<'_>) {
        let is_first_error = severity == Severity::Error && !self.has_error;
        if self.list.len() >= LIST_MAX && !is_first_error {
            self.unsaid += 1;
            return;
        }
        self.has_error |= severity == Severity::Error;
        self.list.push(Diagnostic {
            severity,
            rule: remark.rule,
            place,
            pointer: at.render(),
            message: shorten(remark.message),
            on_aws: remark.on_aws.to_owned(),
            fix: remark.fix.to_owned(),
        });
    }

    /// The document, or a part of it that must be an object, is something else.
    pub(super) fn refuse_kind(&mut self, node: &Node, wanted: &str, at: &Pointer<'_>) {
        let message = format!("expected {wanted} and found {}", node.kind_name());
        self.refuse(Remark::new("wrong-type", message).invalid_input(), node.place, at);
    }

    /// A member has the wrong type and is left out.
    pub(super) fn skip_kind(&mut self, node: &Node, wanted: &str, at: &Pointer<'_>) {
        let message = format!("expected {wanted} and found {}; left out", node.kind_name());
        let line = format!("Parse issue: attribute {} is not of type `{}`", attribute(&at.render()), type_of(wanted));
        self.warn(Remark::new("wrong-type", message).words(line), node.place, at);
    }

    /// Counts one member that is neither obeyed nor stored.
    pub(super) fn ignored(&mut self, why: Why, member: &'d Member, at: &Pointer<'_>) {
        self.ignored_name(why, &member.key.text, member.key.place, at);
    }

    /// As [`Self::ignored`], `at` being the member itself.
    pub(super) fn ignored_name(&mut self, why: Why, name: &'d str, place: Place, at: &Pointer<'_>) {
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&(why, name)) {
            self.unsaid += 1;
            return;
        }
        if why.is_aws_warning() {
            self.answer.add_warning(shorten(format!("`{name}` {}", why.message())));
        }
        let group = self.groups.entry((why, name));
        let group = group.or_insert_with(|| Group { place, pointer: at.render(), count: 0 });
        group.count += 1;
    }

    /// Accounts for every member of `node` that its scope does not read.
    pub(super) fn leftovers(&mut self, node: &'d Node, scope: Scope, at: &Pointer<'_>) {
        if !node.is_object() && !node.is_null() {
            self.skip_kind(node, "an object", at);
        }
        for member in node.members() {
            if let Some(why) = scope.why_ignored(&member.key.text) {
                self.ignored(why, member, &at.key(&member.key.text));
            }
        }
    }

    /// A line of AWS's answer where one finding stands for several.
    pub(super) fn add_warning(&mut self, line: String) {
        self.answer.add_warning(shorten(line));
    }

    /// What AWS would have answered so far.
    pub(super) fn take_answer(&mut self) -> Answer {
        std::mem::take(&mut self.answer)
    }

    /// Whether nothing can be imported.
    pub(super) fn is_refused(&self) -> bool {
        self.refused
    }

    /// Everything found, in the order of the document.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.extend(self.groups.into_iter().map(|((why, name), group)| group.diagnostic(why, name)));
        let order = |a: &Diagnostic, b: &Diagnostic| {
            (a.place, &a.pointer, a.rule, &a.message).cmp(&(b.place, &b.pointer, b.rule, &b.message))
        };
        list.sort_by(order);
        // Parameters of a path are read once for each of its operations, shared parts once for each use.
        list.dedup();
        if self.unsaid > 0 {
            list.push(unsaid(self.unsaid));
        }
        list
    }
}

/// The type that AWS's parser names where we say what is wanted.
fn type_of(wanted: &str) -> &'static str {
    match wanted {
        "a string" => "string",
        "true or false" => "boolean",
        _ if wanted.starts_with("a list") => "array",
        _ if wanted.starts_with("a whole number") => "integer",
        _ => "object",
    }
}

fn unsaid(count: usize) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        rule: "more-findings",
        place: Place { line: 1, column: 1 },
        pointer: String::new(),
        message: format!("{count} more findings are not listed"),
        on_aws: String::new(),
        fix: "Mend the ones listed and look again.".to_owned(),
    }
}

fn shorten(message: String) -> String {
    match message.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        None => message,
        Some((end, _)) => format!("{}…", message.get(..end).unwrap_or_default()),
    }
}

impl Group {
    fn diagnostic(self, why: Why, name: &str) -> Diagnostic {
        let times = if self.count == 1 { String::new() } else { format!(" ({} times, first here)", self.count) };
        Diagnostic {
            severity: why.severity(),
            rule: why.rule(),
            place: self.place,
            pointer: self.pointer,
            message: format!("`{}`{times} {}", shorten(name.to_owned()), why.message()),
            on_aws: why.on_aws().to_owned(),
            fix: why.fix().to_owned(),
        }
    }
}
