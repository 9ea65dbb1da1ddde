//! Ground that every module stands on: time, limits, places in a text, diagnostics,
//! the escapes of JSON, patterns.

pub mod calendar;
pub mod diagnostic;
pub mod escape;
pub mod hash;
pub mod limits;
pub mod pattern;
pub mod time;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use time::{Instant, WallTime};
