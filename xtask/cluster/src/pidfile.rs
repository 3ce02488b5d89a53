//! Reads `postmaster.pid`, and checks whether the process that it names is the server of that data directory.
//!
//! The file alone proves nothing: it survives a crash, and by then another process may have the pid.
//! Nothing here signals a process or changes a file.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use rustix::process::{Pid, WaitOptions};

/// The content of `postmaster.pid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PidFile {
    pub(crate) pid: Pid,
    pub(crate) since: SystemTime,
    pub(crate) port: u16,
    pub(crate) state: ServerState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerState {
    /// Starting, which includes recovery after a crash.
    Starting,
    Ready,
    Stopping,
    /// Not written yet, or another word.
    Unknown,
}

/// The result of reading `postmaster.pid`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    Absent,
    /// Empty, cut off or foreign. A full disk or a power cut leaves such a file, and so does a server that is still
    /// writing it.
    Unreadable,
    Complete(PidFile),
}

pub(crate) fn path(data: &Path) -> PathBuf {
    data.join("postmaster.pid")
}

pub(crate) fn read(data: &Path) -> anyhow::Result<Read> {
    let path = path(data);
    match fs::read(&path) {
        // The path of the data directory is one of the lines, and need not be UTF-8.
        Ok(text) => Ok(parse(&String::from_utf8_lossy(&text)).map_or(Read::Unreadable, Read::Complete)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Read::Absent)
        }
        Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
    }
}

/// The lines are: pid, data directory, start in seconds since 1970, port, socket folder, address, shared
/// memory, state.
fn parse(text: &str) -> Option<PidFile> {
    let lines: Vec<_> = text.lines().collect();
    let number = |line: usize| lines.get(line).and_then(|text| text.trim().parse::<i64>().ok());
    // A single-user session, which accepts no connections, writes a negative pid.
    let pid = Pid::from_raw(number(0).and_then(|pid| i32::try_from(pid).ok()).filter(|pid| *pid > 0)?)?;
    let since = UNIX_EPOCH + Duration::from_secs(u64::try_from(number(2)?).ok()?);
    let port = number(3).and_then(|port| u16::try_from(port).ok())?;
    let state = match lines.get(7).map_or("", |line| line.trim()) {
        "starting" => ServerState::Starting,
        "ready" => ServerState::Ready,
        "stopping" => ServerState::Stopping,
        _ => ServerState::Unknown,
    };
    Some(PidFile { pid, since, port, state })
}

/// Whether a process with that pid exists. Reaps a dead child of ours first, which would still count as existing.
pub(crate) fn exists(pid: Pid) -> bool {
    match rustix::process::waitpid(Some(pid), WaitOptions::NOHANG) {
        Ok(Some(_)) => false,
        Ok(None) => true,
        Err(_) => rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH),
    }
}

/// Whether `pid` is the server of `data`, without starting a process. `None` if that takes one.
pub(crate) fn serves_at_a_glance(pid: Pid, data: &Path) -> Option<bool> {
    if !exists(pid) {
        return Some(false);
    }
    let process = Path::new("/proc").join(pid.as_raw_nonzero().to_string());
    let command_line = fs::read(process.join("cmdline")).ok()?;
    // A dead process that its parent has not reaped has an empty command line.
    let mut words = command_line.split(|byte| *byte == 0);
    let program = words.next().map(String::from_utf8_lossy).unwrap_or_default();
    if !names_postgres(&program) {
        return Some(false);
    }
    match fs::read_link(process.join("cwd")) {
        // However it was started, the working directory of a server is its data directory.
        Ok(folder) => Some(folder == data),
        // Root in a container may not see the folders of other users' processes. Command lines are readable to all.
        Err(_) => Some(words.any(|word| word == data.as_os_str().as_encoded_bytes())),
    }
}

/// Whether `pid` is the server of `data`. Runs `ps` if there is no `/proc`.
pub(crate) fn serves(pid: Pid, data: &Path) -> bool {
    serves_at_a_glance(pid, data).unwrap_or_else(|| {
        // macOS's `ps` has no long options. `ww` prints the whole line, however long.
        let pid = pid.as_raw_nonzero().to_string();
        let said =
            duct::cmd!("ps", "-ww", "-o", "args=", "-p", pid).stdin_null().stderr_null().unchecked().read();
        said.is_ok_and(|line| is_command_of(&line, data))
    })
}

/// Every server process of `data`, found without its `postmaster.pid`.
pub(crate) fn servers_of(data: &Path) -> Vec<Pid> {
    let parse_pid = |pid: &str| pid.parse().ok().and_then(Pid::from_raw);
    if let Some(pids) = processes() {
        return pids.filter(|pid| serves_at_a_glance(*pid, data) == Some(true)).collect();
    }
    let said = duct::cmd!("ps", "-axww", "-o", "pid=,args=").stdin_null().stderr_null().unchecked().read();
    let said = said.unwrap_or_default();
    let lines = said.lines().filter_map(|line| line.trim().split_once(' '));
    lines.filter(|(_, line)| is_command_of(line, data)).filter_map(|(pid, _)| parse_pid(pid)).collect()
}

/// Every `initdb` that is creating `data`. Finds none if there is no `/proc`.
pub(crate) fn makers_of(data: &Path) -> Vec<Pid> {
    let makes = |pid: &Pid| {
        let line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
        let mut words = line.split(|byte| *byte == 0);
        words.any(|word| word.strip_prefix(b"--pgdata=") == Some(data.as_os_str().as_encoded_bytes()))
    };
    processes().into_iter().flatten().filter(makes).collect()
}

/// All processes, if there is `/proc`.
fn processes() -> Option<impl Iterator<Item = Pid>> {
    let entries = fs::read_dir("/proc/self").and_then(|_| fs::read_dir("/proc")).ok()?;
    let pid = |name: &str| name.parse().ok().and_then(Pid::from_raw);
    Some(entries.flatten().filter_map(move |it| it.file_name().to_str().and_then(pid)))
}

/// Whether a line of `ps` is a server's on `data`. `ps` prints no quotes, so both paths may contain blanks.
fn is_command_of(line: &str, data: &Path) -> bool {
    let Some((program, rest)) = line.split_once(" -D ") else { return false };
    let after = rest.strip_prefix(&*data.to_string_lossy());
    names_postgres(program) && after.is_some_and(|rest| rest.trim_end().is_empty() || rest.starts_with(' '))
}

/// Accepts `postgres`, `postgres: checkpointer` and Nix's `.postgres-wrapped`.
fn names_postgres(program: &str) -> bool {
    let name = program.split(':').next().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
    name.contains("postgres")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "4711\n/state/data\n1700000000\n21873\n\n127.0.0.1\n  1234567         3\nready   \n";

    #[test]
    fn a_complete_file_is_parsed() {
        let expected = PidFile {
            pid: Pid::from_raw(4711).unwrap(),
            since: UNIX_EPOCH + Duration::from_secs(1_700_000_000),
            port: 21873,
            state: ServerState::Ready,
        };
        assert_eq!(parse(WHOLE), Some(expected));
    }

    #[test]
    fn a_file_without_a_state_is_parsed() {
        let state = |text: &str| parse(text).map(|it| it.state);
        assert_eq!(state("4711\n/state/data\n1700000000\n21873\n\n"), Some(ServerState::Unknown));
        assert_eq!(state(&WHOLE.replace("ready", "starting")), Some(ServerState::Starting));
        assert_eq!(state(&WHOLE.replace("ready", "stopping")), Some(ServerState::Stopping));
    }

    #[test]
    fn a_cut_off_file_is_rejected() {
        for text in ["", "\n", "47", "4711\n/state/data\n", "4711\n/state/data\n1700000000\n"] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_pid_that_would_signal_several_processes_is_rejected() {
        for pid in ["0", "-1", "-4711", "99999999999"] {
            assert_eq!(parse(&WHOLE.replacen("4711", pid, 1)), None, "{pid}");
        }
    }

    #[test]
    fn this_process_serves_no_data_directory() {
        let this = rustix::process::getpid();
        assert!(exists(this));
        assert!(!serves(this, &std::env::current_dir().unwrap()));
    }

    #[test]
    fn a_servers_command_line_is_recognised() {
        let data = Path::new("/state/data");
        assert!(is_command_of("/usr/lib/postgresql/15/bin/postgres -D /state/data --port=1", data));
        assert!(!is_command_of("/usr/lib/postgresql/15/bin/postgres -D /other/data --port=1", data));
        assert!(!is_command_of("/usr/lib/postgresql/15/bin/postgres -D /state/data-2", data));
        assert!(!is_command_of("vim /state/data/postgresql.conf", data));
        assert!(!is_command_of("tail -f /state/data/postgres.log", data));
    }
}
