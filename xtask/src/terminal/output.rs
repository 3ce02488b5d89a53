//! Everything that we print: a line a step with its time, tables, JSON, and complaints.

use std::{
    env,
    io::{self, IsTerminal, Write},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use crate::terminal::format::Format;

/// Columns of a step's line: step, what, state, time.
const WIDTHS: (usize, usize, usize, usize) = (10, 48, 9, 8);
/// What stands on a terminal while a step runs.
const TIMED: &str = "{prefix:10} {wide_msg} {elapsed}";
/// The same where it is known how much there is to do.
const COUNTED: &str = "{prefix:10} {bar:24} {pos} of {len}  {wide_msg} {elapsed}";
/// How often the time there is brought up to date.
const TICK: Duration = Duration::from_millis(200);

/// The line of a step that still runs. There is one terminal, and so one of it.
static RUNNING: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn running() -> MutexGuard<'static, Option<ProgressBar>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Writes while that line is not there.
fn aside<T>(write: impl FnOnce() -> T) -> T {
    match &*running() {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

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
}

impl Steps {
    pub(crate) fn new(format: Format) -> Steps {
        Steps { format, done: Vec::new(), last: String::new() }
    }

    /// Shows on a terminal what is under way, and for how long; nothing elsewhere.
    pub(crate) fn doing(&mut self, step: &str, what: &str) {
        self.show(step, what, TIMED);
    }

    /// The same with how much of it is done.
    pub(crate) fn doing_part(&mut self, step: &str, what: &str, done: usize, of: usize) {
        let bar = self.show(step, what, COUNTED);
        bar.set_length(of as u64);
        bar.set_position(done as u64);
    }

    fn show(&mut self, step: &str, what: &str, template: &str) -> ProgressBar {
        let target = match self.format {
            Format::Text => ProgressDrawTarget::stdout(),
            Format::Json => ProgressDrawTarget::hidden(),
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
        bar.set_prefix(step.to_owned());
        bar.set_message(what.to_owned());
        bar.clone()
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
        if self.format == Format::Text {
            line(text);
        } else {
            complain_line(text);
        }
    }

    /// Ends a report for programs; for people it has been told already.
    pub(crate) fn finish(&mut self, more: impl Serialize) {
        self.wipe();
        if self.format == Format::Json {
            let mut report = serde_json::json!({ "steps": self.done });
            if let (Some(report), Ok(serde_json::Value::Object(more))) =
                (report.as_object_mut(), serde_json::to_value(more))
            {
                report.extend(more);
            }
            json(&report);
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

/// Characters of a line that fit on the screen; elsewhere always as many.
pub(crate) fn width() -> usize {
    let columns = rustix::termios::tcgetwinsize(io::stdout()).map_or(100, |size| usize::from(size.ws_col));
    columns.clamp(80, 160)
}

/// `1 table`, `2 tables`.
pub(crate) fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// One line on standard output.
pub(crate) fn line(text: &str) {
    raw(&format!("{text}\n"));
}

/// A text exactly as it is.
///
/// A reader that went away (`… | head`) is no error of ours: the command goes on in silence. A full disk is one.
pub(crate) fn raw(text: &str) {
    match aside(|| io::stdout().write_all(text.as_bytes())) {
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
    let _ = aside(|| writeln!(io::stderr(), "{text}"));
}
