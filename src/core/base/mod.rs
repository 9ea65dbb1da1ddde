//! Ground that every module stands on: time, limits, places in a text, diagnostics.

pub mod diagnostic;
pub mod hash;
pub mod limits;
pub mod time;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use time::{Instant, WallTime};
