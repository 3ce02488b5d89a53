//! The process that created a container, as a label has it: distinct from every other process, also from a later one with
//! the same pid.

use std::{fmt, fs, str::FromStr, time::Duration};

/// An owner that can't be examined from here, as after a restart of the machine or in another container, counts as dead
/// after this.
const PATIENCE: Duration = Duration::from_secs(3600);

/// A process of this machine, of this boot of it, in one pid namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pid: u32,
    /// In ticks since the boot; `-` where there is no `/proc`.
    start: String,
    boot: String,
    /// Containers on this machine use the same pids for other processes.
    namespace: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Alive,
    Dead,
}

impl Owner {
    pub(crate) fn this_process() -> Owner {
        let pid = std::process::id();
        let start = start_time(pid).unwrap_or_else(|| "-".to_owned());
        Owner { pid, start, boot: boot_id(), namespace: namespace() }
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.pid, self.start, self.boot, self.namespace)
    }
}

impl FromStr for Owner {
    type Err = ();

    fn from_str(text: &str) -> Result<Owner, ()> {
        let mut parts = text.split(':').map(str::to_owned);
        let mut part = || parts.next().filter(|part| !part.is_empty()).ok_or(());
        let owner = Owner {
            pid: part()?.parse().map_err(|_| ())?,
            start: part()?,
            boot: part()?,
            namespace: part()?,
        };
        parts.next().map_or(Ok(owner), |_| Err(()))
    }
}

/// Whether the owner of a container of that age is alive. `me` is a process in the same namespace as we.
pub(crate) fn judge(
    label: Option<&str>,
    age: Duration,
    me: &Owner,
    start_time: impl Fn(u32) -> Option<String>,
) -> Verdict {
    let by_age = if age > PATIENCE { Verdict::Dead } else { Verdict::Alive };
    let Some(owner) = label.and_then(|label| label.parse::<Owner>().ok()) else { return by_age };
    let unknown = me.start == "-" || owner.start == "-";
    if unknown || owner.boot != me.boot || owner.namespace != me.namespace {
        return by_age;
    }
    if start_time(owner.pid).is_some_and(|start| start == owner.start) {
        Verdict::Alive
    } else {
        Verdict::Dead
    }
}

/// When the process that has this pid was started, in ticks since the boot. `None`: there is none, or it is a zombie.
pub(crate) fn start_time(pid: u32) -> Option<String> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name of a program may hold anything, also spaces and brackets, so the fields are counted after the last bracket.
fn parse_stat(stat: &str) -> Option<String> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    // The 22nd of all, and the state is the 3rd.
    let start = fields.nth(18)?;
    (!matches!(state, "Z" | "X")).then(|| start.to_owned())
}

fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    if id.trim().is_empty() { "-".to_owned() } else { id.trim().to_owned() }
}

/// The digits of `pid:[4026531836]`.
fn namespace() -> String {
    let link = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let digits: String = link.to_string_lossy().chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { "-".to_owned() } else { digits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(text: &str) -> Owner {
        text.parse().unwrap()
    }

    #[test]
    fn an_owner_reads_back_what_it_writes() {
        let me = Owner::this_process();
        assert_eq!(me.to_string().parse(), Ok(me));
        for wrong in ["", "1", "1:2:3", "x:2:3:4", "1:2:3:4:5", "1:2::4"] {
            assert_eq!(wrong.parse::<Owner>(), Err(()), "{wrong}");
        }
    }

    #[test]
    fn an_owner_is_dead_once_its_pid_is_unused_or_another_process() {
        let me = owner("1:10:boot:7");
        let lives = |label: &str, age: u64| {
            judge(Some(label), Duration::from_secs(age), &me, |pid| (pid == 5).then(|| "50".to_owned()))
                == Verdict::Alive
        };
        assert!(lives("5:50:boot:7", 0));
        assert!(lives("5:50:boot:7", 100_000));
        assert!(!lives("5:51:boot:7", 0), "another process has the pid by now");
        assert!(!lives("6:50:boot:7", 0));
    }

    #[test]
    fn an_owner_that_cannot_be_examined_is_dead_after_an_hour() {
        let me = owner("1:10:boot:7");
        let lives = |label: Option<&str>, age: u64| {
            judge(label, Duration::from_secs(age), &me, |_| None) == Verdict::Alive
        };
        for label in [Some("5:50:other:7"), Some("5:50:boot:8"), Some("5:-:boot:7"), Some("nonsense"), None] {
            assert!(lives(label, 3500), "{label:?}");
            assert!(!lives(label, 3700), "{label:?}");
        }
    }

    #[test]
    fn a_start_time_is_read_past_any_name() {
        let fields = "1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4711 0 0";
        assert_eq!(parse_stat(&format!("5 (a) b) S {fields}")).as_deref(), Some("4711"));
        assert_eq!(parse_stat(&format!("5 (sh) Z {fields}")), None);
        assert_eq!(parse_stat("5 (sh"), None);
    }
}
