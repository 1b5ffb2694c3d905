//! The documentation keeps up: `docs/reference.md` says what the program's own help says, and no link leads nowhere.
//!
//! `HOUSEWRIGHT_BLESS=1 cargo test --test reference` rewrites the reference.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{Arg, Command, CommandFactory};
use housewright::cli::CommandLine;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/reference.md");

#[test]
fn the_reference_is_what_the_program_says() {
    let mut program = CommandLine::command();
    program.build();
    let text = reference(&program);
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        fs::write(Path::new(FILE), &text).expect("the reference can be written");
    }
    let written = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        written == text,
        "docs/reference.md is stale: run `HOUSEWRIGHT_BLESS=1 cargo test --test reference` and look at the difference"
    );
}

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page can be read");
        let inside = page.parent().expect("a page is in a directory");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = target.split('#').next().unwrap_or_default();
            if !target.contains("://") && !file.is_empty() && !inside.join(file).exists() {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// README and changelog, and all pages below `docs/`.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = vec![root.join("README.md"), root.join("CHANGELOG.md")];
    for directory in ["docs", "docs/decisions"] {
        let entries = fs::read_dir(root.join(directory)).expect("the documentation is there");
        let files = entries.map(|entry| entry.expect("an entry can be read").path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    assert!(pages.len() > 10, "the pages are read from the project's root");
    pages
}

fn reference(program: &Command) -> String {
    let mut out = String::from(
        "# Reference of the command line\n\n\
         Made from the program itself: `HOUSEWRIGHT_BLESS=1 cargo test --test reference` rewrites this file, and the same\n\
         test without it fails when the file is stale. `housewright VERB --help` says the same.\n",
    );
    let about = program.get_long_about().or(program.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(out, "\n{about}\n\n## Verbs\n\n| Verb | What it does |\n|---|---|\n");
    for (name, verb) in verbs(program) {
        let _ = writeln!(out, "| [`{name}`](#{}) | {} |", anchor(&name), about_of(verb));
    }
    let global: Vec<&Arg> = program.get_arguments().filter(|arg| arg.is_global_set() && !own(arg)).collect();
    let _ = write!(out, "\n## Options of every verb\n\n{}", table(&global));
    let codes = program.get_after_help().map(ToString::to_string).unwrap_or_default();
    let _ = write!(out, "\n## Exit codes\n\n| Code | Meaning |\n|---|---|\n");
    for line in codes.lines().skip(1) {
        if let Some((code, meaning)) = line.trim().split_once(' ') {
            let _ = writeln!(out, "| {code} | {} |", meaning.trim());
        }
    }
    for (name, verb) in verbs(program) {
        let usage = verb.clone().render_usage().to_string();
        let usage = usage.trim_start_matches("Usage: ");
        let _ = write!(out, "\n## {name}\n\n{}.\n\n```text\n{usage}\n```\n", about_of(verb));
        let mine: Vec<&Arg> = verb.get_arguments().filter(|arg| !arg.is_global_set() && !own(arg)).collect();
        if !mine.is_empty() {
            let _ = write!(out, "\n{}", table(&mine));
        }
    }
    out
}

/// All verbs, and behind a verb with verbs of its own those.
fn verbs(program: &Command) -> Vec<(String, &Command)> {
    let mut all = Vec::new();
    for verb in program.get_subcommands().filter(|verb| verb.get_name() != "help") {
        all.push((verb.get_name().to_owned(), verb));
        for (name, inner) in verbs(verb) {
            all.push((format!("{} {name}", verb.get_name()), inner));
        }
    }
    all
}

fn anchor(name: &str) -> String {
    name.replace(' ', "-")
}

fn own(arg: &Arg) -> bool {
    matches!(arg.get_id().as_str(), "help" | "version")
}

fn about_of(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn table(arguments: &[&Arg]) -> String {
    let mut out = String::from("| Option | Meaning |\n|---|---|\n");
    for arg in arguments {
        let _ = writeln!(out, "| {} | {} |", form(arg), meaning(arg));
    }
    out
}

fn form(arg: &Arg) -> String {
    let names: Vec<String> = arg
        .get_short()
        .map(|short| format!("-{short}"))
        .into_iter()
        .chain(arg.get_long().map(|long| format!("--{long}")))
        .collect();
    let takes = arg.get_action().takes_values();
    let value = arg.get_value_names().unwrap_or_default().join(" ");
    match (names.is_empty(), takes) {
        (true, _) => format!("`{value}`"),
        (false, true) => format!("`{} {value}`", names.join(", ")),
        (false, false) => format!("`{}`", names.join(", ")),
    }
}

fn meaning(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    let values: Vec<String> = arg
        .get_possible_values()
        .iter()
        .filter(|_| arg.get_action().takes_values())
        .map(|value| match value.get_help() {
            Some(help) => format!("`{}`: {help}", value.get_name()),
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if !values.is_empty() {
        let _ = write!(text, ". {}", values.join("; "));
    }
    let defaults: Vec<String> =
        arg.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect();
    if !defaults.is_empty() && arg.get_action().takes_values() {
        let _ = write!(text, ". Default: `{}`", defaults.join(" "));
    }
    if let Some(name) = arg.get_env() {
        let _ = write!(text, ". Environment: `{}`", name.to_string_lossy());
    }
    text
}
