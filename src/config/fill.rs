//! Options that the command line left open, from the variables and the file.

use std::io;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::{
    CommandLine, ConfigFile, DEFAULT_FILE, Options, Problem, Refusal, Slot, Source, Surroundings, Written, file,
    subject, variable_name,
};

pub(super) fn fill(config: &mut impl Options, from: ConfigFile, around: &impl Surroundings) -> Result<(), Refusal> {
    let mut problems = Vec::new();
    fill_from_variables(config, around, &mut problems);
    fill_from_file(config, from, around, &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(Refusal::Problems(problems)) }
}

/// Every option of every command: what `ringgate.yaml` may hold, whichever command reads it.
pub(super) fn keys() -> Vec<String> {
    let mut keys: Vec<String> = CommandLine::command()
        .get_subcommands()
        .flat_map(|command| command.get_arguments())
        .filter_map(|argument| argument.get_long())
        .filter(|name| !matches!(*name, "help" | "version" | "config"))
        .map(str::to_owned)
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn fill_from_variables(config: &mut impl Options, around: &impl Surroundings, problems: &mut Vec<Problem>) {
    for key in keys() {
        let name = variable_name(&key);
        let Some(value) = around.variable(&name) else { continue };
        // An empty variable is how shells and compose files say "not set".
        if value.is_empty() {
            continue;
        }
        let Some(value) = value.to_str() else {
            problems.push(Problem { subject: name, message: "is not UTF-8".to_owned(), fix: String::new() });
            continue;
        };
        let written = |text: &str| Written { text: text.to_owned(), source: Source::Variable };
        match config.slot(&key) {
            Some(Slot::One(slot)) if slot.is_none() => *slot = Some(written(value)),
            Some(Slot::Many(slot)) if slot.is_empty() => *slot = value.split_whitespace().map(written).collect(),
            _ => {}
        }
    }
}

fn fill_from_file(
    config: &mut impl Options,
    from: ConfigFile,
    around: &impl Surroundings,
    problems: &mut Vec<Problem>,
) {
    let named = from.path.or_else(|| around.variable("RINGGATE_CONFIG").filter(|v| !v.is_empty()).map(PathBuf::from));
    let path = named.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
    let text = match around.read(&path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => return,
        Err(error) => {
            let message = format!("cannot read {}: {error}", path.display());
            let fix = "name a readable file, or leave the option out".to_owned();
            return problems.push(Problem { subject: "--config".to_owned(), message, fix });
        }
    };
    match file::read(&text) {
        Ok(entries) => fill_from_entries(config, &path, entries, problems),
        Err(error) => problems.push(Problem {
            subject: format!("{}:{}", path.display(), error.place),
            message: error.message,
            fix: String::new(),
        }),
    }
}

fn fill_from_entries(config: &mut impl Options, path: &Path, entries: Vec<file::Entry>, problems: &mut Vec<Problem>) {
    let keys = keys();
    for entry in entries {
        let mut refuse = |message: &str, fix: String| {
            let subject = subject(&entry.key, &Source::File(path.to_owned(), entry.place));
            problems.push(Problem { subject, message: message.to_owned(), fix });
        };
        if !keys.contains(&entry.key) {
            refuse("there is no such key", suggestion(&entry.key, &keys));
            continue;
        }
        if entry.shape == file::Shape::Mapping && !matches!(entry.key.as_str(), "var" | "upstream") {
            refuse("takes values, not names with values", String::new());
            continue;
        }
        let written =
            |value: file::Text| Written { text: value.text, source: Source::File(path.to_owned(), value.place) };
        match config.slot(&entry.key) {
            Some(Slot::One(_)) if entry.shape != file::Shape::Scalar => {
                refuse("takes one value, not a list", String::new());
            }
            Some(Slot::One(slot)) if slot.is_none() => *slot = entry.values.into_iter().next().map(written),
            Some(Slot::Many(slot)) if slot.is_empty() => *slot = entry.values.into_iter().map(written).collect(),
            // Set by a stronger source, or an option of another command.
            _ => {}
        }
    }
}

/// The key that was probably meant.
fn suggestion(wrong: &str, keys: &[String]) -> String {
    let folded = wrong.to_ascii_lowercase().replace('_', "-");
    let near = keys.iter().map(|key| (distance(&folded, key), key)).min();
    match near {
        Some((far, key)) if far <= 2 => format!("write `{key}`"),
        _ => "see `ringgate dev --help` for the options, whose names are the keys".to_owned(),
    }
}

/// Levenshtein distance in bytes.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
