//! Tokens of a template.

/// What a token is. The names are those of Velocity's own grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Eof,
    IndexLeft,
    IndexRight,
    BracketLeft,
    BracketRight,
    Comma,
    DoubleDot,
    Colon,
    CurlyLeft,
    CurlyRight,
    ParenLeft,
    ParenRight,
    /// The end of a method's arguments, which is never text.
    ArgumentsEnd,
    EscapedDirective,
    Set,
    LineComment,
    DoubleEscape,
    Escape,
    Text,
    LineCommentEnd,
    BlockComment,
    TextBlock,
    Whitespace,
    String,
    True,
    False,
    Minus,
    Plus,
    Multiply,
    Divide,
    Modulus,
    And,
    Or,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    NotEqual,
    Not,
    Assign,
    End,
    If,
    ElseIf,
    Else,
    Integer,
    Float,
    Word,
    BracketedWord,
    Identifier,
    Dot,
    /// `{` after `$`, or in a reference.
    ReferenceCurlyLeft,
    ReferenceCurlyRight,
    EmptyIndex,
}

/// A token and the text it stands for: bytes `start..end` of the source.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// `$`, `#` and their backslashes that turned out to begin nothing: text before this token.
    pub(super) stray: Option<Box<str>>,
}

/// The text of the reference or directive that was begun and given up: signs without their surroundings.
pub(super) fn stray_text(given_up: &str) -> Box<str> {
    let bytes = given_up.as_bytes();
    let mut text = String::new();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            sign @ (b'#' | b'$') => text.push(char::from(sign)),
            b'\\' => {
                let run = bytes[at..].iter().take_while(|&&byte| byte == b'\\').count();
                if bytes.get(at + run) == Some(&b'$') {
                    text.push_str(&given_up[at..=at + run]);
                    at += run + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.into_boxed_str()
}
