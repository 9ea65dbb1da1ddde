//! The program from outside: definitions go in by a file, requests and answers by sockets.

mod bodies;
mod client;
mod deadlines;
mod failures;
mod harness;
mod headers;
mod integrations;
mod origin;
mod routing;
mod streams;
