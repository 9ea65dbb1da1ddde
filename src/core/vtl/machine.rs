//! Runs programs.
//!
//! A machine owns the memory of a run and keeps it for the next, so that a typical template allocates nothing once the
//! machine is warm. One belongs to a shard.

mod access;
mod call;
mod evaluate;
mod loops;
mod print;
mod run;
mod variables;

use super::error::{Failure, FailureKind};
use super::host::{Host, Refusal};
use super::pattern::Patterns;
use super::program::Program;
use super::read::Reader;
use super::value::{Exceeded, Memory, Value};
use super::{Dialect, limits};
use crate::base::Place;
use loops::Loop;
use variables::{Binding, Environment};

/// What runs programs, and what it keeps between runs.
#[derive(Debug, Default)]
pub struct Machine {
    memory: Memory,
    state: State,
    patterns: Patterns,
    covered: Vec<bool>,
}

/// Where a run is.
#[derive(Debug, Default)]
struct State {
    stack: Vec<Value>,
    variables: Vec<Value>,
    loops: Vec<Loop>,
    environments: Vec<Environment>,
    bindings: Vec<Binding>,
    /// Outputs that wait while a string is built, and spare ones after them.
    outputs: Vec<Vec<u8>>,
    outputs_used: usize,
    /// For texts made of texts.
    scratch: String,
    /// How often each block runs within itself.
    blocks: Vec<(u32, u32)>,
}

/// More of these is given back between runs.
const KEPT: usize = 1_024;
const OUTPUT_BYTES_KEPT: usize = 64 * 1024;

impl State {
    fn reset(&mut self) {
        self.stack.clear();
        self.stack.shrink_to(KEPT);
        self.variables.clear();
        self.variables.shrink_to(KEPT);
        self.loops.clear();
        self.environments.clear();
        self.bindings.clear();
        self.blocks.clear();
        self.outputs_used = 0;
        for output in &mut self.outputs {
            output.clear();
            output.shrink_to(OUTPUT_BYTES_KEPT);
        }
        self.scratch.clear();
        self.scratch.shrink_to(OUTPUT_BYTES_KEPT);
    }
}

/// Why a run stops. Boxed, so that what every step gives back fits into a register.
#[derive(Debug)]
struct Trouble(Box<Stop>);

/// What stops a run, before it is known where.
#[derive(Debug)]
struct Stop {
    kind: FailureKind,
    message: String,
    place: Option<Place>,
}

impl Trouble {
    #[cold]
    fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self(Box::new(Stop { kind, message: message.into(), place: None }))
    }
}

impl From<Exceeded> for Trouble {
    fn from(Exceeded(kind): Exceeded) -> Self {
        let message = match kind {
            FailureKind::Steps => format!("more than {} steps", limits::STEPS_MAX),
            FailureKind::Output => format!("more than {} bytes of output", limits::OUTPUT_BYTES_MAX),
            FailureKind::Depth => format!("nested deeper than {}", limits::CALL_DEPTH_MAX),
            _ => format!("more than {} bytes of values", limits::VALUE_BYTES_MAX),
        };
        Self::new(kind, message)
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Exceeded(exceeded) => exceeded.into(),
            Refusal::Call(message) => Self::new(FailureKind::Call, message),
        }
    }
}

type Result<T> = std::result::Result<T, Trouble>;

/// How a routine ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Returned,
    /// `#stop`
    Stopped,
}

/// One run of a program.
struct Run<'r, H> {
    program: &'r Program,
    dialect: Dialect,
    memory: &'r mut Memory,
    host: &'r mut H,
    state: &'r mut State,
    patterns: &'r mut Patterns,
    covered: &'r mut Vec<bool>,
    out: Vec<u8>,
    /// Bytes of outputs that wait.
    waiting: usize,
    /// Steps left.
    fuel: u64,
    /// The environment in which names are looked up; 0 is the template itself.
    environment: u32,
    /// Routines that run within each other.
    depth: usize,
    macro_depth: usize,
}

impl Machine {
    /// A machine with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the last run left in memory, for hosts that gave the template maps to fill.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Of the branches of the program, which were taken since [`Machine::forget_branches`].
    pub fn covered(&self) -> &[bool] {
        &self.covered
    }

    /// Starts counting branches anew.
    pub fn forget_branches(&mut self) {
        self.covered.clear();
    }

    /// Runs a program and appends what it prints to `out`.
    ///
    /// # Errors
    /// The first [`Failure`]; what was printed before it is in `out`.
    pub fn run<H: Host>(
        &mut self,
        program: &Program,
        host: &mut H,
        out: &mut Vec<u8>,
    ) -> std::result::Result<(), Failure> {
        self.memory.reset(&program.constants);
        self.state.reset();
        self.patterns.reset();
        self.state.variables.resize(program.slots.len(), Value::Null);
        let reader = Reader { memory: &self.memory, host: &*host };
        for &(slot, root) in &program.roots {
            self.state.variables[usize::from(slot)] = reader.settle(root);
        }
        let mut run = Run {
            program,
            dialect: program.dialect,
            memory: &mut self.memory,
            host,
            state: &mut self.state,
            patterns: &mut self.patterns,
            covered: &mut self.covered,
            out: std::mem::take(out),
            waiting: 0,
            fuel: limits::STEPS_MAX,
            environment: 0,
            depth: 0,
            macro_depth: 0,
        };
        let result = run.execute(0);
        let waiting = run.state.outputs_used;
        *out = match waiting {
            0 => run.out,
            // It failed while a string was built: the template's own output is the first that waits.
            _ => std::mem::take(&mut run.state.outputs[0]),
        };
        match result {
            Ok(_) => Ok(()),
            Err(Trouble(stop)) => {
                let Stop { kind, message, place } = *stop;
                Err(Failure { kind, place: place.unwrap_or(Place::NOWHERE), message })
            }
        }
    }
}
