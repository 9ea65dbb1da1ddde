//! Arguments to settings to a run, and its exit code.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use ringgate::cli::run::Failure;
use ringgate::cli::{audit, backup, check, deploy, deployments, dev, doctor, explain, serve, vtl};
use ringgate::config::deploy::{DeploySettings, DiffSettings};
use ringgate::config::explain::Question;
use ringgate::config::store::{AuditSettings, BackupSettings, RestoreSettings};
use ringgate::config::{self, Call, CheckSettings, DoctorSettings, Problem, Refusal, Settings, ThisProcess};
use ringgate::net::ring::Driver;
use ringgate_core::base::WallTime;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The call is wrong.
const USAGE: u8 = 2;
/// It is our fault.
const SOFTWARE: u8 = 70;

fn main() -> ExitCode {
    let call = match config::read(std::env::args_os(), &ThisProcess) {
        Ok(call) => call,
        Err(Refusal::Asked(text)) => {
            print!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(Refusal::Usage(text)) => {
            eprint!("{text}");
            return ExitCode::from(USAGE);
        }
        Err(Refusal::Problems(problems)) => return print_problems(&problems),
    };
    match run(call) {
        Ok(code) => ExitCode::from(code),
        Err(problems) => print_problems(&problems),
    }
}

fn run(call: Call) -> Result<u8, Vec<Problem>> {
    let (mut out, mut err) = (io::stdout().lock(), io::stderr());
    let written = match call {
        Call::Dev { file, config } => {
            drop(out);
            let settings = Settings::resolve(&config, config::allowed_cores())?;
            raise_descriptor_limit();
            return Ok(ended(dev::run(file, &settings)));
        }
        Call::Serve { config } => {
            drop(out);
            let (settings, store) = config.resolve(config::allowed_cores())?;
            raise_descriptor_limit();
            return Ok(ended(serve::run(&settings, &store)));
        }
        Call::Check { file, config } => check::run(&CheckSettings::resolve(&config)?, &file, &mut out, &mut err),
        Call::Doctor { config } => {
            doctor::run(DoctorSettings::resolve(&config)?, Path::new("/"), ring_support, &mut out)
        }
        Call::Explain { id, log, config } => explain::run(&Question::resolve(id, log, &config)?, &mut out, &mut err),
        Call::Backup { file, config } => backup::back_up(&BackupSettings::resolve(&config)?, &file, &mut out, &mut err),
        Call::Restore { file, config } => {
            backup::restore(&RestoreSettings::resolve(&config)?, &file, &mut out, &mut err)
        }
        Call::Vtl(call) => vtl::run(&call, &mut out, &mut err),
        Call::Deploy { file, config } => deploy::run(&DeploySettings::resolve(&config)?, &file, &mut out, &mut err),
        Call::Diff { sides, config } => deployments::diff(&DiffSettings::resolve(sides, &config)?, &mut out, &mut err),
        Call::Audit { config } => audit::run(&AuditSettings::resolve(&config, now())?, &mut out, &mut err),
    };
    let flushed = written.and_then(|code| out.flush().map(|()| code));
    // A reader that has seen enough closes the pipe: nothing to complain about.
    Ok(flushed.unwrap_or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { 0 } else { SOFTWARE }))
}

/// The exit code of a gateway that has ended.
fn ended(ended: Result<u8, Failure>) -> u8 {
    ended.unwrap_or_else(|failure| {
        eprintln!("ringgate: {}", failure.message);
        failure.code
    })
}

fn now() -> WallTime {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    WallTime::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn ring_support() -> doctor::RingSupport {
    match Driver::probe() {
        Driver::RingDeferred => doctor::RingSupport::Deferred,
        Driver::RingCooperative => doctor::RingSupport::Cooperative,
        Driver::RingPlain => doctor::RingSupport::Plain,
        Driver::Epoll => {
            doctor::RingSupport::Refused("the kernel or the container's seccomp profile refuses it".into())
        }
    }
}

/// A gateway holds a descriptor for every connection: the soft limit is raised as far as the hard one allows.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let _ = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum });
}

fn print_problems(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        eprintln!("ringgate: {problem}");
    }
    ExitCode::from(USAGE)
}
