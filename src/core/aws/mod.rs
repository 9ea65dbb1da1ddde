//! Formats of AWS that the request path speaks: resource names, signatures and the errors that a gateway answers itself.

pub mod arn;
pub mod errors;
pub mod sigv4;
