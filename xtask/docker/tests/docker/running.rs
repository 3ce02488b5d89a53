//! A command that is still running, for a test that interrupts or kills it.

use std::{fs, process::Output};

use duct::{Handle, cmd};

use crate::docker::{Docker, wait_until};

pub(crate) struct Running {
    handle: Handle,
    pid: String,
}

/// The victims of a kill.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Victim {
    Both,
    Xtask,
    Package,
}

impl Running {
    pub(crate) fn start(it: &Docker, args: &[&str]) -> Running {
        use std::os::unix::process::CommandExt as _;
        let command = it.command(args).stdout_capture().stderr_capture();
        // A group of its own, which a test can kill without killing itself.
        let command = command.before_spawn(|command| {
            command.process_group(0);
            Ok(())
        });
        let handle = command.start().unwrap();
        let pid = handle.pids()[0].to_string();
        Running { handle, pid }
    }

    /// The child of `xtask` that talks to Docker. It starts as cargo and becomes `xtask-docker`.
    pub(crate) fn package(&self) -> Option<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid)).ok()?;
        let children = tasks.flatten().map(|task| fs::read_to_string(task.path().join("children")));
        children.flatten().find_map(|pids| pids.split_whitespace().next().map(str::to_owned))
    }

    /// Waits for that process.
    pub(crate) fn wait_for_package(&self) -> String {
        wait_until("nothing talks to Docker", || self.package().is_some() || self.has_ended());
        self.package().expect("it ended before anything talked to Docker")
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.handle.try_wait().unwrap().is_some()
    }

    pub(crate) fn signal(&self, signal: &str) {
        cmd!("kill", signal, &self.pid).run().unwrap();
    }

    /// Kills them at once, and returns the process that talked to Docker.
    pub(crate) fn kill(&self, victim: Victim) -> Option<String> {
        let package = self.package();
        let target = match (victim, &package) {
            (Victim::Both, _) => format!("-{}", self.pid),
            (Victim::Package, Some(package)) => package.clone(),
            (Victim::Xtask, _) | (Victim::Package, None) => self.pid.clone(),
        };
        // It may have ended just now.
        cmd!("kill", "-KILL", "--", target).stderr_null().unchecked().run().unwrap();
        package
    }

    /// Waits for it, and for processes that still hold its streams.
    pub(crate) fn end(&self) -> &Output {
        self.handle.wait().unwrap()
    }
}
