//! Programs that we start, confine to processors, and end.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::affinity::Cpus;

/// How long a program may take to end when asked, before it is killed.
const END_PATIENCE: Duration = Duration::from_secs(3);

/// A program that is running. It ends when this is dropped.
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts `command` on `cpus`, its output going to `log`.
    ///
    /// Call this from the main thread: where `setpriv` is installed, the program also gets SIGTERM when the
    /// thread that started it ends, so that killing us leaves nothing behind.
    pub fn start(command: Command, cpus: Option<&Cpus>, log: &Path) -> Result<Self, String> {
        let name = command.get_program().to_string_lossy().into_owned();
        let describe = |error: std::io::Error| format!("{name}: {error}");
        let log = File::create(log).map_err(describe)?;
        let mut command = tied_to_us(command);
        command.stdin(Stdio::null()).stdout(log.try_clone().map_err(describe)?).stderr(log);
        let child = match cpus {
            Some(cpus) => cpus.confined(|| command.spawn()).and_then(|spawned| spawned),
            None => command.spawn(),
        };
        Ok(Self { child: child.map_err(describe)? })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let patience_ends = Instant::now() + END_PATIENCE;
        while !self.has_ended() && Instant::now() < patience_ends {
            std::thread::sleep(Duration::from_millis(10));
        }
        if !self.has_ended() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The same command through `setpriv --pdeathsig`, which replaces itself by it: the process id is the same.
fn tied_to_us(command: Command) -> Command {
    let Some(setpriv) = find_program("setpriv") else { return command };
    let mut tied = Command::new(setpriv);
    tied.args(["--pdeathsig", "TERM"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => tied.env(name, value),
            None => tied.env_remove(name),
        };
    }
    tied
}

/// Where on PATH a program is.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// The first line with a digit that a program prints about its version.
pub fn version_of(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    text.lines().map(str::trim).find(|line| line.contains(|c: char| c.is_ascii_digit())).map(str::to_owned)
}
