//! Arguments of `ringgate vtl`. They are about one call: nothing of them is read from variables or the file.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

/// What `ringgate vtl` is asked to do.
#[derive(Subcommand, Clone, Debug, PartialEq, Eq)]
pub enum VtlCall {
    /// Run a mapping template and print what it makes
    Eval {
        /// The template; `-` reads it from standard input
        template: PathBuf,
        /// The body that `$input` is about; `@FILE` reads it from a file
        #[arg(long, value_name = "BODY")]
        input: Option<String>,
        /// JSON with `context`, `stageVariables` and `params` (`path`, `querystring`, `header`); without any of these
        /// names, all of it is `$context`
        #[arg(long, value_name = "FILE")]
        context: Option<PathBuf>,
        /// JSON whose members are variables of the template
        #[arg(long, value_name = "FILE")]
        vars: Option<PathBuf>,
        /// Whose rules the template follows
        #[arg(long, value_enum, default_value = "apigateway")]
        dialect: VtlDialect,
    },
    /// Run templates against the results they should have
    #[command(after_help = TEST_HELP)]
    Test {
        /// The folder with templates and cases, and folders in it
        dir: PathBuf,
    },
}

const TEST_HELP: &str = "A template is NAME.vtl; beside it each case is one file of what should come out:
  NAME.CASE.out    the whole text (a line end at its end does not count), or
  NAME.CASE.err    a part of the error message
and, where the case needs them:
  NAME.CASE.body   the body that $input is about
  NAME.CASE.json   context, stageVariables, params and vars, as for `eval`
.CASE may be left out. After the cases, branches of #if that no case took are listed with their lines.";

/// The two dialects.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VtlDialect {
    /// As API Gateway runs templates, with $input, $context, $stageVariables and $util
    #[default]
    Apigateway,
    /// Apache Velocity 1.7, with nothing but the variables
    Velocity,
}
