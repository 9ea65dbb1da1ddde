//! Machines run from seeds, and the seams between the gateway and the kernel.

mod compile;
mod crash;
mod disk;
mod exchange;
mod net;
mod publish;
mod store;
#[path = "../vectors/support.rs"]
mod support;
mod vfs;
#[allow(dead_code, reason = "each of its users needs a part of it")]
#[path = "../../src/core/exchange/tests/world.rs"]
mod world;

/// The program's own: what composing and handing over cost depends on it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
