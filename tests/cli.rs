//! The program itself, as a shell sees it: exit codes, what is on stdout, and what is never there.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

/// A project of one host, with secrets written where they should not be.
fn project() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let hosts = "all:\n  hosts:\n    d1: { hostClusterRole: data, shard: 1, replica: 1 }\n    \
                 pod: { hostClusterRole: data, shard: 1, replica: 2, housewright_reach: member }\n  \
                 vars: { ansible_become_pass: hunter2, copies: { s3: { secret_key: hunter2, region: eu } } }\n";
    write("inventory/hosts.yml", hosts);
    write(
        "roles/free/role.yml",
        "placement: stateless\nhostClusterRole: free\nunits: [{ name: a }]\nclickhouse: { unit: a }\n",
    );
    write("roles/free/schema/a.sql", "CREATE TABLE t (a Int8) ENGINE = Null");
    write(
        "roles/data/role.yml",
        "placement: storage\nhostClusterRole: data\nunits: [{ name: a }]\nclickhouse: { unit: a }\n\
         files: [{ template: a.tera, path: /etc/a.xml, unit: a }]\n",
    );
    write("templates/a.tera", "<clickhouse><password>hunter2</password></clickhouse>");
    directory
}

fn run(project: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
    command.current_dir(project).args(args).env_remove("HOUSEWRIGHT_INVENTORY").env_remove("HOUSEWRIGHT_PROJECT");
    command.output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_wrong_command_line_is_no_work_to_do() {
    let project = project();
    for (args, expected) in [
        (&["plan", "--no-such"][..], 1),
        (&["paln"], 1),
        (&[], 1),
        (&["check", "--forks", "many"], 1),
        (&["--help"], 0),
        (&["plan", "--help"], 0),
        (&["--version"], 0),
    ] {
        let output = run(project.path(), args);
        assert_eq!(code(&output), expected, "{args:?}: {}", text(&output));
    }
}

#[test]
fn what_touches_every_host_wants_it_said() {
    let project = project();
    for (args, says) in [
        (&["restart", "-i", "inventory", "--yes"][..], "nobody said which hosts are to be restarted"),
        (&["run", "-i", "inventory", "--", "true"], "nobody said which hosts are to be asked to run it"),
        (&["restart", "-i", "inventory", "--all", "--limit", "d1"], "`--limit` and `--all` say different things"),
        (&["restart", "-i", "inventory", "--all", "--only", "config"], "`restart` has one part only"),
        (&["restart", "-i", "inventory", "--all", "--unit", "a b"], "`--unit a b`"),
        (&["run", "-i", "inventory", "--limit", "pod", "--", "true"], "HW0125"),
        (&["run", "-i", "inventory", "--all"], "COMMAND"),
    ] {
        let output = run(project.path(), args);
        assert!(code(&output) == 1 && text(&output).contains(says), "{args:?}: {}", text(&output));
    }
}

#[test]
fn no_secret_that_is_written_down_is_repeated() {
    let project = project();
    for args in [
        &["check", "-i", "inventory"][..],
        &["check", "-i", "inventory", "-o", "json"],
        &["inventory", "-i", "inventory", "-o", "yaml"],
        &["inventory", "-i", "inventory", "--graph"],
        &["inventory", "-i", "inventory", "--explain", "d1"],
        &["inventory", "-i", "inventory", "--explain", "d1.copies.s3.secret_key"],
        &["render", "-i", "inventory"],
        &["render", "-i", "inventory", "-o", "json"],
    ] {
        let output = run(project.path(), args);
        assert_eq!(code(&output), 0, "{args:?}: {}", text(&output));
        assert!(!text(&output).contains("hunter2"), "{args:?}: {}", text(&output));
    }
    let output = run(project.path(), &["inventory", "-i", "inventory", "--explain", "d1"]);
    assert!(text(&output).contains("\"eu\"") && text(&output).contains("\"‹hidden›\""), "{}", text(&output));
}

#[test]
fn only_members_is_an_error_and_a_role_without_hosts_a_note() {
    let project = project();
    let output = run(project.path(), &["check", "-i", "inventory", "--limit", "pod"]);
    assert_eq!(code(&output), 1);
    assert!(text(&output).contains("HW0125") && text(&output).contains("`pod`"), "{}", text(&output));
    let output = run(project.path(), &["check", "-i", "inventory"]);
    assert!(text(&output).contains("note[HW0407]: role `free`"), "{}", text(&output));
}

#[test]
fn json_is_all_that_is_on_stdout() {
    let project = project();
    let output = run(project.path(), &["check", "-i", "inventory", "-o", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["hosts"], &value["roles"]), (&1.into(), &1.into()));
    let problem = value["problems"].as_array().unwrap().iter().find(|problem| problem["code"] == "HW0407").unwrap();
    assert_eq!((&problem["severity"], &problem["line"]), (&"note".into(), &1.into()));
    assert!(problem["file"].as_str().unwrap().ends_with("roles/free/schema/a.sql"));

    let output = run(project.path(), &["render", "-i", "inventory", "-o", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    let content = value["hosts"]["d1"]["/etc/a.xml"]["content"].as_str().unwrap();
    assert_eq!(content, "<clickhouse><password>‹hidden›</password></clickhouse>");

    std::fs::write(project.path().join("roles/free/schema/a.sql"), "DROP TABLE t").unwrap();
    std::fs::write(project.path().join("roles/data/role.yml"), "placement: nowhere\nhostClusterRole: data\n").unwrap();
    for verb in ["check", "render"] {
        let output = run(project.path(), &[verb, "-i", "inventory", "-o", "json"]);
        let value: Value = serde_json::from_slice(&output.stdout).unwrap();
        let problems = value["problems"].as_array().unwrap();
        let has =
            |code: &str| problems.iter().any(|problem| problem["code"] == code && problem["severity"] == "problem");
        assert!(code(&output) == 1 && has("HW0204") && has("HW0402"), "{value}");
    }
}

#[test]
fn json_is_never_asked_a_question() {
    let project = project();
    let output = run(project.path(), &["apply", "-i", "inventory", "-o", "json"]);
    assert_eq!(code(&output), 1);
    assert!(output.stdout.is_empty() && text(&output).contains("--yes"), "{}", text(&output));
}

/// A saved plan of nothing, made just now.
fn saved(project: &Path, made_at: &str, good_until: &str) {
    let version = env!("CARGO_PKG_VERSION");
    let plan = r#"{ "waves": [], "holds": [], "unreachable": {}, "unchanged": ["d1"] }"#;
    let text = format!(
        r#"{{ "version": 2, "housewright": "{version}", "made_at": "{made_at}", "good_until": "{good_until}", "no_op": true,
        "limit": "d1", "allow": [], "plan": {plan} }}"#
    );
    std::fs::write(project.join("plan.json"), text).unwrap();
}

#[test]
fn a_saved_plan_is_not_run_with_other_options() {
    let project = project();
    saved(project.path(), "2026-01-01T00:00:00Z", "2999-01-01T00:00:00Z");
    for (option, value) in [("--limit", "all"), ("--allow", "shard-outage")] {
        let output = run(project.path(), &["apply", "plan.json", "-i", "inventory", option, value]);
        let message = format!("`{option}` is not the one that the saved plan was made with");
        assert!(code(&output) == 1 && text(&output).contains(&message), "{}", text(&output));
    }
}

#[test]
fn a_saved_plan_is_refused_when_it_is_too_old_or_made_by_a_wrong_clock() {
    let project = project();
    for (made_at, good_until, why) in [
        ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "it is too old: it was made at 2026-01-01T00:00:00Z"),
        ("2998-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "it was made in the future"),
        ("yesterday", "tomorrow", "it does not say when it was made"),
    ] {
        saved(project.path(), made_at, good_until);
        let output = run(project.path(), &["apply", "plan.json", "-i", "inventory"]);
        assert!(code(&output) == 1 && text(&output).contains(why), "{}", text(&output));
        assert!(
            text(&output).contains("the saved plan is not run") && text(&output).contains("hint:"),
            "{}",
            text(&output)
        );
    }
}

#[test]
fn a_saved_plan_is_shown_without_inventory_and_network() {
    let project = project();
    saved(project.path(), "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z");
    let output = run(project.path(), &["show", "plan.json", "--detailed-exitcode"]);
    assert_eq!(code(&output), 0, "{}", text(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "plan: nothing to do, 1 as desired\n");
    let about = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(about.contains("made at 2026-01-01") && about.contains("cannot be run any more"), "{about}");
    let output = run(project.path(), &["show", "plan.json", "-o", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&value["no_op"], &value["version"]), (&true.into(), &2.into()));
    std::fs::write(project.path().join("plan.json"), "{}").unwrap();
    let output = run(project.path(), &["show", "plan.json"]);
    assert!(code(&output) == 1 && text(&output).contains("cannot read the plan `plan.json`"), "{}", text(&output));
}

#[test]
fn a_run_that_nobody_knows_is_not_gone_on_with() {
    let project = project();
    let journals = project.path().join("journals").display().to_string();
    let output = run(project.path(), &["apply", "--resume", "20261122T100000-aaaa", "--journal", &journals]);
    assert_eq!(code(&output), 1);
    assert!(text(&output).contains("there is no journal of run `20261122T100000-aaaa`"), "{}", text(&output));
    let output = run(project.path(), &["apply", "--resume", "--journal", &journals]);
    assert_eq!(code(&output), 1);
    assert!(text(&output).contains("is there to go on with"), "{}", text(&output));
}

/// A `clickhouse` on the PATH is shown every statement; what it cannot read is told at its place, without the statement's
/// own words.
#[test]
fn what_a_clickhouse_cannot_read_is_told_at_its_line() {
    use std::os::unix::fs::PermissionsExt;
    let project = project();
    let schema = project.path().join("roles/data/schema");
    std::fs::create_dir_all(&schema).unwrap();
    std::fs::write(
        schema.join("a.sql"),
        "CREATE TABLE fine (a Int8) ENGINE = Log;\n\nCREATE TABLE t (a Int8)\n  ENGINE = Log ORDR BY a;\n",
    )
    .unwrap();
    let program = project.path().join("bin/clickhouse");
    std::fs::create_dir_all(program.parent().unwrap()).unwrap();
    let script = "#!/bin/sh\nrows=$(cat)\ncase \"$*\" in\n*isNull*) echo 1 ;;\n\
                  *) echo \"Code: 62. DB::Exception: Syntax error: failed at position 40 (ORDR) (line 2, col 16): hunter2 $rows. \
                  Expected one of: ORDER BY, end of query. (SYNTAX_ERROR)\" >&2; exit 62 ;;\nesac\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let check = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
        command.current_dir(project.path()).args(["check", "-i", "inventory"]).args(more);
        let path = format!("{}/bin:{}", project.path().display(), std::env::var("PATH").unwrap_or_default());
        command.env("PATH", path).output().unwrap()
    };
    let output = check(&[]);
    let said = text(&output);
    assert_eq!(code(&output), 1, "{said}");
    assert!(
        said.contains("HW0409") && said.contains("a.sql:4:16") && said.contains("expected one of: ORDER BY"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    assert_eq!(code(&check(&["--no-server-syntax"])), 0);
}
