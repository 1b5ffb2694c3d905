//! Manifests of pods: what is written, what is refused, and the operator's own schema.
//!
//! `HOUSEWRIGHT_BLESS=1 cargo test --test k8s` writes `tests/k8s/ingestion.yaml` anew. With `HOUSEWRIGHT_CHI_CRD=FILE`, the
//! operator's published `CustomResourceDefinition` of a `ClickHouseInstallation`, every manifest is also held against it.

use std::path::Path;

use housewright::fleet::ConnectionDefaults;
use housewright::fleet::load::read;
use housewright::k8s::{Manifest, manifests};
use housewright::problem::Problem;
use housewright::project;
use housewright::render::load::templates;
use serde_json::Value;

const EXPECTED: &str = "tests/k8s/ingestion.yaml";

fn manifests_of(inventory: &Path) -> Result<Vec<Manifest>, Vec<Problem>> {
    let checked = project::check(
        read(inventory, Path::new("roles")),
        templates(Path::new("templates")),
        &ConnectionDefaults::default(),
    )?;
    manifests(&checked.inventory, &checked.fleet, &checked.templates)
}

fn ours() -> Vec<Manifest> {
    manifests_of(Path::new("tests/k8s/inventory")).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

/// The inventory of these tests with a text of one of its files replaced.
fn refused(file: &str, from: &str, to: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("group_vars")).unwrap();
    for name in ["hosts.yml", "group_vars/all.yml", "group_vars/pods_events.yml", "group_vars/pods_late.yml"] {
        let mut text = std::fs::read_to_string(Path::new("tests/k8s/inventory").join(name)).unwrap();
        if name == file {
            assert!(text.contains(from), "{from}");
            text = text.replace(from, to);
        }
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let problems = manifests_of(directory.path()).expect_err(to);
    let told = problems.iter().filter(|problem| problem.code.starts_with("HW06"));
    told.map(|problem| format!("{} {}", problem.code, problem.message)).collect::<Vec<_>>().join("\n")
}

#[test]
fn an_installation_is_written_with_all_that_its_pods_need_and_no_secret() {
    let manifests = ours();
    assert_eq!(manifests.len(), 1);
    let yaml = manifests[0].yaml();
    if std::env::var_os("HOUSEWRIGHT_BLESS").is_some() {
        std::fs::write(EXPECTED, &yaml).unwrap();
    }
    assert_eq!(yaml, std::fs::read_to_string(EXPECTED).unwrap());
    assert_eq!(yaml, ours()[0].yaml(), "equal input, equal bytes");
    let read: Value = serde_yaml::from_str(&yaml).unwrap();
    assert_eq!(read, manifests[0].resource);
    let is_ours = |c: char| ('\u{F8F0}'..='\u{F8FF}').contains(&c);
    assert!(!yaml.contains(is_ours) && !yaml.contains("placeholder"), "{yaml}");
}

#[test]
fn each_key_of_the_secret_says_what_it_holds() {
    let lines: Vec<String> = ours()[0].keys.iter().map(housewright::k8s::SecretKey::line).collect();
    assert_eq!(
        lines,
        [
            "CLUSTER_SECRET: the value of env:CLUSTER_SECRET, escaped as a text of XML",
            "MSK_PASSWORD: the value of exec:pass show msk, escaped as a text of XML",
            "NAMED_COLLECTIONS_WARPSTREAM_INGESTION_KAFKA_SASL_PASSWORD: the value of file:/run/secrets/kafka, escaped as a text of XML",
            "PODS_PASSWORD_SHA256: the SHA-256 of the value of env:PODS_PASSWORD, in hexadecimal",
        ]
    );
}

#[test]
fn what_the_operator_would_refuse_is_refused_here() {
    let events = "group_vars/pods_events.yml";
    for (file, from, to, expected) in [
        (
            events,
            "cluster: events",
            "cluster: ingestion-events",
            "HW0602 `ingestion-events` cannot be a cluster of the operator: it has 16 characters, and the operator takes 15",
        ),
        (
            events,
            "cluster: events",
            "cluster: other",
            "HW0604 the operator calls no pod of `ingestion` and its cluster `other` `chi-ingestion-events-0-0`",
        ),
        (
            events,
            "server:25.8.2",
            "server:latest",
            "HW0605 the image of host `chi-ingestion-events-0-0` is not pinned: `latest` is no version",
        ),
        (
            "hosts.yml",
            "events-[0:1]-0",
            "events-[1:2]-0",
            "HW0606 the operator makes 3 shards of 1, and `chi-ingestion-events-0-0` is not in the inventory",
        ),
        ("hosts.yml", "events-[0:1]-0", "events-[00:01]-0", "HW0604 the operator calls no pod"),
        (
            "hosts.yml",
            "hostClusterRole: events",
            "hostClusterRole: data, shard: 2, replica: \"{{ inventory_hostname }}\"",
            "HW0603 host `chi-ingestion-events-0-0` is a pod, and its role `data` keeps what must not be lost",
        ),
        (
            "group_vars/all.yml",
            "  pods: {",
            "  late: {",
            "HW0602 `late` is a cluster of `clickhouse_clusters` and one of the operator's",
        ),
        (
            "group_vars/all.yml",
            "TZ: UTC",
            "TZ: \"{{ inventory_hostname }}\"",
            "HW0608 `clickhouse_environment` is another file for host",
        ),
    ] {
        let told = refused(file, from, to);
        assert!(told.contains(expected), "{to}: {told}");
    }
}

#[test]
fn the_pods_of_us_east_1_are_one_installation() {
    let manifests = manifests_of(Path::new("inventories/us-east-1")).unwrap();
    let [manifest] = manifests.as_slice() else { panic!("{}", manifests.len()) };
    assert_eq!(
        (manifest.namespace.as_str(), manifest.name.as_str(), manifest.hosts.len()),
        ("clickhouse", "ingestion", 10)
    );
    assert_eq!(manifest.keys.len(), 6);
}

/// Nothing that the API server would drop without a word.
fn closed(schema: &mut Value, top: bool) {
    let Some(map) = schema.as_object_mut() else { return };
    let open = map.contains_key("x-kubernetes-preserve-unknown-fields") || map.contains_key("additionalProperties");
    if map.contains_key("properties") && !open && !top {
        map.insert("additionalProperties".to_owned(), false.into());
    }
    let properties = map.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten();
    properties.for_each(|(_, schema)| closed(schema, false));
    for key in ["items", "additionalProperties"] {
        map.get_mut(key).into_iter().for_each(|schema| closed(schema, false));
    }
}

#[test]
fn the_operators_published_schema_takes_every_manifest() {
    let Some(path) = std::env::var_os("HOUSEWRIGHT_CHI_CRD") else { return };
    let definition: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let versions = definition["spec"]["versions"].as_array().unwrap();
    let version = versions.iter().find(|version| version["name"] == "v1").unwrap();
    let mut schema = version["schema"]["openAPIV3Schema"].clone();
    closed(&mut schema, true);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let all = ours().into_iter().chain(manifests_of(Path::new("inventories/us-east-1")).unwrap());
    for manifest in all {
        let wrong: Vec<String> = validator.iter_errors(&manifest.resource).map(|error| error.to_string()).collect();
        assert_eq!(wrong, Vec::<String>::new());
        // The schema says what our own rules say.
        let mut long = manifest.resource;
        long["spec"]["configuration"]["clusters"][0]["name"] = "ingestion-events".into();
        assert!(!validator.is_valid(&long));
    }
}
