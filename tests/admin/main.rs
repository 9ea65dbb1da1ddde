//! The management API from outside, with the clients that people drive it with.

#[path = "../gateway/client.rs"]
#[expect(dead_code, reason = "shared with the tests of the data plane, which use more of it")]
mod client;
#[path = "../gateway/harness.rs"]
#[expect(dead_code, reason = "shared with the tests of the data plane, which use more of it")]
mod harness;

mod access;
mod cli;
mod crash;
mod deploy;
mod disk;
mod real;
mod replay;
mod test_invocations;

use std::path::PathBuf;

use harness::{Gateway, document, mock, routes, serving};

/// The private Python environment that `tests/run` makes.
fn tool(name: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/venv/bin").join(name);
    assert!(path.exists(), "{} is not there: tests/run installs it", path.display());
    path
}

/// A gateway whose management API is empty.
fn empty_gateway() -> Gateway {
    let start = serving(&document(&routes(&[("/", "get", mock("{}"))])));
    start.flags(["--allow-origin-address=127.0.0.1/32"]).start()
}
