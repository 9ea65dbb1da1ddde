//! Published suites and recorded answers, read from a folder beside the repository and held against the machines that
//! they are about.

mod claims;
mod http1;
mod idioms;
mod json_schema;
mod openapi;
mod parameters;
mod sigv4;
mod support;
mod templates;
mod velocity;
