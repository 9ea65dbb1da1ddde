//! Published suites and recorded answers, held against the machines that they are about.

mod http1;
