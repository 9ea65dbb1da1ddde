//! One file per subcommand.

pub mod audit;
pub mod backup;
pub mod check;
pub mod client;
mod definition;
pub mod deploy;
pub mod deployments;
pub mod dev;
pub mod doctor;
pub mod explain;
mod follow;
pub mod run;
pub mod serve;
pub mod vtl;
