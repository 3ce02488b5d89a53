//! Everything that we print: a line a step with its time, tables, JSON, and complaints.

use std::{
    env,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use serde::Serialize;

use crate::cli::Format;

/// Columns of a step's line: step, what, state, time.
const WIDTHS: (usize, usize, usize, usize) = (10, 48, 9, 8);

/// One step that was done.
#[derive(Debug, Clone, Serialize)]
struct Step {
    step: String,
    what: String,
    state: String,
    milliseconds: Option<f64>,
}

/// Reports the steps of a command as they happen.
#[derive(Debug)]
pub(crate) struct Steps {
    format: Format,
    done: Vec<Step>,
    last: String,
    /// Whether the line of a step that still runs stands on the terminal.
    pending: bool,
}

impl Steps {
    pub(crate) fn new(format: Format) -> Steps {
        Steps { format, done: Vec::new(), last: String::new(), pending: false }
    }

    /// Shows on a terminal what is under way; nothing elsewhere.
    pub(crate) fn doing(&mut self, step: &str, what: &str) {
        if self.format == Format::Text && io::stdout().is_terminal() {
            self.wipe();
            // Never wrapped: only one line of it could be taken back.
            print_now(&format!("\x1b[?7l{step:<w$} {what} …\x1b[?7h", w = WIDTHS.0));
            self.pending = true;
        }
    }

    /// Tells that a step is done.
    pub(crate) fn done(&mut self, step: &str, what: &str, state: &str, elapsed: Option<Duration>) {
        self.wipe();
        if self.format == Format::Text {
            let name = if self.last == step { "" } else { step };
            let (a, b, c, d) = WIDTHS;
            let time = elapsed.map_or(String::new(), time);
            line(format!("{name:<a$} {what:<b$} {state:<c$}{time:>d$}").trim_end());
        }
        step.clone_into(&mut self.last);
        self.done.push(Step {
            step: step.to_owned(),
            what: what.to_owned(),
            state: state.to_owned(),
            milliseconds: elapsed.map(|elapsed| elapsed.as_secs_f64() * 1000.0),
        });
    }

    /// Tells something that belongs to the step under way.
    pub(crate) fn note(&mut self, text: &str) {
        self.wipe();
        if self.format == Format::Text {
            line(text);
        } else {
            complain_line(text);
        }
    }

    /// Ends a report for programs; for people it has been told already.
    pub(crate) fn finish(&mut self, more: serde_json::Value) {
        self.wipe();
        if self.format == Format::Json {
            let mut report = serde_json::json!({ "steps": self.done });
            if let (Some(report), serde_json::Value::Object(more)) = (report.as_object_mut(), more) {
                report.extend(more);
            }
            json(&report);
        }
    }

    fn wipe(&mut self) {
        if std::mem::take(&mut self.pending) {
            print_now("\r\x1b[2K");
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Runs a step and says how long it took.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let done = work.await;
    (done, start.elapsed())
}

/// A duration as people read it.
pub(crate) fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    if seconds < 0.0095 {
        format!("{:.1} ms", seconds * 1000.0)
    } else if seconds < 0.9995 {
        format!("{:.0} ms", seconds * 1000.0)
    } else {
        format!("{seconds:.2} s")
    }
}

/// `1 table`, `2 tables`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// One line on standard output.
///
pub(crate) fn line(text: &str) {
    raw(&format!("{text}\n"));
}

/// A text exactly as it is.
///
/// A reader that went away (`… | head`) is no error of ours: the command goes on in silence. A full disk is one.
pub(crate) fn raw(text: &str) {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain("error", &format!("cannot write to standard output: {error}"));
            std::process::exit(1);
        }
        _ => {}
    }
}

/// A report for programs.
pub(crate) fn json(value: &impl Serialize) {
    if let Ok(text) = serde_json::to_string_pretty(value) {
        line(&text);
    }
}

/// A remark on standard error, for commands whose standard output is for programs.
pub(crate) fn remark(text: &str) {
    complain_line(text);
}

/// `error: …` on standard error; colour only repeats the word.
pub(crate) fn complain(word: &str, text: &str) {
    let coloured = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (start, end) = if coloured { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    complain_line(&format!("{start}{word}{end}: {text}"));
}

fn complain_line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

fn print_now(text: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}
