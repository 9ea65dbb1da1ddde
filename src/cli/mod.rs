//! One file per subcommand.

pub mod check;
mod definition;
pub mod dev;
pub mod doctor;
mod follow;
pub mod run;
