//! Ground that every module stands on: time, the calendar, limits, places in a text, diagnostics.

pub mod calendar;
pub mod diagnostic;
pub mod hash;
pub mod limits;
pub mod time;

pub use diagnostic::{Diagnostic, Place, Severity};
pub use time::{Instant, WallTime};
