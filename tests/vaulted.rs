//! Vaulted values and files, and commands that print secrets: what is read, what is said when they cannot be, and that no
//! output ever holds one.

mod written;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use housewright::fleet::ConnectionDefaults;
use housewright::fleet::load::read;
use housewright::inventory::Inventory;
use housewright::problem::Problem;
use housewright::render::secrets_of;
use housewright::reveal::{self, Ask, PasswordSource, Passwords};
use housewright::secret::SecretRef;
use insta::assert_snapshot;
use written::{Written, written};

/// Encrypted by `ansible-vault` with the password `hunter2`; 1.2 names the vault id `prod` and has `pässword two`.
const VAULT_1_1: &str = include_str!("vault/default.vault");
const VAULT_1_2: &str = include_str!("vault/prod.vault");

const HOSTS: &str = "all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1 } } }";
/// A fleet whose secrets all begin with `plaintext-of-`.
const STORY: &str = "tests/fleets/a_vaulted_secret_is_put_right_and_never_shown/inventory";

/// `key: !vault |` with a text.
fn value(key: &str, text: &str) -> String {
    format!("{key}: !vault |\n  {}\n", text.trim_end().replace('\n', "\n  "))
}

/// Reads the inventory with the passwords `label=password`, and then every vaulted value; says what is wrong.
fn read_with(written: &Written, passwords: &[&str]) -> Result<Vec<String>, String> {
    let files = tempfile::tempdir().unwrap();
    let sources = passwords.iter().map(|password| {
        let (label, password) = password.split_once('=').unwrap();
        let path = files.path().join(label);
        fs::write(&path, password).unwrap();
        PasswordSource::parse(&format!("{label}@{}", path.display()))
    });
    let passwords = Passwords::new(sources.collect(), Ask::Never);
    let shown = |problems: Vec<Problem>| written.shown(&problems);
    let mut read = read(&written.path(), Path::new("roles"));
    reveal::open_files(&mut read.documents, &passwords, &mut read.problems);
    let loaded = read.resolve(&ConnectionDefaults::default()).map_err(shown)?;
    let wanted = vaults(&loaded.inventory);
    let store = reveal::values(&wanted, &loaded.inventory, &passwords).map_err(shown)?;
    assert!(secrets_of(&loaded.fleet).is_superset(&wanted), "every value that a host has is found by its marker");
    let value = |reference| format!("{reference} {}", store.get(reference).unwrap().expose());
    let path = written.path().display().to_string();
    Ok(wanted.iter().map(value).map(|line| line.replace(&path, "")).collect())
}

fn vaults(inventory: &Inventory) -> std::collections::BTreeSet<SecretRef> {
    inventory.vaulted().into_keys().map(SecretRef::Vault).collect()
}

#[test]
fn values_of_both_formats_are_read() {
    let text = value("one", VAULT_1_1) + &value("other", VAULT_1_2).replace("!vault", "!vault-encrypted");
    let one_line = VAULT_1_1.trim_end().replace('\n', "\\n");
    let json =
        format!(r#"{{ "a": {{ "__ansible_vault": "{one_line}" }}, "b": [{{ "__ansible_vault": "{one_line}" }}] }}"#);
    let written = written().hosts(HOSTS).group_vars("all.yml", &text).file("host_vars/d1.json", json);
    let passwords = ["default=hunter2", "prod=pässword two"];
    assert_snapshot!(read_with(&written, &passwords).unwrap().join("\n"), @r"
    vault:group_vars/all.yml:2 plaintext of the vault
    vault:group_vars/all.yml:9 zwei ü
    vault:host_vars/d1.json:1 plaintext of the vault
    vault:host_vars/d1.json:1:485 plaintext of the vault
    ");
}

#[test]
fn a_value_without_its_password_stops_only_what_needs_it() {
    let all = value("one", VAULT_1_1) + &value("other", VAULT_1_2);
    assert_eq!(written().hosts(HOSTS).group_vars("all.yml", &all).said(), "", "a check needs no password");
    let written = written().hosts(HOSTS).group_vars("all.yml", &all);
    assert_snapshot!(read_with(&written, &[]).unwrap_err(), @r"
    error[HW0131]: secret `vault:group_vars/all.yml:2`: no vault password is given (and 1 more need one)
     --> group_vars/all.yml:2:3
      |
    2 |   $ANSIBLE_VAULT;1.1;AES256
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give it: `--vault-password-file FILE`, `--vault-id LABEL@FILE`, `--ask-vault-pass`, or ANSIBLE_VAULT_PASSWORD_FILE
    ");
    assert_snapshot!(read_with(&written, &["prod=hunter3", "default=hunter2"]).unwrap_err(), @r"
    error[HW0132]: secret `vault:group_vars/all.yml:9`: no password opens this vault of the vault id `prod`, or it was changed; tried: `prod`, `default`
     --> group_vars/all.yml:9:3
      |
    9 |   $ANSIBLE_VAULT;1.2;AES256;prod
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: name its password: `--vault-id prod@FILE`
    ");
    assert_snapshot!(read_with(&written, &["default=hunter3"]).unwrap_err(), @r"
    error[HW0132]: secret `vault:group_vars/all.yml:2`: no password opens this vault, or it was changed; tried: `default`
     --> group_vars/all.yml:2:3
      |
    2 |   $ANSIBLE_VAULT;1.1;AES256
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^

    error[HW0132]: secret `vault:group_vars/all.yml:9`: no password opens this vault of the vault id `prod`, or it was changed; tried: `default`
     --> group_vars/all.yml:9:3
      |
    9 |   $ANSIBLE_VAULT;1.2;AES256;prod
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: name its password: `--vault-id prod@FILE`
    ");
}

#[test]
fn what_is_no_vaulted_text_is_not_repeated() {
    let damaged = VAULT_1_1.replace("AES256", "AES");
    let text = format!(
        "a: !vault hunter2\nb: !vault {{ c: d }}\n{}{}",
        value("e", &damaged),
        value("f", "$ANSIBLE_VAULT;1.1;AES256\nhunter2")
    );
    assert_snapshot!(written().hosts(HOSTS).group_vars("all.yml", &text).said(), @r"
    error[HW0130]: this is no vaulted text: it does not begin with `$ANSIBLE_VAULT`
     --> group_vars/all.yml:1:11
      |
    1 | a: !vault ***
      |           ^^^
      |
      = help: `ansible-vault encrypt_string` and `ansible-vault encrypt` write them

    error[HW0130]: this is no vaulted text: it does not begin with `$ANSIBLE_VAULT`
     --> group_vars/all.yml:2:11
      |
    2 | b: !vault ***
      |           ^^^
      |
      = help: `ansible-vault encrypt_string` and `ansible-vault encrypt` write them

    error[HW0130]: this is no vaulted text: its cipher `AES` is not known: AES256 is
     --> group_vars/all.yml:4:3
      |
    4 |   ***
      |   ^^^
      |
      = help: `ansible-vault encrypt_string` and `ansible-vault encrypt` write them

    error[HW0130]: this is no vaulted text: it is damaged: what follows the first line is not hexadecimal
      --> group_vars/all.yml:11:3
       |
    11 |   ***
       |   ^^^
       |
       = help: `ansible-vault encrypt_string` and `ansible-vault encrypt` write them
    ");
}

#[test]
fn an_operator_cannot_name_a_vaulted_value() {
    let text = value("one", VAULT_1_1) + "two: { from_secret: \"vault:group_vars/all.yml:2\" }\n";
    assert_snapshot!(written().hosts(HOSTS).group_vars("all.yml", &text).said(), @r"
    error[HW0108]: `from_secret` takes `env:NAME`, `file:PATH` or `exec:COMMAND`, never the secret itself
     --> group_vars/all.yml:8:21
      |
    8 | two: { from_secret: ***
      |                     ^^^
    ");
    let marker = "three: \"\\uF8F0env:HOME\\uF8F1\"\n";
    let fleet = written().hosts(HOSTS).group_vars("all.yml", marker).fleet();
    assert_eq!(
        secrets_of(&fleet),
        std::collections::BTreeSet::new(),
        "nor any other secret by the characters of a marker"
    );
}

#[test]
fn a_vaulted_inventory_file_has_hosts_and_secrets() {
    let written = written()
        .file("hosts", vaulted("hosts"))
        .group_vars("data.yml", "{ hostClusterRole: data, shard: 1, replica: 1 }");
    assert_snapshot!(read_with(&written, &["default=hunter2"]).unwrap().join("\n"), @r"
    vault:hosts:d1.key.a 1
    vault:hosts:d1.token plaintext
    vault:hosts:data.list[0] plaintext
    vault:hosts:data.list[1] 2
    ");
}

/// The files that `ansible-vault` encrypted for these tests.
fn vaulted(name: &str) -> String {
    fs::read_to_string(format!("tests/vault/{name}")).unwrap()
}

#[test]
fn a_vaulted_file_is_read_and_its_values_are_secrets() {
    let written =
        written().hosts(HOSTS).group_vars("all/vault.yml", &vaulted("vars.yml")).group_vars("all/plain.yml", "c: 1");
    assert_snapshot!(read_with(&written, &["default=hunter2"]).unwrap().join("\n"), @r"
    vault:group_vars/all/vault.yml:a plaintext one
    vault:group_vars/all/vault.yml:b.c[0] 1
    vault:group_vars/all/vault.yml:b.c[1] true
    vault:group_vars/all/vault.yml:b.c[3] plaintext two
    vault:group_vars/all/vault.yml:b.d|e 1.5
    ");
    assert_snapshot!(read_with(&written, &[]).unwrap_err(), @r"
    error[HW0131]: this file: no vault password is given
     --> group_vars/all/vault.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: give it: `--vault-password-file FILE`, `--vault-id LABEL@FILE`, `--ask-vault-pass`, or ANSIBLE_VAULT_PASSWORD_FILE
    ");
    assert_snapshot!(read_with(&written, &["default=hunter3"]).unwrap_err(), @r"
    error[HW0132]: this file: no password opens this vault, or it was changed; tried: `default`
     --> group_vars/all/vault.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn what_must_be_plain_is_named() {
    let written = written().hosts(HOSTS).group_vars("all.yml", &vaulted("connection.yml"));
    assert_snapshot!(read_with(&written, &["default=hunter2"]).unwrap_err(), @r"
    error[HW0134]: `ansible_host` holds the secret `vault:group_vars/all.yml:ansible_host`, but Housewright itself reads it
     --> group_vars/all.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write it as a plain value, in a file that is not vaulted

    error[HW0134]: `shard` holds the secret `vault:group_vars/all.yml:shard`, but Housewright itself reads it
     --> group_vars/all.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write it as a plain value, in a file that is not vaulted
    ");
}

#[test]
fn an_expression_in_a_vaulted_file_is_named() {
    let written = written().hosts(HOSTS).group_vars("all.yml", &vaulted("expression.yml"));
    assert_snapshot!(read_with(&written, &["default=hunter2"]).unwrap_err(), @r"
    error[HW0135]: `b[0].c` in a vaulted file refers to other variables
     --> group_vars/all.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: write the expression in a plain file, and only the secret itself in this one
    ");
}

#[test]
fn a_decrypted_text_is_never_quoted() {
    let written =
        written().hosts(HOSTS).group_vars("all.yml", &vaulted("wrong.yml")).group_vars("ungrouped", &vaulted("text"));
    let said = read_with(&written, &["default=hunter2"]).unwrap_err();
    assert!(!said.contains("plaintext"), "{said}");
    assert_snapshot!(said, @r"
    error[HW0135]: a tag that is not known, at 3:15 of the decrypted text
     --> group_vars/all.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `ansible-vault edit` opens the file

    error[HW0135]: a value that is no vaulted text, at 4:11 of the decrypted text
     --> group_vars/all.yml:1:1
      |
    1 | ***
      | ^^^
      |
      = help: `ansible-vault edit` opens the file

    error[HW0135]: the key `a` stands twice in this mapping, at 2:1 of the decrypted text
     --> group_vars/all.yml:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `ansible-vault edit` opens the file

    error[HW0135]: not YAML, or not one document, at 1:12 of the decrypted text
     --> group_vars/ungrouped:1:1
      |
    1 | $ANSIBLE_VAULT;1.1;AES256
      | ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: `ansible-vault edit` opens the file
    ");
}

fn housewright(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
    for name in
        ["HOUSEWRIGHT_INVENTORY", "HOUSEWRIGHT_PROJECT", "ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_VAULT_IDENTITY_LIST"]
    {
        command.env_remove(name);
    }
    command.env("CLUSTER_SECRET", "plaintext-of-the-environment").stdin(Stdio::null());
    command.args(["-i", STORY, "--project", "."]).args(args).output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn no_output_holds_a_vaulted_value() {
    let password = format!("--vault-password-file={STORY}/.vault_password");
    let saved = tempfile::tempdir().unwrap();
    let (plan, files) = (saved.path().join("plan.json"), saved.path().join("files"));
    let (plan, files) = (plan.to_str().unwrap(), files.to_str().unwrap());
    for (args, code) in [
        (&["check"][..], 0),
        (&["check", "-o", "json"], 0),
        (&["inventory"], 0),
        (&["inventory", "--list"], 0),
        (&["inventory", "--list", "-o", "yaml"], 0),
        (&["inventory", "--graph"], 0),
        (&["inventory", "--explain", "data-1-a"], 0),
        (&["inventory", "--explain", "data-1-a.clickhouse_users"], 0),
        (&["inventory", "--explain", "data-1-a.vault_metrics_password"], 0),
        (&["inventory", "-o", "json"], 0),
        (&["inventory", "--host", "data-1-a"], 0),
        (&["inventory", "--host", "data-1-a", "-o", "json"], 0),
        (&["render"], 0),
        (&["render", "-o", "json"], 0),
        (&["render", "--to", files], 0),
        // Nothing answers there: hosts are not reached, after every secret was read.
        (&["plan", "--out", plan], 5),
        (&["plan", "-o", "json"], 5),
        (&["facts"], 5),
        (&["status"], 3),
    ] {
        let args: Vec<&str> = args.iter().copied().chain([password.as_str()]).collect();
        let output = housewright(&args);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", text(&output));
        assert!(!text(&output).contains("plaintext-of-"), "{args:?}: {}", text(&output));
        assert!(!text(&output).contains(['\u{F8F0}', '\u{F8F1}']), "{args:?}: {}", text(&output));
    }
    assert!(!fs::read_to_string(plan).unwrap().contains("plaintext-of-"));
    let users = fs::read_to_string(format!("{files}/data-1-a/etc/clickhouse-server/users.d/users.xml")).unwrap();
    let masked = "‹sha256 of vault:group_vars/data/vault.yml:vault_metrics_password›";
    assert!(users.contains(&format!("<password_sha256_hex>{masked}</password_sha256_hex>")), "{users}");
}

#[test]
fn a_list_has_the_encrypted_text_as_ansible_has_it() {
    let password = format!("--vault-password-file={STORY}/.vault_password");
    let listed = |form: &str| {
        let output = housewright(&["inventory", "--list", "-o", form, &password]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        assert!(!text(&output).contains("plaintext-of-"), "{}", text(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let main = fs::read_to_string(format!("{STORY}/group_vars/all/main.yml")).unwrap();
    let written: serde_yaml::Value = serde_yaml::from_str(&main.replace("!vault", "")).unwrap();
    let encrypted = written["clickhouse_clusters"]["posthog"]["secret"].as_str().unwrap();
    let json: serde_json::Value = serde_json::from_str(&listed("json")).unwrap();
    let vars = &json["_meta"]["hostvars"]["data-1-a"];
    assert_eq!(vars["clickhouse_clusters"]["posthog"]["secret"]["__ansible_vault"], encrypted);
    let yaml = listed("yaml");
    assert_eq!(yaml.matches("secret: !vault |\n").count(), 3, "{yaml}");
    let again: serde_yaml::Value = serde_yaml::from_str(&yaml.replace("!vault", "")).unwrap();
    let host = &again["all"]["children"]["data"]["hosts"]["data-1-a"];
    assert_eq!(host["clickhouse_clusters"]["posthog"]["secret"].as_str().unwrap(), encrypted);
}

#[test]
fn the_file_is_opened_by_any_of_ansibles_ways() {
    let missing = housewright(&["check"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        text(&missing).contains("HW0131") && text(&missing).contains("--vault-password-file"),
        "{}",
        text(&missing)
    );
    let file = format!("{STORY}/.vault_password");
    let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
    command.args(["check", "-i", STORY, "--project", "."]).stdin(Stdio::null());
    for (name, value) in [
        ("ANSIBLE_VAULT_PASSWORD_FILE", file.clone()),
        ("ANSIBLE_VAULT_IDENTITY_LIST", format!("dev@Cargo.toml, prod@{file}")),
    ] {
        let output = command.env_clear().env(name, value).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}: {}", text(&output));
    }
    let asked = housewright(&["check", "--vault-id", &format!("prod@{file}")]);
    assert_eq!(asked.status.code(), Some(0), "{}", text(&asked));
}

#[test]
fn a_prompt_without_a_terminal_is_an_error_and_takes_no_pipe() {
    let mut command = Command::new("setsid");
    command.args([env!("CARGO_BIN_EXE_housewright"), "check", "-i", STORY, "--project", ".", "--ask-vault-pass"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"the vault password\n").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output).contains("HW0133") && text(&output).contains("nobody can be asked"), "{}", text(&output));
}

#[test]
fn commands_that_fail_or_hang_are_told() {
    let told = |written: Written, timeout: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_housewright"));
        command.arg("plan").arg("-i").arg(written.path()).env("HOUSEWRIGHT_EXEC_TIMEOUT", timeout);
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        text(&output)
    };
    let secrets = |commands: &[&str]| {
        let lines = commands.iter().enumerate().map(|(at, command)| format!("v{at}: {{ from_secret: '{command}' }}\n"));
        let role = "placement: storage\nhostClusterRole: data\nunits: [{ name: a }]\nclickhouse: { unit: a }\n";
        let written = written().hosts(HOSTS).group_vars("all.yml", &lines.collect::<String>());
        written.file("roles/data/role.yml", role).file("../templates/a.tera", "")
    };
    let failing = [
        "exec:sh -c \"echo plaintext; echo cannot decrypt plaintext >&2; exit 2\"",
        "exec:sh -c \"echo no key for f.yml >&2; exit 2\"",
        "exec:no-such-command-here",
        "exec:true",
        "exec:printf \"\\\\377\"",
        "exec:echo \"a",
    ];
    let said = told(secrets(&failing), "30");
    assert_snapshot!(said, @r#"
    error[HW0509]: secret `exec:echo "a`: the command has an open quotation mark

    error[HW0509]: secret `exec:no-such-command-here`: cannot run `no-such-command-here`: No such file or directory (os error 2)

    error[HW0509]: secret `exec:printf "\\377"`: its output is not UTF-8

    error[HW0509]: secret `exec:sh -c "echo no key for f.yml >&2; exit 2"`: the command failed (exit status: 2): no key for f.yml

    error[HW0509]: secret `exec:sh -c "echo plaintext; echo cannot decrypt plaintext >&2; exit 2"`: the command failed (exit status: 2)

    error[HW0509]: secret `exec:true`: it is empty

    error: 6 problems
    "#);
    let started = Instant::now();
    let said = told(secrets(&["exec:sleep 20", "exec:sleep 21", "exec:sleep 22"]), "1");
    assert_eq!(said.matches("it took more than 1 s").count(), 3, "{said}");
    assert!(started.elapsed() < Duration::from_secs(10), "they run side by side: {:?}", started.elapsed());
}
