//! `ringload`: load for gateways, and the things to measure them against.
//!
//! | module | what it owns |
//! |---|---|
//! | [`run`] | the generator: open or closed loop, latency without coordinated omission, reports |
//! | [`stub`] | a very fast origin |
//! | [`floor`] | the least a forwarder can do: what the kernel costs |
//! | [`compare`] | the same load against floor, Ringgate, nginx, HAProxy and Envoy, in turn |
//! | [`idle`] | memory of idle connections |
//! | [`http`] | the little HTTP/1.1 that generator and stub read |
//! | [`cpu`], [`affinity`], [`net`], [`process`] | what we ask of Linux |
//!
//! It never links the gateway: what it measures it sees as a client does, and as `/proc` does.

mod affinity;
mod compare;
mod cpu;
mod floor;
mod http;
mod idle;
mod net;
mod process;
mod run;
mod stub;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Load generator, upstream stub, floor and side-by-side comparison.
#[derive(Parser)]
#[command(name = "ringload", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Load one URL, in an open or a closed loop, and report.
    Run(Box<run::RunArgs>),
    /// A very fast origin with answers of any size and delay.
    Stub(stub::StubArgs),
    /// The floor: a forwarder or responder that does nothing it could leave out.
    Floor(floor::FloorArgs),
    /// Run one scenario against several gateways in turn and compare their cost.
    Compare(Box<compare::CompareArgs>),
    /// Open many keep-alive connections and print what each costs the server in memory.
    Idle(idle::IdleArgs),
}

/// 0 done; 1 the thing measured is wrong (errors in the answers); 2 the call is wrong.
fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::main(&args),
        Command::Stub(args) => stub::main(&args),
        Command::Floor(args) => floor::main(&args),
        Command::Compare(args) => compare::main(&args),
        Command::Idle(args) => idle::main(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("ringload: {problem}");
            ExitCode::from(2)
        }
    }
}
