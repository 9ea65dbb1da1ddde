//! Ground that every module stands on: time, limits, places in a text, diagnostics, comparing names,
//! the escapes of JSON, Java's floating-point numbers, patterns.

pub mod bytes;
pub mod calendar;
pub mod diagnostic;
pub mod double;
pub mod escape;
pub mod hash;
pub mod limits;
pub mod pattern;
pub mod time;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use time::{Instant, WallTime};
