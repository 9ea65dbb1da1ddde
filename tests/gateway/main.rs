//! The program from outside: definitions go in by a file, requests and answers by sockets.

mod bodies;
mod caps;
mod client;
mod commands;
mod content;
mod deadlines;
mod definitions;
mod explain;
mod failures;
mod harness;
mod headers;
mod integrations;
mod load;
mod operation;
mod origin;
mod parking;
mod peers;
mod petstore;
mod recorded;
mod routing;
mod serving;
mod streams;
mod strictness;
mod tls;
mod validation;
mod vtl;
