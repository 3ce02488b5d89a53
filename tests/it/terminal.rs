//! A program at a pseudo-terminal. A test holds the other end, where it types and sees what a person would see.

use std::{
    fs::File,
    io::{Read, Write},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::Duration,
};

use duct::{Expression, Handle, cmd};
use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr},
};

/// Longer than any answer takes; only a failing test waits this long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with a program on it.
pub(crate) struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    seen: String,
    /// How many bytes of `seen` earlier calls of `expect` have passed.
    past: usize,
    program: Handle,
}

/// Words to put before a program. They make the terminal on its standard input its controlling terminal, so that Ctrl-C
/// reaches it.
pub(crate) const STARTER: [&str; 3] = ["setsid", "--ctty", "--wait"];

pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_D: &str = "\u{4}";

impl Terminal {
    /// Starts a command on a new terminal. The command begins with [`STARTER`].
    pub(crate) fn start(command: &Expression) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let path = ptsname(&ours, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = || File::from(open(&path, flags, Mode::empty()).unwrap());
        show_keys_as_themselves(&theirs());
        let program = command.stdin_file(theirs()).stdout_file(theirs()).stderr_file(theirs());
        let program = program.unchecked().start().unwrap();
        let keyboard = File::from(ours);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            while let Some(part) = next_part(&mut reader) {
                if sender.send(part).is_err() {
                    break;
                }
            }
        });
        Terminal { keyboard, screen, bytes: Vec::new(), seen: String::new(), past: 0, program }
    }

    /// Waits until the terminal shows this text, after the texts of earlier calls.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        while !self.seen[self.past..].contains(text) {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(part) => self.see(&part),
                Err(RecvTimeoutError::Timeout) => panic!("no `{text}` within {PATIENCE:?}:\n{}", self.seen),
                Err(RecvTimeoutError::Disconnected) => {
                    panic!("the program ended without `{text}`:\n{}", self.seen)
                }
            }
        }
        self.past += self.seen[self.past..].find(text).unwrap() + text.len();
    }

    pub(crate) fn type_line(&mut self, text: &str) {
        self.type_keys(&format!("{text}\n"));
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Whether the terminal shows what the test types.
    pub(crate) fn shows_typing(&self) -> bool {
        tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the program's end. Returns its exit code and everything that the terminal showed.
    pub(crate) fn end(mut self) -> (i32, String) {
        let code = self.program.wait().unwrap().status.code().unwrap_or(128);
        while let Ok(part) = self.screen.recv() {
            self.see(&part);
        }
        (code, self.seen)
    }

    /// Adds output to `seen`. It may end in the middle of a character.
    fn see(&mut self, part: &[u8]) {
        // The kernel echoes a Ctrl-C only after it has sent the signal, so the echo may land in the middle of what the
        // program prints in reply. No test depends on where.
        self.bytes.extend(part.iter().filter(|byte| **byte != CTRL_C.as_bytes()[0]));
        let whole = self.bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        self.seen += std::str::from_utf8(&self.bytes[..whole]).unwrap();
        self.bytes.drain(..whole);
    }
}

/// What the program wrote next, or nothing once every program on the terminal has ended.
fn next_part(screen: &mut File) -> Option<Vec<u8>> {
    let mut part = [0; 1024];
    // Linux reports the end as an error, and may do so too early: it looks for output first and for the end afterwards,
    // and a program can write and exit between the two. A second read finds what it wrote.
    let read = screen.read(&mut part).or_else(|_| screen.read(&mut part)).ok()?;
    (read > 0).then(|| part[..read].to_vec())
}

/// Makes the terminal echo Ctrl-C as one byte. `^C` could be the program's own words.
fn show_keys_as_themselves(terminal: &File) {
    let mut modes = tcgetattr(terminal).unwrap();
    modes.local_modes.remove(LocalModes::ECHOCTL);
    tcsetattr(terminal, OptionalActions::Now, &modes).unwrap();
}

#[test]
fn a_terminal_shows_the_last_words_of_a_program_however_soon_it_ends() {
    for round in 0..300 {
        // Words would be lost if a signal woke the program while the terminal still echoed the key. The shell does not wait in
        // `read`, which a signal that comes just before it would not end.
        let script = "trap 'echo bye; exit 3' INT; echo ready; while :; do sleep 1; done";
        let words = [&STARTER[1..], &["sh", "-c", script]].concat();
        let mut terminal = Terminal::start(&cmd(STARTER[0], words));
        terminal.expect("ready\r\n");
        terminal.type_keys(CTRL_C);
        assert_eq!(terminal.end(), (3, "ready\r\nbye\r\n".to_owned()), "round {round}");
    }
}

#[test]
fn a_terminal_shows_what_is_typed_and_passes_ctrl_c_on() {
    let mut terminal = Terminal::start(&cmd(STARTER[0], [&STARTER[1..], &["cat"]].concat()));
    terminal.type_line("seen");
    terminal.expect("seen\r\nseen\r\n");
    assert!(terminal.shows_typing());
    terminal.type_keys(CTRL_C);
    assert_eq!(terminal.end(), (128, "seen\r\nseen\r\n".to_owned()));
}
