//! What a user declares, in AWS's nouns. Nothing here knows a file format or the request path: `import` and `admin`
//! make these values, `compile` turns them into a plan.

pub mod documentation;
pub mod rest;
