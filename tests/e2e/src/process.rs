//! One running `moim`: its arguments, its environment, what it said, and its end.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A child process; ended with its owner, and its logs are shown when a test fails.
pub struct Process {
    name: String,
    command: Command,
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    /// Starts `moim` with these arguments and knobs; what it says goes to files in `directory`.
    pub fn start(name: &str, directory: &Path, arguments: &[&str], knobs: &[(&str, &str)]) -> Self {
        Self::start_program(crate::program(), name, directory, arguments, knobs)
    }

    /// The same with another build of it.
    pub fn start_program(
        program: &Path,
        name: &str,
        directory: &Path,
        arguments: &[&str],
        knobs: &[(&str, &str)],
    ) -> Self {
        let (out, err) =
            (directory.join(format!("{name}.out")), directory.join(format!("{name}.err")));
        let mut command = Command::new(program);
        for (key, _) in std::env::vars_os() {
            // What the developer's own house is set to is no part of a test.
            if key.to_str().is_some_and(|key| key.starts_with("MOIM_")) {
                command.env_remove(key);
            }
        }
        command
            .args(arguments)
            .envs(knobs.iter().copied())
            .env("RUST_BACKTRACE", "1")
            .env("NO_COLOR", "1")
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(File::create(&out).unwrap())
            .stderr(File::create(&err).unwrap());
        let child = command.spawn().unwrap();
        Self { name: name.to_owned(), command, child, out, err }
    }

    /// Starts it once more as it was started, after it has ended; it goes on writing where it wrote.
    pub fn start_again(&mut self) {
        assert!(self.ended().is_some(), "{} still runs", self.name);
        self.child = self.command.spawn().unwrap();
    }

    /// Changes a knob for its next start; `None` takes it away.
    pub fn set(&mut self, knob: &str, value: Option<&str>) {
        match value {
            Some(value) => self.command.env(knob, value),
            None => self.command.env_remove(knob),
        };
    }

    /// Operating system's number of the process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to standard output so far.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.out).unwrap_or_default()).into_owned()
    }

    /// What it wrote to standard error so far.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.err).unwrap_or_default()).into_owned()
    }

    /// How it ended, once it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().unwrap()
    }

    /// Asks it to stop, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Asks it to stop, as a supervisor does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Stops it where it is, as a machine that hangs does; it still holds what it holds.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Lets it go on as if nothing had been.
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Ends it at once, as a crash does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for its end; fails when it has not come within the limit.
    pub async fn end_within(&mut self, limit: Duration) -> ExitStatus {
        let due = Instant::now() + limit;
        while Instant::now() < due {
            if let Some(status) = self.ended() {
                return status;
            }
            sleep(LOOK_EVERY).await;
        }
        panic!("{} did not end within {limit:?}", self.name);
    }

    /// Waits until it answers `/readyz` at an address; fails when it ends or the limit passes first.
    pub async fn ready_at(&mut self, url: &str, limit: Duration) {
        let http = reqwest::Client::new();
        let asking = async {
            loop {
                if let Some(status) = self.ended() {
                    panic!("{} ended at its start: {status}\n{}", self.name, self.stderr());
                }
                let asked = http.get(format!("{url}/readyz")).send().await;
                if asked.is_ok_and(|answer| answer.status().is_success()) {
                    return;
                }
                sleep(LOOK_EVERY).await;
            }
        };
        if timeout(limit, asking).await.is_err() {
            panic!("{} was not ready within {limit:?}\n{}", self.name, self.stderr());
        }
    }

    fn signal(&self, name: &str) {
        let id = self.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status().unwrap();
        assert!(sent.success(), "{} is not there any more", self.name);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            for (what, said) in [("out", self.stdout()), ("err", self.stderr())] {
                eprintln!("---- {}.{what} ----\n{said}", self.name);
            }
        }
    }
}
