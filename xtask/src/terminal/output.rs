//! Everything that commands print: a line per step with its time, tables, JSON, and errors.

use std::{
    env,
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};

use anyhow::anyhow;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::terminal::{commands, format::Format};

/// The widths of the columns of a step's line: step, what, state, time.
const WIDTHS: (usize, usize, usize, usize) = (10, 48, 9, 8);
/// The line on a terminal while a step runs.
const TIMED: &str = "{prefix:10} {wide_msg} {elapsed}";
/// The same if the amount of work is known.
const COUNTED: &str = "{prefix:10} {bar:24} {pos} of {len}  {wide_msg} {elapsed}";
/// How often the elapsed time on that line is refreshed.
const TICK: Duration = Duration::from_millis(200);

/// The line of the running step. There is one terminal, so there is one line.
static RUNNING: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn running() -> MutexGuard<'static, Option<ProgressBar>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Hides that line while writing.
fn aside<T>(write: impl FnOnce() -> T) -> T {
    match &*running() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// A finished step.
#[derive(Debug, Clone, Serialize)]
struct Step {
    step: String,
    what: String,
    state: String,
    milliseconds: Option<f64>,
}

/// Where the steps of a command are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Report {
    /// A line per step on standard output, as they happen.
    Lines,
    /// One JSON object on standard output at the end.
    Json,
    /// Nowhere.
    Nothing,
    /// Nowhere, and notes are dropped.
    Silence,
}

/// The report of a command as JSON.
#[derive(Serialize)]
struct StepsReport<'s, M: Serialize> {
    steps: &'s [Step],
    #[serde(flatten)]
    more: M,
}

/// Reports the steps of a command as they happen.
#[derive(Debug)]
pub(crate) struct Steps {
    report: Report,
    done: Vec<Step>,
    last: String,
}

impl Steps {
    pub(crate) fn new(format: Format) -> Steps {
        let report = match format {
            Format::Text => Report::Lines,
            Format::Json => Report::Json,
        };
        Steps { report, done: Vec::new(), last: String::new() }
    }

    /// Steps without a report, for a command whose standard output is something else. Notes go to standard error.
    pub(crate) fn quiet() -> Steps {
        Steps { report: Report::Nothing, done: Vec::new(), last: String::new() }
    }

    /// The same without notes.
    pub(crate) fn silent() -> Steps {
        Steps { report: Report::Silence, done: Vec::new(), last: String::new() }
    }

    /// Shows the running step and its elapsed time, on a terminal only.
    pub(crate) fn doing(&mut self, step: &str, what: &str) {
        self.show(step, what, TIMED);
    }

    /// The same, with a progress bar.
    pub(crate) fn doing_part(&mut self, step: &str, what: &str, done: usize, of: usize) {
        let bar = self.show(step, what, COUNTED);
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    }

    fn show(&mut self, step: &str, what: &str, template: &str) -> ProgressBar {
        let target = match self.report {
            Report::Lines => ProgressDrawTarget::stdout(),
            Report::Json | Report::Nothing | Report::Silence => ProgressDrawTarget::hidden(),
        };
        let mut running = running();
        let bar = running.get_or_insert_with(|| {
            let bar = ProgressBar::no_length();
            bar.set_draw_target(target);
            bar.enable_steady_tick(TICK);
            bar
        });
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        bar.set_prefix(printable(step));
        bar.set_message(printable(what));
        bar.clone()
    }

    /// Reports a finished step.
    pub(crate) fn done(&mut self, step: &str, what: &str, state: &str, elapsed: Option<Duration>) {
        self.wipe();
        if self.report == Report::Lines {
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

    /// Prints a remark on the running step.
    pub(crate) fn note(&mut self, text: &str) {
        match self.report {
            Report::Lines => line(text),
            Report::Json | Report::Nothing => remark(text),
            Report::Silence => {}
        }
    }

    /// Prints the JSON report, with `more` in it; in text every step is printed already.
    pub(crate) fn finish(&mut self, more: impl Serialize) {
        self.wipe();
        if self.report == Report::Json {
            json(&StepsReport { steps: &self.done, more });
        }
    }

    fn wipe(&mut self) {
        if let Some(bar) = running().take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Steps {
    fn drop(&mut self) {
        self.wipe();
    }
}

/// Awaits `work`, and returns how long it took too.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let start = Instant::now();
    let done = work.await;
    (done, start.elapsed())
}

/// A duration for people: `0.4 ms`, `38 ms`, `2.10 s`.
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

/// The number of characters that fit on a line of the screen; 100 if there is no terminal.
pub(crate) fn width() -> usize {
    let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(100, |size| usize::from(size.ws_col));
    columns.clamp(80, 160)
}

/// `1 table`, `2 tables`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Prints a line for people on standard output.
pub(crate) fn line(text: &str) {
    write(&format!("{}\n", printable(&commands::complete(text))));
}

/// Prints a text on standard output, to a file or a program unchanged.
pub(crate) fn raw(text: &str) {
    if io::stdout().is_terminal() { write(&printable(text)) } else { write(text) }
}

/// A text as a terminal may get it. Control characters, which a file's name, a row or a server's message may contain, could
/// move the cursor or change what is on the screen, so they are written out.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && !matches!(c, '\n' | '\t') {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Writes to standard output. A failure to print does not stop the command: [`written`] reports it.
fn write(text: &str) {
    keep_failure(aside(|| io::stdout().write_all(text.as_bytes())));
}

/// Prints a value as JSON on standard output.
pub(crate) fn json(value: &impl Serialize) {
    match serde_json::to_string_pretty(value) {
        // In JSON, only a string can contain them. It has no line breaks of its own.
        Ok(text) => line(&escaped(&text)),
        Err(error) => keep_failure(Err(error.into())),
    }
}

/// JSON without the control characters that it may contain unescaped.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\u{7f}'..='\u{9f}' => escaped.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The first failure to print. A command in the middle of its work on a database must not end because a disk is full.
static FAILURE: OnceLock<io::Error> = OnceLock::new();

fn keep_failure(printed: io::Result<()>) {
    match printed {
        // The reader went away, as in `… | head`, so the rest of the output is not needed.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
        Err(error) => drop(FAILURE.set(error)),
        Ok(()) => {}
    }
}

/// Fails if anything could not be printed on standard output.
pub(crate) fn written() -> anyhow::Result<()> {
    keep_failure(io::stdout().flush());
    match FAILURE.get() {
        Some(error) => Err(anyhow!("cannot write to standard output: {error}")),
        None => Ok(()),
    }
}

/// Prints a line on standard error, for commands whose standard output is for programs.
pub(crate) fn remark(text: &str) {
    complain_line(&printable(&commands::complete(text)));
}

/// Prints a question on standard error. The answer follows it in the same line.
pub(crate) fn prompt(text: &str) {
    let _ = aside(|| write!(io::stderr(), "{}", printable(text)));
}

/// Prints `error: …` on standard error. Colour only repeats what the word says.
pub(crate) fn complain(word: &str, text: &str) {
    let coloured = io::stderr().is_terminal() && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let (start, end) = if coloured { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
    complain_line(&format!("{start}{word}{end}: {}", printable(&commands::complete(text))));
}

fn complain_line(text: &str) {
    let _ = aside(|| writeln!(io::stderr(), "{text}"));
}
