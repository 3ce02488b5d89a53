//! A program at a terminal: the other end of a pseudo-terminal, where a test types and sees what a person would see.

use std::{
    fs::File,
    io::{Read, Write},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use duct::{Expression, Handle, cmd};
use rustix::{
    fs::{Mode, OFlags, open},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{LocalModes, tcgetattr},
};

/// Longer than any answer takes; only a failure waits for it.
const PATIENCE: Duration = Duration::from_secs(60);

/// A terminal with a program on it.
pub(crate) struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    seen: String,
    /// What of it was looked for already.
    past: usize,
    program: Handle,
}

/// The words before those of a program that make the terminal on its standard input its own, so that Ctrl-C reaches it.
pub(crate) const STARTER: [&str; 3] = ["setsid", "--ctty", "--wait"];

pub(crate) const CTRL_C: &str = "\u{3}";
pub(crate) const CTRL_D: &str = "\u{4}";

impl Terminal {
    /// Starts what begins with [`STARTER`], on a new terminal.
    pub(crate) fn start(command: &Expression) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let path = ptsname(&ours, Vec::new()).unwrap();
        let theirs = || File::from(open(&path, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap());
        let program = command.stdin_file(theirs()).stdout_file(theirs()).stderr_file(theirs());
        let program = program.unchecked().start().unwrap();
        let keyboard = File::from(ours);
        let mut reader = keyboard.try_clone().unwrap();
        let (sender, screen) = channel();
        thread::spawn(move || {
            let mut part = [0; 1024];
            // The end of the program is an error here.
            while let Ok(read @ 1..) = reader.read(&mut part) {
                if sender.send(part[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        Terminal { keyboard, screen, bytes: Vec::new(), seen: String::new(), past: 0, program }
    }

    /// Waits until this is seen, after all that was waited for before.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: &str) {
        while !self.seen[self.past..].contains(text) {
            let Ok(part) = self.screen.recv_timeout(PATIENCE) else {
                panic!("`{text}` was not seen:\n{}", self.seen)
            };
            self.see(&part);
        }
        self.past += self.seen[self.past..].find(text).unwrap() + text.len();
    }

    pub(crate) fn type_line(&mut self, text: &str) {
        self.type_keys(&format!("{text}\n"));
    }

    pub(crate) fn type_keys(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Whether what is typed is seen.
    pub(crate) fn shows_typing(&self) -> bool {
        tcgetattr(&self.keyboard).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Waits for the end, and returns the exit code and all that was seen.
    pub(crate) fn end(mut self) -> (i32, String) {
        let code = self.program.wait().unwrap().status.code().unwrap_or(128);
        while let Ok(part) = self.screen.recv() {
            self.see(&part);
        }
        (code, self.seen)
    }

    /// A part may end in the midst of a character.
    fn see(&mut self, part: &[u8]) {
        self.bytes.extend(part);
        let whole = self.bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
        self.seen += std::str::from_utf8(&self.bytes[..whole]).unwrap();
        self.bytes.drain(..whole);
    }
}

#[test]
fn a_terminal_shows_what_is_typed_and_passes_ctrl_c_on() {
    let mut terminal = Terminal::start(&cmd(STARTER[0], [&STARTER[1..], &["cat"]].concat()));
    terminal.type_line("seen");
    terminal.expect("seen\r\nseen\r\n");
    assert!(terminal.shows_typing());
    terminal.type_keys(CTRL_C);
    assert_eq!(terminal.end(), (128, "seen\r\nseen\r\n^C".to_owned()));
}
