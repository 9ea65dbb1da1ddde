//! Golden files: templates, cases, what should come out, and which branches no case took.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ringgate_core::mapping::template::{Renderer, Sample, Template};
use ringgate_core::vtl::{Branch, Coverage, Document};

use super::{Finding, Shown, Trial, Trouble, read_bytes, read_object, read_template};

/// What a case should come to.
enum Expected {
    Text(Vec<u8>),
    /// A part of the error message.
    Error(String),
}

/// One case of a template.
struct Case {
    name: String,
    /// What is tried, and what it should come to.
    trial: Result<(Trial, Expected), Trouble>,
}

/// What became of all templates.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    branches: usize,
    taken: usize,
}

/// Runs all cases in a folder. Gives 1 when one fails.
pub(super) fn test(dir: &Path, out: &mut impl Write) -> io::Result<Result<u8, Trouble>> {
    let mut templates = Vec::new();
    if let Err(error) = find_templates(dir, &mut templates) {
        return Ok(Err(Trouble::Unreadable(format!("{}: {error}", dir.display()))));
    }
    templates.sort();
    let mut tally = Tally::default();
    for template in templates {
        if let Err(trouble) = test_template(&template, &mut tally, out)? {
            return Ok(Err(trouble));
        }
    }
    let Tally { passed, failed, branches, taken } = tally;
    if passed + failed == 0 {
        return Ok(Err(Trouble::Unreadable(format!(
            "{}: no case: NAME.vtl with NAME.CASE.out beside it",
            dir.display()
        ))));
    }
    writeln!(out, "{passed} passed, {failed} failed; {taken} of {branches} branches taken")?;
    Ok(Ok(u8::from(failed > 0)))
}

fn find_templates(dir: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        let path = entry.path();
        // Links are not followed into folders: they may lead back.
        if entry.file_type()?.is_dir() {
            find_templates(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "vtl") {
            found.push(path);
        }
    }
    Ok(())
}

fn test_template(path: &Path, tally: &mut Tally, out: &mut impl Write) -> io::Result<Result<(), Trouble>> {
    let read = || Ok((read_template(path)?, cases_of(path)?));
    let (source, cases) = match read() {
        Ok(read) => read,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let name = path.display().to_string();
    if cases.is_empty() {
        writeln!(out, "note  {name}: no case")?;
    }
    let mut renderer = Renderer::new();
    let mut branches: Vec<Branch> = Vec::new();
    for case in &cases {
        match case.wrong(&name, &source, &mut renderer, &mut branches) {
            None => {
                tally.passed += 1;
                writeln!(out, "ok    {}", case.name)?;
            }
            Some(wrong) => {
                tally.failed += 1;
                write!(out, "FAIL  {}\n{wrong}", case.name)?;
            }
        }
    }
    let trial = cases.iter().find_map(|case| case.trial.as_ref().ok());
    let template = trial.and_then(|(trial, _)| trial.compile(&source, Coverage::Off).ok());
    for remark in template.iter().flat_map(Template::remarks) {
        writeln!(out, "note  {name}:{}: {}", remark.place, remark.message)?;
    }
    for (index, branch) in branches.iter().enumerate() {
        tally.branches += 1;
        if renderer.covered().get(index) == Some(&true) {
            tally.taken += 1;
        } else {
            let what = if branch.is_else { "no case goes past the conditions" } else { "no case meets the condition" };
            writeln!(out, "note  {name}:{}: {what}", branch.place)?;
        }
    }
    Ok(Ok(()))
}

/// The cases beside a template, by name.
fn cases_of(template: &Path) -> Result<Vec<Case>, Trouble> {
    let folder = template.parent().unwrap_or(Path::new("."));
    let stem = template.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let entries =
        std::fs::read_dir(folder).map_err(|error| Trouble::Unreadable(format!("{}: {error}", folder.display())))?;
    let mut names: Vec<String> = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    let mut cases = Vec::new();
    for name in names {
        let Some((case, kind)) = name.rsplit_once('.') else { continue };
        let is_mine = case == stem || case.strip_prefix(stem).is_some_and(|rest| rest.starts_with('.'));
        if is_mine && matches!(kind, "out" | "err") {
            cases.push(Case { trial: read_case(folder, case, kind), name: folder.join(&name).display().to_string() });
        }
    }
    Ok(cases)
}

fn read_case(folder: &Path, case: &str, kind: &str) -> Result<(Trial, Expected), Trouble> {
    let file = |extension: &str| folder.join(format!("{case}.{extension}"));
    let optional = |extension: &str| Some(file(extension)).filter(|path| path.exists());
    let json = optional("json").map(|path| read_object(&path)).transpose()?.unwrap_or_default();
    let body = optional("body").map(|path| read_bytes(&path)).transpose()?;
    let sample = Sample::read(&json);
    let body = body.unwrap_or_else(|| sample.body.clone());
    let expected = read_bytes(&file(kind))?;
    let expected = match kind {
        "out" => Expected::Text(expected),
        _ => Expected::Error(String::from_utf8_lossy(&expected).trim().to_owned()),
    };
    let trial = Trial { sample: Sample { body, ..sample }, variables: Document::new(&json["vars"]) };
    Ok((trial, expected))
}

impl Case {
    /// Runs it, and says what is wrong; `None` when all is as expected.
    fn wrong(&self, name: &str, source: &str, renderer: &mut Renderer, branches: &mut Vec<Branch>) -> Option<String> {
        let (trial, expected) = match &self.trial {
            Ok(trial) => trial,
            Err(trouble) => return Some(trouble.to_string()),
        };
        let made = trial.compile(source, Coverage::Counted).and_then(|template| {
            *branches = template.branches().to_vec();
            trial.render(&template, renderer)
        });
        expected.differs(name, source, made)
    }
}

impl Expected {
    fn differs(&self, name: &str, source: &str, made: Result<Vec<u8>, Finding>) -> Option<String> {
        match (self, made) {
            (Self::Text(expected), Ok(made)) => difference(expected, &made),
            (Self::Error(part), Err(finding)) if finding.message.contains(part.as_str()) => None,
            (_, Err(finding)) => Some(Shown { name, source, finding: &finding }.to_string()),
            (Self::Error(part), Ok(_)) => Some(format!("  it should fail with `{part}`\n")),
        }
    }
}

/// The first line in which two texts differ.
fn difference(expected: &[u8], made: &[u8]) -> Option<String> {
    let (expected, made) = (String::from_utf8_lossy(expected), String::from_utf8_lossy(made));
    let without_end = |text: &str| text.strip_suffix('\n').map_or(text, |text| text.trim_end_matches('\r')).to_owned();
    let (expected, made) = (without_end(&expected), without_end(&made));
    if expected == made {
        return None;
    }
    let (mut left, mut right) = (expected.lines(), made.lines());
    let mut line = 0;
    loop {
        line += 1;
        match (left.next(), right.next()) {
            (Some(expected), Some(made)) if expected == made => {}
            (None, None) => return Some("  line ends differ\n".to_owned()),
            (expected, made) => {
                let show = |text: Option<&str>| text.map_or("(end)".to_owned(), |text| format!("{text:?}"));
                return Some(format!("  line {line}\n    expected {}\n    made     {}\n", show(expected), show(made)));
            }
        }
    }
}
