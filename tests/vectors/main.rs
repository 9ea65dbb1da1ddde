//! Published suites and recorded answers, read from a folder beside the repository.

mod openapi;
mod support;
