<<<<<<< HEAD
//! Published suites and recorded answers, held against the machines that they are about.

mod http1;
=======
//! Published suites and recorded answers, read from a folder beside the repository.

mod openapi;
mod support;
>>>>>>> wt-import
