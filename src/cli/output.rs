//! Where text meets the terminal: the only file of the command line that prints (edge).

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::CommandFactory;
use serde_json::json;

use super::error::{CommandError, Exit};
use super::github;
use super::{ColorWhen, CommandLine, Form, Global};
use crate::event::Sink;
use crate::problem::{Problem, Severity, io_words};
use crate::report::diagnostic::{self, Colour};
use crate::report::style::{BAD, GOOD, QUIET, paint};
use crate::report::{self, Bars, JsonLines, Lines, hosts};

/// Decides about colours once, for all that is printed.
pub(super) fn choose_colors(when: ColorWhen) {
    let choice = match when {
        ColorWhen::Auto => return,
        ColorWhen::Always => anstream::ColorChoice::Always,
        ColorWhen::Never => anstream::ColorChoice::Never,
    };
    choice.write_global();
}

/// The form of what `check` answers as data; it changes when a reader of the older one could misread it.
pub(super) const SCHEMA: u64 = 1;

/// Prints a result.
pub(super) fn result(text: &str) {
    let _ = anstream::stdout().lock().write_all(text.as_bytes());
}

/// Prints a result that holds no colours: a megabyte of data is not searched for them.
pub(super) fn plain(text: &str) {
    let _ = io::stdout().lock().write_all(text.as_bytes());
}

/// Prints a result as data in the chosen form.
pub(super) fn data(form: Form, value: &impl serde::Serialize) {
    let text = match form {
        Form::Yaml => serde_yaml::to_string(value).unwrap_or_default(),
        _ => serde_json::to_string_pretty(value).unwrap_or_default() + "\n",
    };
    result(&text);
}

/// Prints a result as data that says which form it has.
pub(super) fn versioned(form: Form, value: &impl serde::Serialize) {
    #[derive(serde::Serialize)]
    struct Versioned<'a, T> {
        schema: u64,
        #[serde(flatten)]
        value: &'a T,
    }
    data(form, &Versioned { schema: SCHEMA, value });
}

/// Prints one event on a line of its own.
pub(super) fn line(value: &serde_json::Value) {
    result(&(report::event_line(value) + "\n"));
}

/// Writes a file, and the directories above it where they are missing.
pub(super) fn write_file(target: &Path, text: &str) -> Result<(), CommandError> {
    let made = target.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(target, text))
        .map_err(|error| CommandError::plain(format!("cannot write `{}`: {}", target.display(), io_words(&error))))
}

/// How wide the terminal is that results go to; nothing where they go elsewhere.
pub(super) fn width() -> Option<usize> {
    let (_, columns) = console::Term::stdout().size_checked()?;
    Some(usize::from(columns))
}

/// Prints something for the person that is no result.
pub(super) fn say(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Prints findings, each with its source line.
pub(super) fn problems(problems: &[Problem]) {
    if !problems.is_empty() {
        say(&diagnostic::render(problems, Colour::Styled));
        github::problems(problems);
    }
}

/// Says that there are notes; `check` shows them.
pub(super) fn notes(notes: &[Problem]) {
    if !notes.is_empty() {
        let text = format!("{}: `housewright check` shows what is doubtful", hosts::count(notes.len(), "note"));
        say(&paint(QUIET, text));
    }
}

/// Prints why a verb failed.
pub(super) fn error(error: &CommandError) {
    match error {
        CommandError::Problems(found) => {
            problems(found);
            let count = found.iter().filter(|problem| problem.severity == Severity::Problem).count();
            say(&format!("\n{} {}", paint(BAD, "error:"), hosts::count(count, "problem")));
        }
        CommandError::Other { message, hint } => {
            say(&format!("{} {message}", paint(BAD, "error:")));
            if let Some(hint) = hint {
                say(&format!("{} {hint}", paint(GOOD, "hint:")));
            }
        }
    }
}

/// Gives a result as data, or why there is none: problems as data, on stdout as well.
pub(super) fn data_answer(form: Form, answer: Result<serde_json::Value, CommandError>) -> Exit {
    let (value, exit) = match answer {
        Ok(value) => (value, Exit::Success),
        Err(CommandError::Problems(found)) => {
            github::problems(&found);
            (json!({ "schema": SCHEMA, "problems": diagnostic::json(&found) }), Exit::Invalid)
        }
        Err(CommandError::Other { message, hint }) => {
            (json!({ "schema": SCHEMA, "problems": [], "error": message, "hint": hint }), Exit::Invalid)
        }
    };
    data(form, &value);
    exit
}

/// Chooses the reporter: moving on a terminal, lines elsewhere, JSON lines where the result is JSON.
pub(super) fn sink(global: &Global, events: Events) -> Arc<dyn Sink> {
    if global.output == Form::Json && events == Events::AreTheResult {
        return Arc::new(JsonLines);
    }
    if io::stderr().is_terminal() && !global.plain { Arc::new(Bars::default()) } else { Arc::new(Lines) }
}

/// What events are to a verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Events {
    /// Something to watch.
    AreProgress,
    /// In JSON form, what the verb answers.
    AreTheResult,
}

/// Asks a yes-or-no question; anything but `yes` is no.
pub(super) fn confirm(question: &str) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() {
        return Err(CommandError::hinted(
            "nobody is there to approve the plan",
            "approve it on the command line: `--yes`",
        ));
    }
    let _ = write!(anstream::stderr().lock(), "{question} [yes/no] ");
    let mut line = String::new();
    let _ = io::stdin().read_line(&mut line);
    Ok(line.trim() == "yes")
}

/// Prints a help text, or what is wrong with the command line.
pub(super) fn usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    // The parser's own code, 2, would say that there is something to do.
    if error.use_stderr() { Exit::Invalid } else { Exit::Success }
}

pub(super) fn completions(shell: clap_complete::Shell) -> Exit {
    clap_complete::generate(shell, &mut CommandLine::command(), "housewright", &mut io::stdout());
    Exit::Success
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
