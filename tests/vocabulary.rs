//! The vocabulary: the committed JSON Schemas and the documentation say what the program reads, and so do its readers.
//!
//! `HOUSEWRIGHT_BLESS=1 cargo test --test vocabulary` rewrites `schema/` and `docs/vocabulary.md`.

mod written;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use housewright::discovery::DiscoverySource;
use housewright::problem::Source;
use housewright::report::diagnostic::{Colour, render};
use housewright::vocabulary::{
    APT, CLICKHOUSE, CLUSTER, COMMAND, COORDINATION_NODE, Checked, DEVICES, DIRECTORY, DISK, DocumentKind, EC2_FILE,
    EC2_NOT_READ, FILE, GATE, GROUP, HOOK, HOST_NAME, HTTP, INTERSERVER, KERNEL_FILE, KEYED_GROUP, KUBERNETES, Key,
    MEMBER, Need, PACKAGE, PLACEMENT_TAGS, POLICY, RAID_VOLUME, ROLE, ROLLOUT, Record, STORAGE, STORAGE_VOLUME,
    SYSTEM_USER, Shape, TLS, TRAFFIC_HOOKS, UNIT, USER, VARIABLES, VOLUME, YUM, json_schema,
};
use serde_json::Value;
use written::written;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a file with what the program says, or writes it.
fn is_current(path: &Path, text: &str) {
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    let name = path.strip_prefix(root()).unwrap().display();
    assert!(
        written == text,
        "{name} is stale: run `HOUSEWRIGHT_BLESS=1 cargo test --test vocabulary` and look at the difference"
    );
}

#[test]
fn the_schemas_are_what_the_program_says() {
    for kind in DocumentKind::ALL {
        let path = root().join(format!("schema/{}.schema.json", kind.name()));
        is_current(&path, &format!("{:#}\n", json_schema(kind)));
    }
}

#[test]
fn the_vocabulary_is_documented_as_the_program_reads_it() {
    is_current(&root().join("docs/vocabulary.md"), &vocabulary());
}

fn vocabulary() -> String {
    let mut out = String::from(
        "# Vocabulary\n\n\
         Every key that Housewright reads, made from its own tables: `HOUSEWRIGHT_BLESS=1 cargo test --test vocabulary` rewrites\n\
         this page and the JSON Schemas of [`schema/`](../schema). What it all means together: [inventory.md](inventory.md) and\n\
         [roles.md](roles.md).\n\n\
         An editor checks and completes as you type when the first line of a file names its schema:\n\n\
         ```yaml\n# yaml-language-server: $schema=../../schema/inventory.schema.json\n```\n\n\
         | Kind | Files | Schema |\n|---|---|---|\n",
    );
    for kind in DocumentKind::ALL {
        let name = kind.name();
        let _ = writeln!(out, "| {name} | `{}` | [`{name}.schema.json`](../schema/{name}.schema.json) |", kind.files());
    }
    out.push_str("\n`housewright json-schema KIND` prints one, `housewright json-schema --write DIR` writes them all for a project of your own.\n");
    out.push_str(
        "\n## Variables\n\nAny other variable is for your templates. A name that is nearly one of these gets a note.\n",
    );
    for section in &VARIABLES {
        let _ = write!(out, "\n### {}\n\n{}", section.record.title, section.record.about);
        if section.checked == Checked::ByTemplates {
            out.push_str(" Housewright does not insist on their types.");
        }
        let _ = write!(out, "\n\n{}", table(&section.record));
    }
    let titled: [(&str, &Record); 36] = [
        ("An entry of `clickhouse_clusters`", &CLUSTER),
        ("A member of a cluster", &MEMBER),
        ("An entry of `clickhouse_disks`", &DISK),
        ("An entry of `clickhouse_storage_policies`", &POLICY),
        ("An item of a policy's `volumes`", &VOLUME),
        ("`clickhouse_storage`", &STORAGE),
        ("An item of `volumes` of `clickhouse_storage`", &STORAGE_VOLUME),
        ("`clickhouse_interserver_credentials`", &INTERSERVER),
        ("`clickhouse_tls`", &TLS),
        ("An entry of `clickhouse_users`", &USER),
        ("A group of an inventory file", &GROUP),
        ("`role.yml`", &ROLE),
        ("An item of `directories`", &DIRECTORY),
        ("An item of `files`", &FILE),
        ("An item of `packages`", &PACKAGE),
        ("An item of `users` of a role", &SYSTEM_USER),
        ("An item of `kernel_files`", &KERNEL_FILE),
        ("An item of `commands`", &COMMAND),
        ("An item of `apt_repositories`", &APT),
        ("An item of `yum_repositories`", &YUM),
        ("An item of `units`", &UNIT),
        ("`clickhouse` of a role", &CLICKHOUSE),
        ("An item of `gates`", &GATE),
        ("`rollout`", &ROLLOUT),
        ("`traffic_hooks`", &TRAFFIC_HOOKS),
        ("An item of `drain` or `restore`", &HOOK),
        ("`housewright_http`", &HTTP),
        ("`kubernetes`", &KUBERNETES),
        ("An item of `clickhouse_zookeeper_nodes`", &COORDINATION_NODE),
        ("An item of `raid_volumes`", &RAID_VOLUME),
        ("`devices` of a volume", &DEVICES),
        ("`*.aws_ec2.yml`", &EC2_FILE),
        ("A mapping among `hostnames`", &HOST_NAME),
        ("`placement_tags`", &PLACEMENT_TAGS),
        ("An item of `keyed_groups`", &KEYED_GROUP),
        ("Keys of the plugin that are not read", &EC2_NOT_READ),
    ];
    for (title, record) in titled {
        let _ = write!(out, "\n## {title}\n\n{}\n\n{}", record.about, table(record));
    }
    out
}

fn table(record: &Record) -> String {
    let rows: String = record.keys.iter().map(row).collect();
    format!("| Key | Type | Meaning |\n|---|---|---|\n{rows}")
}

fn row(key: &Key) -> String {
    let need = if key.need == Need::Required { ", required" } else { "" };
    let mut about = key.about.to_owned();
    if let Shape::Choice(choices) = key.shape {
        let words: Vec<String> = choices.iter().map(|choice| format!("`{}`: {}", choice.word, choice.about)).collect();
        let _ = write!(about, " {}.", words.join("; "));
    }
    if let Some(default) = key.default {
        let _ = write!(about, " Default: `{default}`.");
    }
    if let Some(example) = key.examples.first() {
        let _ = write!(about, " Such as `{example}`.");
    }
    let kind = if matches!(key.shape, Shape::Choice(_)) { "one word".to_owned() } else { key.shape.short() };
    format!("| `{}` | {kind}{need} | {} |\n", key.name, about.replace('|', "\\|"))
}

/// A YAML text as an editor reads it: YAML 1.2.
fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// What a schema says about a document, one line for each finding.
fn findings(kind: DocumentKind, document: &Value) -> Vec<String> {
    let schema = json_schema(kind);
    assert!(jsonschema::meta::is_valid(&schema), "{} is no JSON Schema", kind.name());
    let validator = jsonschema::validator_for(&schema).unwrap();
    validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// Which kind of document a file of the repository is.
fn kind_of(path: &Path) -> Option<DocumentKind> {
    let name = path.file_name()?.to_str()?;
    let text = path.to_str()?;
    match name.rsplit_once('.')?.1 {
        "yml" | "yaml" if name.ends_with("aws_ec2.yml") => Some(DocumentKind::AwsEc2),
        "yml" | "yaml" if text.contains("group_vars/") || text.contains("host_vars/") => Some(DocumentKind::Vars),
        "yml" | "yaml" if name == "role.yml" => Some(DocumentKind::Role),
        "yml" | "yaml" if text.contains("inventories/") => Some(DocumentKind::Inventory),
        _ => None,
    }
}

fn documents() -> BTreeMap<PathBuf, DocumentKind> {
    fn walk(directory: &Path, found: &mut BTreeMap<PathBuf, DocumentKind>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if let Some(kind) = kind_of(&path) {
                found.insert(path, kind);
            }
        }
    }
    let mut found = BTreeMap::new();
    for directory in ["inventories", "roles"] {
        walk(&root().join(directory), &mut found);
    }
    found
}

#[test]
fn every_document_of_the_repository_fits_its_schema_and_names_it() {
    let documents = documents();
    assert!(documents.len() > 30, "the documents are read from the project's root");
    for (path, kind) in documents {
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(findings(kind, &yaml(&text)), Vec::<String>::new(), "{}", path.display());
        // A snapshot is written by the program, for any project.
        if path.ends_with("discovered.yml") {
            continue;
        }
        let first = text.lines().next().unwrap_or_default();
        let named = first.strip_prefix("# yaml-language-server: $schema=");
        let named = named.unwrap_or_else(|| panic!("the first line of {} names no schema", path.display()));
        // A link's words are those of the file that it leads to.
        let own = path.canonicalize().unwrap();
        let schema = own.parent().unwrap().join(named).canonicalize().unwrap();
        assert_eq!(schema, root().join(format!("schema/{}.schema.json", kind.name())), "{}", path.display());
    }
}

/// What is wrong, the document, and the code under which Housewright itself reports it.
const WRONG: [(&str, DocumentKind, &str, &str); 25] = [
    ("a key of a group that is none", DocumentKind::Inventory, "all: { host: { d1: } }", "HW0110"),
    (
        "a discovery key that is none",
        DocumentKind::AwsEc2,
        "plugin: aws_ec2\nregions: [us-east-1]\nfilter: {}",
        "HW0120",
    ),
    ("discovery without regions", DocumentKind::AwsEc2, "plugin: aws_ec2", "HW0120"),
    ("a share that is none", DocumentKind::AwsEc2, "plugin: aws_ec2\nregions: [us-east-1]\nmax_shrink: 200%", "HW0120"),
    ("hosts as a list", DocumentKind::Inventory, "all: { hosts: [d1] }", "HW0109"),
    ("a shard that is no number", DocumentKind::Inventory, "all: { hosts: { d1: { shard: one } } }", "HW0303"),
    ("a shard zero", DocumentKind::Vars, "shard: 0", "HW0303"),
    ("a port that does not exist", DocumentKind::Vars, "ansible_port: 99999", "HW0303"),
    ("a list as a text", DocumentKind::Vars, "raid_volumes: nvme1n1", "HW0303"),
    ("a list of mappings", DocumentKind::Vars, "raid_volumes: [{ device: nvme1n1 }]", "HW0303"),
    ("disks by names that move", DocumentKind::Vars, "raid_volumes: [nvme1n1, nvme2n1]", "HW0303"),
    ("a way to reach that is none", DocumentKind::Vars, "housewright_reach: shh", "HW0303"),
    ("a flag with another word", DocumentKind::Vars, "ansible_become: maybe", "HW0303"),
    ("a policy without volumes", DocumentKind::Vars, "clickhouse_storage_policies: { p: { disks: [a] } }", "HW0303"),
    (
        "a volume's disks as a text",
        DocumentKind::Vars,
        "clickhouse_storage_policies: { p: { volumes: [{ name: hot, disks: a }] } }",
        "HW0303",
    ),
    (
        "a key of TLS that is none",
        DocumentKind::Vars,
        "clickhouse_tls: { certificate: /a, key: /b, cert: /c }",
        "HW0303",
    ),
    ("a certificate that is no path", DocumentKind::Vars, "clickhouse_tls: { certificate: a.crt, key: /b }", "HW0303"),
    ("credentials without a password", DocumentKind::Vars, "clickhouse_interserver_credentials: { user: a }", "HW0303"),
    ("a replica with a slash", DocumentKind::Vars, "replica: a/b", "HW0303"),
    (
        "a layout that is none",
        DocumentKind::Vars,
        "clickhouse_clusters: { c: { hosts: all, layout: shardet } }",
        "HW0317",
    ),
    ("a cluster without layout", DocumentKind::Vars, "clickhouse_clusters: { c: { hosts: all } }", "HW0317"),
    (
        "a cluster's key that is none",
        DocumentKind::Vars,
        "clickhouse_clusters: { c: { host: all, hosts: all, layout: single_shard } }",
        "HW0316",
    ),
    (
        "a member without a host",
        DocumentKind::Vars,
        "clickhouse_clusters: { c: { members: [{ port: 9000 }], layout: single_shard } }",
        "HW0317",
    ),
    ("a role's key that is none", DocumentKind::Role, "placement: stateless\nhostClusterRole: x\nunit: []", "HW0202"),
    (
        "an unquoted mode",
        DocumentKind::Role,
        "placement: stateless\nhostClusterRole: x\ndirectories: [{ path: /a, mode: 750 }]",
        "HW0204",
    ),
];

#[test]
fn what_is_wrong_is_wrong_for_editors_and_for_housewright() {
    for (what, kind, text, code) in WRONG {
        assert!(!findings(kind, &yaml(text)).is_empty(), "{what}: the schema of {} takes it", kind.name());
        let one = "all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1 } } }";
        let said = match kind {
            DocumentKind::Inventory => written().hosts(text).said(),
            DocumentKind::Role => written().own_roles().hosts(one).file("roles/x/role.yml", text).said(),
            DocumentKind::Vars => written().hosts(one).group_vars("all.yml", text).said(),
            DocumentKind::AwsEc2 => discovery(text),
        };
        assert!(said.contains(&format!("error[{code}]")), "{what}: no {code} in\n{said}");
    }
}

/// What the reader of discovery files says, without asking EC2.
fn discovery(text: &str) -> String {
    let source = std::sync::Arc::new(Source { name: "fleet.aws_ec2.yml".to_owned(), text: text.to_owned() });
    let mut problems = Vec::new();
    let root = housewright::inventory::yaml::read(&source, &mut problems).unwrap();
    assert!(DiscoverySource::parse(&root, &mut problems).is_none());
    render(&problems, Colour::Plain)
}

/// Forms that operators write and that both must take.
const RIGHT: [&str; 11] = [
    "{ shard: '01', ansible_port: '22', ansible_become: yes, replica: 3 }",
    "{ shard: '{{ groups.data.index(inventory_hostname) + 1 }}', raid_volumes: '{{ disks }}' }",
    "{ clickhouse_clusters: { c: { hosts: [all], layout: single_shard, secret: { from_secret: env:S }, weight: 3, priority: { all: 2 } } } }",
    "{ clickhouse_clusters: { c: { members: ['p-[0:3]:9440', { host: q, port: 9440, secure: true, weight: 0, priority: 2, user: u }], layout: one_shard_per_host } } }",
    "{ raid_volumes: [{ name: data, level: 10, devices: { ebs: vol-0a, min_size: 1T }, count: '4', mount: /d, filesystem: xfs }] }",
    "{ raid_volumes: [{ name: d1, level: single, devices: { by_id: [nvme-x*] }, mount: /d, mount_options: [noatime] }] }",
    "{ anything_else: [1, { a: b }], clickhouse_settings: { logger: { level: information } } }",
    "{ clickhouse_named_collections: { msk: { kafka_broker_list: 'a:9092', kafka_sasl_password: { from_secret: env:P } } } }",
    "{ clickhouse_tls: { certificate: /a, key: /b, verify_clients: strict }, clickhouse_https_port: '8443', clickhouse_cluster: }",
    "{ clickhouse_users: { m: { password: { from_secret: env:P }, networks: [10.0.0.0/8], access_management: yes }, n: { networks: { host: a } } } }",
    "",
];

#[test]
fn every_right_form_fits_the_schema() {
    for text in RIGHT {
        assert_eq!(findings(DocumentKind::Vars, &yaml(text)), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn every_default_and_example_fits_its_own_schema() {
    for kind in DocumentKind::ALL {
        let schema = json_schema(kind);
        let mut checked = 0;
        walk(&schema, &schema["$defs"], &mut checked);
        assert!(checked > 5, "{}: {checked}", kind.name());
    }

    fn walk(schema: &Value, defs: &Value, checked: &mut usize) {
        let values = schema["examples"].as_array().into_iter().flatten().chain(schema.get("default"));
        for value in values {
            let mut own = schema.clone();
            if defs.is_object() {
                own["$defs"] = defs.clone();
            }
            let validator = jsonschema::validator_for(&own).unwrap();
            assert!(validator.is_valid(value), "{value} does not fit {}", schema["description"]);
            *checked += 1;
        }
        let inner =
            schema.as_object().into_iter().flatten().filter(|(name, _)| *name != "examples" && *name != "default");
        for (_, value) in inner {
            match value {
                Value::Array(items) => items.iter().for_each(|item| walk(item, defs, checked)),
                Value::Object(_) => walk(value, defs, checked),
                _ => {}
            }
        }
    }
}

/// What the server would only say at its next start.
#[test]
fn what_a_server_is_made_of_fits_together() {
    let one = "all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1 } } }";
    let clusters = "clickhouse_clusters: { posthog: { hosts: d1, layout: sharded } }\n";
    for (vars, expected) in [
        ("clickhouse_cluster: posthg", "error[HW0540]: `clickhouse_cluster` is `posthg`, but no cluster is called so"),
        (
            "clickhouse_storage_policies: { p: { volumes: [{ name: v, disks: [default, clod] }] } }\nclickhouse_disks: { cold: { type: s3 } }",
            "error[HW0541]: the storage policy `p` has the disk `clod`",
        ),
        ("clickhouse_https_port: 8443", "error[HW0542]: `clickhouse_https_port` needs a certificate"),
        (
            "clickhouse_named_collections: { msk: { kafka_sasl_password: { '@from_env': MSK } } }",
            "note[HW0543]: `clickhouse_named_collections` takes `MSK` from the server's environment",
        ),
        (
            "clickhouse_storage: { policy: jbod, volumes: [{ name: main, disks: [dat] }] }\nraid_volumes: [{ name: data, level: single, devices: { instance_store: true }, mount: /data }]",
            "error[HW0541]: the volume `main` of `clickhouse_storage` has the disk `dat`, which is no volume of `raid_volumes`",
        ),
        (
            "clickhouse_storage: { policy: default, volumes: [{ name: main, disks: [/data] }] }",
            "error[HW0545]: the storage policy `default` is without the disk `default`",
        ),
        (
            "clickhouse_storage: { policy: jbod }",
            "error[HW0546]: the volume `main` of `clickhouse_storage` has no disk",
        ),
        (
            "clickhouse_disks: { cold: { type: s3, secret_access_key: hunter2 } }",
            "error[HW0547]: the disk `cold` has its secret key in the open",
        ),
        ("clickhouse_macros: { generation: mine }", "error[HW0544]: the macro `generation` is Housewright's"),
    ] {
        let said = written().hosts(one).group_vars("all.yml", &format!("{clusters}{vars}")).said();
        assert!(said.contains(expected), "{said}");
        assert!(said.contains("group_vars/all.yml:2:"), "it has a place: {said}");
    }
    let right = "clickhouse_cluster: posthog\nclickhouse_storage_policies: { p: { volumes: [{ name: v, disks: [default] }] } }\n\
                 clickhouse_tls: { certificate: /a, key: /b }\nclickhouse_https_port: 8443\n\
                 clickhouse_environment: { MSK: a }\nclickhouse_kafka: { a: { '@from_env': MSK } }";
    let said = written().hosts(one).group_vars("all.yml", &format!("{clusters}{right}")).said();
    assert!(!said.contains("HW054"), "{said}");
}
