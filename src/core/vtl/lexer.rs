//! Text to tokens, with the states of Velocity 1.7's lexer.
//!
//! Velocity's language is defined by how its lexer behaves: where a reference ends, what a directive swallows and what
//! of a sign that begins nothing is printed all follow from states, a stack of them, the longest match and the order of
//! rules. Each state here has the rules of its namesake there, in the same order.

use super::token::{Kind, Token, stray_text};

/// What the lexer is inside of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Text,
    /// After `$`.
    Reference,
    /// After `.` in a reference.
    Modifier,
    /// Between the parentheses of a method.
    Arguments,
    /// Between the brackets of an index.
    Index,
    /// After `#`.
    BeforeDirective,
    /// Between the parentheses of a directive.
    Directive,
    TextBlock,
    BlockComment,
    LineComment,
}

/// What a rule does with what it matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    Token(Kind),
    /// The match is the beginning of a longer token.
    Dollar,
    TextBlockStart,
    FormalCommentStart,
    CommentStart,
    Hash,
    /// A character inside a text block.
    More,
    /// A character inside a comment.
    Skip,
    /// The first character that belongs to a reference or directive no longer.
    ReferenceEnd,
    DirectiveEnd,
}

/// The longest match so far; of equally long ones, the first.
struct Longest {
    rule: Option<Rule>,
    length: usize,
}

impl Longest {
    fn offer(&mut self, rule: Rule, length: usize) {
        if length > self.length {
            (self.rule, self.length) = (Some(rule), length);
        }
    }

    fn literal(&mut self, rest: &[u8], text: &[u8], kind: Kind) {
        if rest.starts_with(text) {
            self.offer(Rule::Token(kind), text.len());
        }
    }
}

struct Saved {
    state: State,
    open: u32,
    closed: u32,
}

/// Nothing matches here.
#[derive(Debug)]
pub(super) struct LexicalError {
    pub(super) at: usize,
}

pub(super) struct Lexer<'t> {
    source: &'t str,
    at: usize,
    state: State,
    saved: Vec<Saved>,
    /// Parentheses seen in this state.
    open: u32,
    closed: u32,
    in_comment: bool,
    in_set: bool,
    /// Where the run of backslashes that was measured last ends: long runs are measured once.
    backslashes_end: usize,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(source: &'t str, start: usize) -> Self {
        Self {
            source,
            at: start,
            state: State::Text,
            saved: Vec::new(),
            open: 0,
            closed: 0,
            in_comment: false,
            in_set: false,
            backslashes_end: 0,
        }
    }

    /// Where the next token begins.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The parser has read a directive's name and knows that arguments follow.
    pub(super) fn enter_directive(&mut self) {
        self.state = State::Directive;
    }

    /// The parser has read a directive's name and knows that nothing follows.
    pub(super) fn leave_directive(&mut self) {
        self.pop();
    }

    pub(super) fn leave_set(&mut self) {
        self.in_set = false;
    }

    pub(super) fn next(&mut self) -> Result<Token, LexicalError> {
        let mut stray: Option<Box<str>> = None;
        let mut start = self.at;
        loop {
            if self.at >= self.source.len() {
                if start < self.at {
                    return Err(LexicalError { at: self.at });
                }
                return Ok(Token { kind: Kind::Eof, start: self.at, end: self.at, stray });
            }
            let at = self.at;
            let longest = self.longest();
            let Some(rule) = longest.rule else { return Err(LexicalError { at }) };
            self.at += longest.length;
            match rule {
                Rule::Token(kind) => {
                    let image_start = if kind == Kind::Dot { at } else { start };
                    return Ok(self.finish(kind, image_start, stray));
                }
                Rule::Skip => start = self.at,
                Rule::ReferenceEnd | Rule::DirectiveEnd => {
                    let text = stray_text(&self.source[start..self.at]);
                    if !text.is_empty() {
                        stray = Some(stray.map_or(text.clone(), |before| format!("{before}{text}").into()));
                    }
                    self.at = at;
                    start = at;
                    self.pop();
                }
                begins => self.begin(begins),
            }
        }
    }

    fn pop(&mut self) {
        match self.saved.pop() {
            Some(saved) => (self.state, self.open, self.closed) = (saved.state, saved.open, saved.closed),
            None => (self.state, self.open) = (State::Text, 0),
        }
    }

    fn push(&mut self, state: State) {
        self.saved.push(Saved { state: self.state, open: self.open, closed: self.closed });
        self.open = 0;
        self.state = state;
    }

    /// Acts on the beginning of a longer token.
    fn begin(&mut self, rule: Rule) {
        if self.in_comment || rule == Rule::More {
            return;
        }
        match rule {
            Rule::Dollar => {
                if self.state == State::Reference {
                    self.pop();
                }
                self.push(State::Reference);
            }
            Rule::Hash => {
                if matches!(self.state, State::Reference | State::Modifier) {
                    self.pop();
                }
                self.push(State::BeforeDirective);
            }
            Rule::TextBlockStart => {
                self.in_comment = true;
                self.push(State::TextBlock);
            }
            _ => {
                // The character after `#**` belongs to the comment.
                if rule == Rule::FormalCommentStart {
                    self.at -= self.source[..self.at].chars().next_back().map_or(0, char::len_utf8);
                }
                self.in_comment = true;
                self.push(State::BlockComment);
            }
        }
    }

    /// Acts on a whole token and gives it.
    fn finish(&mut self, kind: Kind, start: usize, stray: Option<Box<str>>) -> Token {
        let mut end = self.at;
        match kind {
            Kind::IndexLeft => self.push(State::Index),
            Kind::IndexRight | Kind::End | Kind::Else | Kind::ReferenceCurlyRight => self.pop(),
            Kind::LineCommentEnd | Kind::BlockComment | Kind::TextBlock => {
                self.in_comment = false;
                self.pop();
            }
            Kind::ParenLeft => self.open_paren(),
            Kind::ArgumentsEnd => self.state = State::Reference,
            Kind::ParenRight => self.close_paren(),
            Kind::Set if !self.in_comment => {
                self.push(State::Directive);
                self.in_set = true;
                self.open += 1;
            }
            Kind::LineComment if !self.in_comment => {
                if self.state == State::Reference {
                    self.pop();
                }
                self.in_comment = true;
                self.push(State::LineComment);
            }
            Kind::If | Kind::ElseIf => self.state = State::Directive,
            Kind::String if self.state == State::Directive && !self.in_set && self.open == 0 => self.pop(),
            Kind::Integer => end = self.finish_integer(start),
            Kind::Float if self.open == 0 && !self.in_set && self.state != State::Arguments => self.pop(),
            Kind::Dot => {
                // The letter after the point begins the name.
                self.at -= 1;
                end = self.at;
                self.state = State::Modifier;
            }
            _ => {}
        }
        Token { kind, start, end, stray }
    }

    /// `1..` is an integer before a range's points, which are read again.
    fn finish_integer(&mut self, start: usize) -> usize {
        if self.source[start..self.at].ends_with("..") {
            self.at -= 2;
        }
        let is_argument = matches!(self.state, State::Arguments | State::Index);
        if self.open == 0 && !self.in_set && !is_argument {
            self.pop();
        }
        self.at
    }

    fn open_paren(&mut self) {
        self.open += u32::from(!self.in_comment);
        if self.state == State::Modifier {
            self.state = State::Arguments;
        }
    }

    /// Drops to below the state that has an open parenthesis.
    fn close_paren(&mut self) {
        while !self.in_comment {
            if self.open > 0 {
                if self.open == self.closed + 1 {
                    self.pop();
                } else {
                    self.closed += 1;
                }
                return;
            }
            if self.saved.is_empty() {
                self.pop();
                return;
            }
            self.pop();
        }
    }

    fn longest(&mut self) -> Longest {
        let rest = &self.source.as_bytes()[self.at..];
        let backslashes = self.backslashes();
        let mut longest = Longest { rule: None, length: 0 };
        let found = &mut longest;
        match self.state {
            State::Text => {
                escaped_directive(found, rest, backslashes);
                set_directive(found, rest);
                beginnings(found, rest, backslashes);
                text(found, rest);
            }
            State::Reference => {
                found.literal(rest, b"[", Kind::IndexLeft);
                set_directive(found, rest);
                beginnings(found, rest, backslashes);
                found.literal(rest, b"##", Kind::LineComment);
                reference(found, rest, true);
                found.offer(Rule::ReferenceEnd, self.character());
                empty_index(found, rest);
            }
            State::Modifier => {
                found.literal(rest, b"[", Kind::IndexLeft);
                found.literal(rest, b"(", Kind::ParenLeft);
                set_directive(found, rest);
                beginnings(found, rest, backslashes);
                reference(found, rest, true);
                found.offer(Rule::ReferenceEnd, self.character());
            }
            State::Arguments => arguments(found, rest, backslashes),
            State::Index => {
                found.literal(rest, b"]", Kind::IndexRight);
                beginnings(found, rest, backslashes);
                values(found, rest);
            }
            State::BeforeDirective => {
                beginnings(found, rest, backslashes);
                found.literal(rest, b"##", Kind::LineComment);
                named_directive(found, rest);
                numbers(found, rest);
                words(found, rest);
                found.offer(Rule::DirectiveEnd, self.character());
            }
            State::Directive => directive(found, rest, backslashes),
            State::TextBlock => {
                beginnings(found, rest, backslashes);
                found.literal(rest, b"]]#", Kind::TextBlock);
                found.offer(Rule::More, self.character());
            }
            State::BlockComment => {
                beginnings(found, rest, backslashes);
                found.literal(rest, b"*#", Kind::BlockComment);
                found.offer(Rule::Skip, self.character());
            }
            State::LineComment => {
                beginnings(found, rest, backslashes);
                found.offer(Rule::Token(Kind::LineCommentEnd), line_end(rest));
                found.offer(Rule::Skip, self.character());
            }
        }
        longest
    }

    fn character(&self) -> usize {
        self.source[self.at..].chars().next().map_or(0, char::len_utf8)
    }

    /// How many backslashes stand here.
    fn backslashes(&mut self) -> usize {
        if self.at >= self.backslashes_end {
            let run = run_of(&self.source.as_bytes()[self.at..], b'\\');
            self.backslashes_end = self.at + run;
        }
        self.backslashes_end - self.at
    }
}

fn run_of(rest: &[u8], byte: u8) -> usize {
    rest.iter().take_while(|&&other| other == byte).count()
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn blanks(rest: &[u8]) -> usize {
    rest.iter().take_while(|&&byte| is_blank(byte)).count()
}

fn line_end(rest: &[u8]) -> usize {
    match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        _ => 0,
    }
}

/// Blanks and the line's end after them; 0 when something else follows.
fn line_end_after_blanks(rest: &[u8]) -> usize {
    let blanks = blanks(rest);
    match line_end(&rest[blanks..]) {
        0 => 0,
        end => blanks + end,
    }
}

fn word(rest: &[u8]) -> usize {
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'@');
    if !rest.first().is_some_and(is_first) {
        return 0;
    }
    rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@')).count()
}

fn bracketed_word(rest: &[u8]) -> usize {
    let inside = match rest {
        [b'{', first, ..] if *first != b'@' => word(&rest[1..]),
        _ => 0,
    };
    if inside > 0 && rest.get(inside + 1) == Some(&b'}') { inside + 2 } else { 0 }
}

fn words(found: &mut Longest, rest: &[u8]) {
    found.offer(Rule::Token(Kind::Word), word(rest));
    found.offer(Rule::Token(Kind::BracketedWord), bracketed_word(rest));
}

/// `\#name` after pairs of backslashes.
fn escaped_directive(found: &mut Longest, rest: &[u8], backslashes: usize) {
    if backslashes.is_multiple_of(2) || rest.get(backslashes) != Some(&b'#') {
        return;
    }
    let name = &rest[backslashes + 1..];
    let length = word(name).max(bracketed_word(name));
    if length > 0 {
        found.offer(Rule::Token(Kind::EscapedDirective), backslashes + 1 + length);
    }
}

/// `#set(`, with the blanks before it: it leaves no trace in the output.
fn set_directive(found: &mut Longest, rest: &[u8]) {
    let before = if rest.first().is_some_and(|&byte| is_blank(byte)) { blanks(rest) } else { 0 };
    let sign = &rest[before..];
    let name = if sign.starts_with(b"#set") {
        4
    } else if sign.starts_with(b"#{set}") {
        6
    } else {
        return;
    };
    let length = before + name + run_of(&sign[name..], b' ');
    if rest.get(length) == Some(&b'(') {
        found.offer(Rule::Token(Kind::Set), length + 1);
    }
}

/// Signs that begin something, in every state.
fn beginnings(found: &mut Longest, rest: &[u8], backslashes: usize) {
    if rest.get(backslashes) == Some(&b'$') {
        found.offer(Rule::Dollar, backslashes + 1);
        let after = &rest[backslashes + 1..];
        let run = run_of(after, b'\\');
        if after.get(run) == Some(&b'!') {
            found.offer(Rule::Dollar, backslashes + 1 + run + 1);
        }
    }
    if rest.first() != Some(&b'#') {
        return;
    }
    if rest.starts_with(b"#[[") {
        found.offer(Rule::TextBlockStart, 3);
    }
    match rest {
        [b'#', b'*', b'*', next, ..] if *next != b'#' => {
            found.offer(Rule::FormalCommentStart, 3 + utf8_length(*next));
        }
        _ => {}
    }
    if rest.starts_with(b"#*") {
        found.offer(Rule::CommentStart, 2);
    }
    found.offer(Rule::Hash, 1);
}

/// How long a character is, by its first byte.
fn utf8_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

fn text(found: &mut Longest, rest: &[u8]) {
    found.literal(rest, b"##", Kind::LineComment);
    found.literal(rest, b"\\\\", Kind::DoubleEscape);
    found.literal(rest, b"\\", Kind::Escape);
    let plain = memchr::memchr3(b'$', b'#', b'\\', rest).unwrap_or(rest.len());
    found.offer(Rule::Token(Kind::Text), plain);
    empty_index(found, rest);
}

fn empty_index(found: &mut Longest, rest: &[u8]) {
    for text in [b"$[".as_slice(), b"$![", b"$\\![", b"$."] {
        found.literal(rest, text, Kind::EmptyIndex);
    }
}

fn truths(found: &mut Longest, rest: &[u8]) {
    found.literal(rest, b"true", Kind::True);
    found.literal(rest, b"false", Kind::False);
}

fn reference(found: &mut Longest, rest: &[u8], has_curly: bool) {
    truths(found, rest);
    if rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
        found.offer(Rule::Token(Kind::Identifier), name);
    }
    if let [b'.', letter, ..] = rest
        && letter.is_ascii_alphabetic()
    {
        found.offer(Rule::Token(Kind::Dot), 2);
    }
    if has_curly {
        found.literal(rest, b"{", Kind::ReferenceCurlyLeft);
        found.literal(rest, b"}", Kind::ReferenceCurlyRight);
    }
}

fn punctuation(found: &mut Longest, rest: &[u8]) {
    let kinds = [
        (b"[".as_slice(), Kind::BracketLeft),
        (b"]", Kind::BracketRight),
        (b",", Kind::Comma),
        (b"..", Kind::DoubleDot),
        (b":", Kind::Colon),
        (b"{", Kind::CurlyLeft),
        (b"}", Kind::CurlyRight),
    ];
    for (text, kind) in kinds {
        found.literal(rest, text, kind);
    }
}

/// Between the parentheses of a method.
fn arguments(found: &mut Longest, rest: &[u8], backslashes: usize) {
    punctuation(found, rest);
    found.literal(rest, b")", Kind::ArgumentsEnd);
    set_directive(found, rest);
    beginnings(found, rest, backslashes);
    values(found, rest);
    reference(found, rest, false);
}

/// Between the parentheses of a directive.
fn directive(found: &mut Longest, rest: &[u8], backslashes: usize) {
    punctuation(found, rest);
    found.literal(rest, b"(", Kind::ParenLeft);
    if rest.first() == Some(&b')') {
        found.offer(Rule::Token(Kind::ParenRight), 1 + line_end_after_blanks(&rest[1..]));
    }
    beginnings(found, rest, backslashes);
    found.literal(rest, b"##", Kind::LineComment);
    values(found, rest);
    operators(found, rest);
    words(found, rest);
}

fn values(found: &mut Longest, rest: &[u8]) {
    let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
    found.offer(Rule::Token(Kind::Whitespace), space);
    found.offer(Rule::Token(Kind::String), string(rest));
    truths(found, rest);
    numbers(found, rest);
}

/// A string literal, in which the quote is doubled. 0: none, or it does not end.
fn string(rest: &[u8]) -> usize {
    let Some(&quote @ (b'"' | b'\'')) = rest.first() else { return 0 };
    let mut matched = 0;
    let mut at = 1;
    while let Some(found) = memchr::memchr(quote, rest.get(at..).unwrap_or_default()) {
        matched = at + found + 1;
        if rest.get(matched) != Some(&quote) {
            break;
        }
        at = matched + 1;
    }
    matched
}

fn digits(rest: &[u8]) -> usize {
    rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn exponent(rest: &[u8]) -> usize {
    let [b'e' | b'E', after @ ..] = rest else { return 0 };
    let sign = usize::from(matches!(after.first(), Some(b'+' | b'-')));
    match digits(&after[sign..]) {
        0 => 0,
        digits => 1 + sign + digits,
    }
}

fn numbers(found: &mut Longest, rest: &[u8]) {
    let sign = usize::from(rest.first() == Some(&b'-'));
    let whole = digits(&rest[sign..]);
    let after_whole = &rest[sign + whole..];
    if whole > 0 {
        let points = if after_whole.starts_with(b"..") { 2 } else { 0 };
        found.offer(Rule::Token(Kind::Integer), sign + whole + points);
        match exponent(after_whole) {
            0 => {}
            exponent => found.offer(Rule::Token(Kind::Float), sign + whole + exponent),
        }
    }
    if let [b'.', after @ ..] = after_whole {
        let fraction = digits(after);
        if whole + fraction > 0 {
            let exponent = exponent(&after[fraction..]);
            found.offer(Rule::Token(Kind::Float), sign + whole + 1 + fraction + exponent);
        }
    }
}

fn operators(found: &mut Longest, rest: &[u8]) {
    let kinds = [
        (b"-".as_slice(), Kind::Minus),
        (b"+", Kind::Plus),
        (b"*", Kind::Multiply),
        (b"/", Kind::Divide),
        (b"%", Kind::Modulus),
        (b"&&", Kind::And),
        (b"and", Kind::And),
        (b"||", Kind::Or),
        (b"or", Kind::Or),
        (b"<", Kind::Less),
        (b"lt", Kind::Less),
        (b"<=", Kind::LessOrEqual),
        (b"le", Kind::LessOrEqual),
        (b">", Kind::Greater),
        (b"gt", Kind::Greater),
        (b">=", Kind::GreaterOrEqual),
        (b"ge", Kind::GreaterOrEqual),
        (b"==", Kind::Equal),
        (b"eq", Kind::Equal),
        (b"!=", Kind::NotEqual),
        (b"ne", Kind::NotEqual),
        (b"!", Kind::Not),
        (b"not", Kind::Not),
        (b"=", Kind::Assign),
    ];
    for (text, kind) in kinds {
        found.literal(rest, text, kind);
    }
}

/// Directives of the grammar. `#end` and `#else` take the rest of their line when it is blank.
fn named_directive(found: &mut Longest, rest: &[u8]) {
    let kinds = [
        (b"end".as_slice(), Kind::End),
        (b"{end}", Kind::End),
        (b"if", Kind::If),
        (b"{if}", Kind::If),
        (b"elseif", Kind::ElseIf),
        (b"{elseif}", Kind::ElseIf),
        (b"else", Kind::Else),
        (b"{else}", Kind::Else),
    ];
    for (text, kind) in kinds {
        if !rest.starts_with(text) {
            continue;
        }
        let takes_line = matches!(kind, Kind::End | Kind::Else);
        let line = if takes_line { line_end_after_blanks(&rest[text.len()..]) } else { 0 };
        found.offer(Rule::Token(kind), text.len() + line);
    }
}
