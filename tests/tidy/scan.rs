//! Reads Rust source just well enough: tokens without comments and strings, paths with their `use` trees opened,
//! `mod` declarations, function lengths. Not a parser; what it cannot see (macros that build names) it does not judge.

/// A word, a `::`, or a single character of punctuation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub text: String,
    pub line: usize,
}

/// A path as written, with the modules around it inside its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPath {
    pub segments: Vec<String>,
    pub line: usize,
    /// Inline modules around it, outermost first.
    pub inline: Vec<String>,
}

impl NamedPath {
    /// Whether it stands in an inline test module.
    pub fn is_test(&self) -> bool {
        self.inline.iter().any(|name| name == "tests")
    }
}

pub fn tokens(source: &str) -> Vec<Token> {
    let bytes = source.as_bytes();
    let (mut at, mut line, mut tokens) = (0, 1, Vec::new());
    while at < bytes.len() {
        let start = at;
        let first_line = line;
        at = skip_one(bytes, at);
        line += bytes[start..at].iter().filter(|b| **b == b'\n').count();
        let text = &source[start..at];
        let is_word = text.starts_with(|c: char| c.is_alphanumeric() || c == '_') && !is_literal_prefix(text);
        let is_mark = text.len() == 1 && text.as_bytes()[0].is_ascii_punctuation();
        if is_word || is_mark || text == "::" {
            tokens.push(Token { text: text.to_owned(), line: first_line });
        }
    }
    tokens
}

fn is_literal_prefix(text: &str) -> bool {
    text.contains(['"', '\''])
}

/// The end of the token, comment, literal or space that begins at `at`.
fn skip_one(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    match rest {
        [b'/', b'/', ..] => at + rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len()),
        [b'/', b'*', ..] => at + block_comment(rest),
        [b':', b':', ..] => at + 2,
        [b'"', ..] => at + string(rest, 0),
        [b'b' | b'c', b'"', ..] => at + string(rest, 1),
        [b'r', b'"' | b'#', ..] if let Some(end) = raw_string(&rest[1..]) => at + 1 + end,
        [b'b' | b'c', b'r', b'"' | b'#', ..] if let Some(end) = raw_string(&rest[2..]) => at + 2 + end,
        [b'\'', ..] => at + character_or_lifetime(rest),
        [b, ..] if is_word_byte(*b) => at + rest.iter().position(|b| !is_word_byte(*b)).unwrap_or(rest.len()),
        _ => at + 1,
    }
}

fn is_word_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_' || b >= 0x80
}

fn block_comment(rest: &[u8]) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < rest.len() {
        match &rest[at..] {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

fn string(rest: &[u8], prefix: usize) -> usize {
    let mut at = prefix + 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The end of `"…"` or `#"…"#`, or `None` when this is a raw identifier.
fn raw_string(rest: &[u8]) -> Option<usize> {
    let hashes = rest.iter().take_while(|b| **b == b'#').count();
    if rest.get(hashes) != Some(&b'"') {
        return None;
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    let body = &rest[hashes + 1..];
    let length = body.windows(end.len()).position(|window| window == end);
    Some(length.map_or(rest.len(), |length| hashes + 1 + length + end.len()))
}

fn character_or_lifetime(rest: &[u8]) -> usize {
    match rest {
        [_, b'\\', ..] => 3 + rest.iter().skip(3).position(|b| *b == b'\'').map_or(0, |end| end + 1),
        [_, b, b'\'', ..] if *b < 0x80 => 3,
        // A character of several bytes, or a lifetime: the first has its quote within five bytes.
        [_, b, ..] if *b >= 0x80 => rest.iter().skip(1).position(|b| *b == b'\'').map_or(1, |end| end + 2),
        _ => 1,
    }
}

/// Every path of two or more segments, and every single word too, `use` trees opened.
pub fn paths(source: &str) -> Vec<NamedPath> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut inline: Vec<(String, usize)> = Vec::new();
    let (mut at, mut depth) = (0, 0);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "{" => depth += 1,
            "}" => {
                depth -= 1_usize.min(depth);
                inline.pop_if(|(_, at_depth)| *at_depth > depth);
            }
            "mod" if tokens.get(at + 2).is_some_and(|token| token.text == "{") => {
                inline.push((tokens[at + 1].text.clone(), depth + 1));
            }
            text if is_word(text) => {
                let around: Vec<_> = inline.iter().map(|(name, _)| name.clone()).collect();
                at = read_path(&tokens, at, Vec::new(), &around, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one path behind `prefix`, with its tree if it has one, and returns where it ends.
fn read_path(
    tokens: &[Token],
    mut at: usize,
    mut segments: Vec<String>,
    inline: &[String],
    found: &mut Vec<NamedPath>,
) -> usize {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text.as_str());
    let line = tokens[at].line;
    loop {
        segments.push(text(at).to_owned());
        at += 1;
        match (text(at), text(at + 1)) {
            ("::", next) if is_word(next) => at += 1,
            ("::", "{") => return read_tree(tokens, at + 2, &segments, inline, found),
            _ => break,
        }
    }
    found.push(NamedPath { segments, line, inline: inline.to_vec() });
    at
}

fn read_tree(
    tokens: &[Token],
    mut at: usize,
    prefix: &[String],
    inline: &[String],
    found: &mut Vec<NamedPath>,
) -> usize {
    while at < tokens.len() && tokens[at].text != "}" {
        let is_renamed = at > 0 && tokens[at - 1].text == "as";
        if is_word(&tokens[at].text) && tokens[at].text != "as" && !is_renamed {
            at = read_path(tokens, at, prefix.to_vec(), inline, found);
        } else {
            at += 1;
        }
    }
    at + 1
}

/// A function's name, where it begins, and how many lines it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

/// Functions outside inline test modules.
pub fn functions(source: &str) -> Vec<Function> {
    let tokens = tokens(source);
    let mut found = Vec::new();
    let mut at = 0;
    while at + 1 < tokens.len() {
        if tokens[at].text == "mod" && tokens[at + 1].text == "tests" {
            at = block_end(&tokens, at);
        } else if tokens[at].text == "fn" && is_word(&tokens[at + 1].text) {
            let end = block_end(&tokens, at);
            let (line, last) = (tokens[at].line, tokens[end.min(tokens.len() - 1)].line);
            found.push(Function { name: tokens[at + 1].text.clone(), line, lines: last - line + 1 });
        }
        at += 1;
    }
    found
}

/// The `}` that closes the first block behind `at`, or the `;` that comes instead of one.
fn block_end(tokens: &[Token], mut at: usize) -> usize {
    let (mut depth, mut brackets) = (0, 0);
    while at < tokens.len() {
        match tokens[at].text.as_str() {
            "[" | "(" => brackets += 1,
            "]" | ")" => brackets -= 1,
            ";" if depth == 0 && brackets == 0 => return at,
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// A `mod name;`, with the file that an attribute names for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub name: String,
    pub path: Option<String>,
}

/// Modules that a file says lie in other files.
pub fn declarations(source: &str) -> Vec<Declaration> {
    let tokens = tokens(source);
    let lines: Vec<&str> = source.lines().collect();
    let is_declaration = |three: &[Token]| three[0].text == "mod" && three[2].text == ";";
    let named = |line: usize| {
        let above = lines[..line - 1].iter().rev().take_while(|text| text.trim_start().starts_with("#["));
        let (_, rest) = above.copied().find(|text| text.contains("#[path"))?.split_once('"')?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let each = |three: &[Token]| Declaration { name: three[1].text.clone(), path: named(three[0].line) };
    tokens.windows(3).filter(|three| is_declaration(three)).map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(source: &str) -> Vec<String> {
        paths(source).iter().map(|path| path.segments.join("::")).filter(|path| path.contains("::")).collect()
    }

    #[test]
    fn trees_are_opened() {
        let found = joined("use crate::{a::{self, b as c}, d};\nfn f() { ringgate_core::x::y(); }");
        assert_eq!(found, ["crate::a::self", "crate::a::b", "crate::d", "ringgate_core::x::y"]);
    }

    #[test]
    fn comments_strings_characters_and_lifetimes_are_not_code() {
        let source = "// a::b\n/* a::b /* c::d */ e::f */ \"a::b\\\"c::d\" r#\"a::\"b\"# b\"x::y\" 'a' '\\'' '\\u{1f}' 'é' &'a x::y";
        assert_eq!(joined(source), ["x::y"]);
        assert_eq!(tokens("a\n\"\n\"\nb").iter().map(|token| token.line).collect::<Vec<_>>(), [1, 4]);
    }

    #[test]
    fn inline_modules_are_known() {
        let found = paths("mod a { x::y } x::z mod tests { fn f() {} x::w }");
        let inline =
            |last: &str| found.iter().find(|path| path.segments.last().unwrap() == last).unwrap().inline.clone();
        assert_eq!((inline("y"), inline("z"), inline("w")), (vec!["a".to_owned()], vec![], vec!["tests".to_owned()]));
    }

    #[test]
    fn functions_are_measured_outside_tests() {
        let found = functions("fn a(x: [u8; 2]) {\n{}\n}\ntrait T { fn b(); }\nmod tests {\n fn c() {}\n}\nfn d() {}");
        let seen: Vec<_> = found.iter().map(|f| (f.name.as_str(), f.line, f.lines)).collect();
        assert_eq!(seen, [("a", 1, 3), ("b", 4, 1), ("d", 8, 1)]);
    }

    #[test]
    fn declarations_have_their_attribute() {
        let found = declarations("mod a;\n#[cfg(test)]\n#[path = \"x/b.rs\"]\npub mod b;\nmod c {}\n");
        let seen: Vec<_> = found.iter().map(|d| (d.name.as_str(), d.path.as_deref())).collect();
        assert_eq!(seen, [("a", None), ("b", Some("x/b.rs"))]);
    }
}
