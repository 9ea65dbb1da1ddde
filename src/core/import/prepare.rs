//! What is done to a document before it is read: repeated members, import variables, intrinsic functions.

use std::collections::HashMap;

use crate::base::Diagnostic;
use crate::json::{Kind, Member, Node, Pointer};

use super::Options;
use super::answer::Answer;
use super::findings::{Findings, Remark};

/// Intrinsic functions named one by one; more are counted.
const INTRINSICS_SHOWN: usize = 20;

/// What preparing a document brought to light.
pub(super) struct Prepared {
    pub(super) diagnostics: Vec<Diagnostic>,
    pub(super) answer: Answer,
    pub(super) is_refused: bool,
}

/// Leaves one member of each name, puts account, region and partition in, and refuses unresolved intrinsics.
pub(super) fn prepare(root: &mut Node, options: &Options) -> Prepared {
    let mut preparation = Preparation { options, findings: Findings::default(), intrinsics: 0 };
    preparation.visit(root, &Pointer::ROOT);
    preparation.count_intrinsics(root);
    let is_refused = preparation.findings.is_refused();
    let answer = preparation.findings.take_answer();
    Prepared { diagnostics: preparation.findings.finish(), answer, is_refused }
}

struct Preparation<'o> {
    options: &'o Options,
    findings: Findings<'o>,
    intrinsics: usize,
}

impl Preparation<'_> {
    fn visit(&mut self, node: &mut Node, at: &Pointer<'_>) {
        match &mut node.kind {
            Kind::String(text) => self.substitute(text),
            Kind::Array(elements) => {
                for (index, element) in elements.iter_mut().enumerate() {
                    self.visit(element, &at.index(index));
                }
            }
            Kind::Object(members) => {
                self.remove_repeated(members, at);
                self.look_for_intrinsic(members, at);
                for Member { key, value } in members {
                    // Examples are shown to people and never read: what stands in them is none of our business.
                    if !matches!(key.text.as_str(), "example" | "examples") {
                        self.visit(value, &at.key(&key.text));
                    }
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => {}
        }
    }

    /// The variables that AWS's import replaces.
    fn substitute(&self, text: &mut String) {
        if text.contains("${AWS::") {
            *text = text
                .replace("${AWS::AccountId}", &self.options.account)
                .replace("${AWS::Region}", &self.options.region)
                .replace("${AWS::Partition}", &self.options.partition);
        }
    }

    /// The last one of several members with the same name stays, as in most readers.
    fn remove_repeated(&mut self, members: &mut Vec<Member>, at: &Pointer<'_>) {
        let Some(last) = last_indices(members) else { return };
        let mut index = 0;
        let findings = &mut self.findings;
        members.retain(|member| {
            let stays = last.get(member.key.text.as_str()) == Some(&index);
            index += 1;
            if !stays {
                warn_repeated(member, at, findings);
            }
            stays
        });
    }

    fn look_for_intrinsic(&mut self, members: &[Member], at: &Pointer<'_>) {
        let [member] = members else { return };
        let name = member.key.text.as_str();
        let is_reference = matches!(name, "Ref" | "Condition") && member.value.as_str().is_some();
        if !is_reference && !name.starts_with("Fn::") {
            return;
        }
        self.intrinsics += 1;
        if self.intrinsics <= INTRINSICS_SHOWN {
            let remark =
                Remark::new("unresolved-intrinsic", format!("the intrinsic function `{name}` is not resolved"))
                    .on_aws("CloudFormation resolves it before the document is imported; the import itself refuses it.")
                    .fix("Deploy the template instead, or write the value out.");
            self.findings.refuse(remark, member.key.place, at);
        }
    }

    fn count_intrinsics(&mut self, root: &Node) {
        let more = self.intrinsics.saturating_sub(INTRINSICS_SHOWN);
        if more > 0 {
            let remark =
                Remark::new("unresolved-intrinsic", format!("{more} more intrinsic functions are not resolved"));
            self.findings.refuse(remark, root.place, &Pointer::ROOT);
        }
    }
}

fn warn_repeated(member: &Member, at: &Pointer<'_>, findings: &mut Findings<'_>) {
    let name = &member.key.text;
    let remark = Remark::new("repeated-member", format!("`{name}` is written again further down; this one is lost"))
        .on_aws("Not documented; JSON readers keep the last one.")
        .fix("Join the two, or remove one.");
    findings.warn(remark, member.key.place, &at.key(name));
}

/// Where each name stands last; `None` if no name is repeated.
fn last_indices(members: &[Member]) -> Option<HashMap<String, usize>> {
    let repeated = if members.len() <= 8 { repeats_few(members) } else { repeats_many(members) };
    repeated.then(|| members.iter().enumerate().map(|(index, member)| (member.key.text.clone(), index)).collect())
}

fn repeats_few(members: &[Member]) -> bool {
    let same =
        |(index, member): (usize, &Member)| members.iter().skip(index + 1).any(|m| m.key.text == member.key.text);
    members.iter().enumerate().any(same)
}

fn repeats_many(members: &[Member]) -> bool {
    let mut names = std::collections::HashSet::with_capacity(members.len());
    !members.iter().all(|member| names.insert(member.key.text.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read;

    fn prepared(text: &str) -> (String, Vec<(String, &'static str)>) {
        let mut root = read(text).unwrap();
        let found = prepare(&mut root, &Options::default()).diagnostics;
        (root.to_json().to_string(), found.into_iter().map(|d| (d.pointer, d.rule)).collect())
    }

    #[test]
    fn the_last_of_repeated_members_stays_and_the_others_are_named() {
        let (json, found) = prepared(r#"{"a": {"b": 1, "c": 2, "b": 3}}"#);
        assert_eq!(json, r#"{"a":{"c":2,"b":3}}"#);
        assert_eq!(found, [("/a/b".to_owned(), "repeated-member")]);
        let many: String = (0..20).map(|n| format!("\"k{}\":{n},", n % 10)).collect();
        assert_eq!(prepared(&format!("{{{}}}", many.trim_end_matches(','))).1.len(), 10);
    }

    #[test]
    fn import_variables_are_put_in() {
        let (json, _) = prepared("a: 'arn:${AWS::Partition}:x:${AWS::Region}:${AWS::AccountId}:${AWS::StackName}'");
        assert_eq!(json, r#"{"a":"arn:aws:x:us-east-1:000000000000:${AWS::StackName}"}"#);
    }

    #[test]
    fn intrinsics_are_refused_but_properties_named_alike_are_not() {
        assert_eq!(prepared("a: !Sub x").1, [("/a".to_owned(), "unresolved-intrinsic")]);
        assert_eq!(prepared(r#"{"a": [{"Ref": "X"}]}"#).1, [("/a/0".to_owned(), "unresolved-intrinsic")]);
        assert!(prepared("properties: {Ref: {type: string}}").1.is_empty());
        assert!(prepared("example: {Ref: x}").1.is_empty());
        let many: String = (0..50).map(|n| format!("a{n}: !Ref x\n")).collect();
        assert_eq!(prepared(&many).1.len(), INTRINSICS_SHOWN + 1);
    }
}
