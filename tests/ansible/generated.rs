//! Inventories out of bytes: every choice takes the next byte, so that a failing one shrinks.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

const GROUPS: [&str; 7] = ["data", "ingestion", "zone-a", "zone_b", "all_hosts", "x.y", "Ünicode"];
const HOSTS: [&str; 10] = [
    "data-[1:3]",
    "data-[01:10:3]",
    "rack-[a:d:2]-[1:2]",
    "one",
    "two.example.com",
    "10.0.0.1",
    "three:2222",
    "data-[2:4]:22",
    "ingest-[8:11]",
    "::1",
];
const NAMES: [&str; 8] = ["a", "b_2", "shard", "ansible_host", "ansible_port", "nested", "ansible_group_priority", "z"];
const SCALARS: [&str; 58] = [
    "1",
    "0",
    "-7",
    "+3",
    "1_000",
    "0644",
    "0o17",
    "0x1F",
    "0b11",
    "08",
    "1:30",
    "1:30.5",
    "190:20:30",
    "1.5",
    "-.5",
    "1.",
    "1e5",
    "1.0e+5",
    "1e+5",
    "1_0.5",
    ".inf",
    "-.inf",
    "yes",
    "No",
    "on",
    "OFF",
    "y",
    "true",
    "~",
    "null",
    "",
    "text",
    "two words",
    "a: b: c",
    "'0644'",
    "'it''s'",
    "\"a\\tb\\u00e9\"",
    "2026-01-02",
    "2026-01-02T03:04:05Z",
    "2026-01-02 03:04:05.5 +02:00",
    "12.34.56",
    "{{ other }}",
    "'{{ other }}'",
    "[1, two, 3.0]",
    "{k: v, 1: one}",
    "[]",
    "{}",
    "!!str 12",
    "!unsafe '{{ x }}'",
    "!!int '7'",
    "- x",
    "18446744073709551616",
    "1e400",
    "|\n{i}  line one\n{i}  line two\n",
    ">-\n{i}  folded\n{i}  text",
    "=",
    "0.0",
    "123456789.25",
];
const LITERALS: [&str; 34] = [
    "1",
    "0644",
    "'quoted'",
    "\"double\"",
    "True",
    "false",
    "None",
    "none",
    "1.50",
    "1e3",
    "0x1f",
    "1_000",
    "[1, 2]",
    "['a', \"b\"]",
    "{'a': 1}",
    "('t', 1)",
    "plain",
    "two words",
    "a=b",
    "-5",
    "+5",
    "5 # five",
    "text # not five",
    "{{ other }}",
    "'{{ other }}'",
    "u'x'",
    "r'a\\b'",
    "1 + 2",
    "é",
    "[1,",
    "()",
    "{}",
    "0o17",
    "1e400",
];

/// Bytes that decide; when they are used up, every choice is the first.
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn below(&mut self, end: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        usize::from(*first) % end
    }

    fn of<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len())]
    }

    /// Up to `most` different texts.
    fn some<'t>(&mut self, texts: &[&'t str], most: usize) -> BTreeSet<&'t str> {
        (0..self.below(most + 1)).map(|_| self.of(texts)).collect()
    }
}

/// Writes an inventory into `directory/inventory` and a project into `directory/project`.
pub fn write(directory: &Path, choices: &mut Choices<'_>) {
    let inventory = directory.join("inventory");
    fs::create_dir_all(&inventory).unwrap();
    for source in 0..=choices.below(2) {
        let (name, text) = match choices.below(3) {
            0 => (format!("{source}.yml"), yaml(choices)),
            1 => (format!("{source}.ini"), ini(choices)),
            _ => (format!("{source}"), ini(choices)),
        };
        fs::write(inventory.join(name), text).unwrap();
    }
    for place in [&inventory, &directory.join("project")] {
        fs::create_dir_all(place).unwrap();
        let groups: Vec<&str> = ["all", "ungrouped"].into_iter().chain(GROUPS).collect();
        vars_files(&place.join("group_vars"), &groups, choices);
        vars_files(&place.join("host_vars"), &["one", "two.example.com", "data-1", "data-01", "::1"], choices);
    }
}

fn vars_files(directory: &Path, names: &[&str], choices: &mut Choices<'_>) {
    for name in choices.some(names, 3) {
        let files = match choices.below(5) {
            0 => vec![name.to_owned()],
            1 => vec![format!("{name}.yml")],
            2 => vec![format!("{name}.yaml"), format!("{name}.json")],
            3 => {
                vec![format!("{name}/b.yml"), format!("{name}/a.yml"), format!("{name}/sub/c"), format!("{name}/d.txt")]
            }
            _ => vec![format!("{name}/x.yaml"), format!("{name}.yml")],
        };
        for file in files {
            let path = directory.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut text = String::new();
            let _ = writeln!(
                text,
                "---\nfrom_{}: {:?}",
                directory.file_name().unwrap().display(),
                path.file_name().unwrap()
            );
            vars(&mut text, "", choices);
            if path.extension().is_some_and(|extension| extension == "json") {
                text = "{\"json\": [1, null, true, \"é\"], \"a\": 1.0}".to_owned();
            }
            fs::write(path, text).unwrap();
        }
    }
}

fn vars(out: &mut String, indent: &str, choices: &mut Choices<'_>) {
    for name in choices.some(&NAMES, 4) {
        let value = match name {
            "ansible_port" => "2200",
            "ansible_group_priority" => choices.of(&["0", "5", "'3'", "10"]),
            _ => choices.of(&SCALARS),
        };
        let value = match value {
            "- x" => format!("\n{indent}  - x\n{indent}  - [y]\n"),
            "a: b: c" | "=" => format!("'{value}'"),
            "{{ other }}" => format!("\"{value} \""),
            _ => value.replace("{i}", indent),
        };
        let _ = writeln!(out, "{indent}{name}: {value}");
    }
}

/// Children stand behind their parents in the list of names, so that there is no circle.
fn below(group: &str) -> &'static [&'static str] {
    GROUPS.iter().position(|name| *name == group).map_or(&GROUPS[..], |at| &GROUPS[at + 1..])
}

fn yaml(choices: &mut Choices<'_>) -> String {
    let mut out = String::from("---\n");
    let names: Vec<&str> = ["all", "ungrouped"].into_iter().chain(GROUPS).collect();
    let groups = choices.some(&names, 5);
    if groups.is_empty() {
        out.push_str("all:\n");
    }
    for group in groups {
        let _ = writeln!(out, "{group}:");
        let mut sections = vec!["hosts", "vars", "children"];
        sections.rotate_left(choices.below(3));
        for section in sections {
            let first = out.len();
            match section {
                "hosts" => {
                    for host in choices.some(&HOSTS, 3) {
                        let _ = writeln!(out, "    '{host}':");
                        vars(&mut out, "      ", choices);
                    }
                }
                "vars" => vars(&mut out, "    ", choices),
                _ if group == "ungrouped" || below(group).is_empty() => {}
                _ => {
                    for child in choices.some(below(group), 2) {
                        let _ = writeln!(out, "    {child}:");
                    }
                }
            }
            if out.len() > first {
                out.insert_str(first, &format!("  {section}:\n"));
            }
        }
    }
    out
}

fn ini(choices: &mut Choices<'_>) -> String {
    let mut out = String::from("; generated\n");
    hosts(&mut out, choices);
    for group in choices.some(&GROUPS, 4) {
        let mut sections = vec!["", ":vars", ":children"];
        sections.rotate_left(choices.below(3));
        for section in sections {
            let _ = writeln!(out, "\n[{group}{section}]{}", choices.of(&["", " # comment", "  "]));
            match section {
                "" => hosts(&mut out, choices),
                ":vars" => {
                    for name in choices.some(&NAMES, 3) {
                        let value = match name {
                            "ansible_port" => "2200",
                            "ansible_group_priority" => choices.of(&["0", "5", "10"]),
                            _ => choices.of(&LITERALS),
                        };
                        let _ = writeln!(out, "{name}{}{value}", choices.of(&["=", " = ", "= "]));
                    }
                }
                _ if below(group).is_empty() => {}
                _ => choices.some(below(group), 2).iter().for_each(|child| {
                    let _ = writeln!(out, "{child}");
                }),
            }
        }
    }
    for group in GROUPS {
        let _ = writeln!(out, "[{group}]");
    }
    out
}

fn hosts(out: &mut String, choices: &mut Choices<'_>) {
    for host in choices.some(&HOSTS, 4) {
        out.push_str(host);
        for name in choices.some(&NAMES[..6], 3) {
            let value = if name == "ansible_port" { "2200" } else { choices.of(&LITERALS) };
            let plain = value.chars().all(|c| c.is_alphanumeric() || "_.+-".contains(c));
            match (plain, value.contains('"')) {
                (true, _) => drop(write!(out, " {name}={value}")),
                (false, true) => drop(write!(out, " {name}='{value}'")),
                (false, false) => drop(write!(out, " {name}=\"{value}\"")),
            }
        }
        out.push_str(choices.of(&["", " # comment", "  "]));
        out.push('\n');
    }
}
