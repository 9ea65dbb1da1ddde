//! What a template says: its tree, before names become slots.

use crate::base::Place;

/// A run of statements.
pub(super) type Block = Vec<Node>;

#[derive(Debug)]
pub(super) enum Node {
    Text(Box<str>),
    Print(Box<Reference>),
    Set(Box<Set>),
    If(If),
    Foreach(Box<Foreach>),
    /// Where it stands has no effect: macros are known to the whole template.
    Macro(Box<Macro>),
    Call(Box<Call>),
    Define(Box<Define>),
    Break(Option<Reference>, Place),
    Stop,
    /// `#parse`, `#include` and `#evaluate`: a template stands alone.
    Resource(Place),
}

/// `$a.b[0].c()`, and how it is printed.
#[derive(Debug)]
pub(super) struct Reference {
    /// The variable's name.
    pub(super) root: Box<str>,
    /// The name under which `#set` stores, which differs from the root for `${a}` and `$!a`.
    pub(super) assigned: Box<str>,
    pub(super) steps: Vec<Step>,
    pub(super) print: Print,
    /// Its text, whole.
    pub(super) literal: Box<str>,
    pub(super) place: Place,
}

/// How a reference is printed.
#[derive(Debug)]
pub(super) struct Print {
    pub(super) shape: Shape,
    /// Half of the backslashes before it.
    pub(super) escapes: Box<str>,
    /// Signs before it that belong to no reference.
    pub(super) before: Box<str>,
    /// What is printed when it has no value.
    pub(super) when_null: Box<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Its value.
    Value,
    /// An odd number of backslashes stands before it: its text.
    Escaped,
    /// What looked like a reference is text.
    Text,
}

#[derive(Debug)]
pub(super) enum Step {
    Property(Box<str>),
    Method { name: Box<str>, arguments: Vec<Expr>, place: Place },
    Index(Expr, Place),
}

#[derive(Debug)]
pub(super) struct Expr {
    pub(super) kind: ExprKind,
    /// Its text, for what prints the source of a null.
    pub(super) literal: Box<str>,
}

#[derive(Debug)]
pub(super) enum ExprKind {
    Bool(bool),
    Integer(Box<str>),
    Float(f64),
    Text(Box<str>),
    /// A string with references or directives in it.
    Interpolated(Block),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    Range(Box<Expr>, Box<Expr>),
    Reference(Box<Reference>),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    Arithmetic(Arithmetic, Box<Expr>, Box<Expr>),
    /// In parentheses, which matters where only references and logic have a truth.
    Group(Box<Expr>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug)]
pub(super) struct Set {
    pub(super) target: Reference,
    pub(super) value: Expr,
}

#[derive(Debug)]
pub(super) struct If {
    pub(super) arms: Vec<Arm>,
    pub(super) otherwise: Option<(Block, Place)>,
}

#[derive(Debug)]
pub(super) struct Arm {
    pub(super) condition: Expr,
    pub(super) block: Block,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct Foreach {
    pub(super) variable: Box<str>,
    pub(super) list: Expr,
    pub(super) block: Block,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct Macro {
    pub(super) name: Box<str>,
    pub(super) parameters: Vec<Box<str>>,
    pub(super) block: Block,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: Box<str>,
    pub(super) arguments: Vec<Expr>,
    /// A word stands among the arguments: the call cannot be made.
    pub(super) has_word: bool,
    /// Of `#@name()…#end`.
    pub(super) body: Option<Block>,
    /// What is printed when there is no such macro.
    pub(super) literal: Box<str>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) struct Define {
    pub(super) name: Box<str>,
    pub(super) block: Block,
}
