//! An installation as YAML for the API server, and what must be there before it is (pure).
//!
//! Equal input gives equal bytes.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Value, json};

use super::files::Files;
use super::key::{KeyForm, SecretKey};
use super::{Cluster, Installation};
use crate::fleet::HostName;

/// One manifest.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its pods.
    pub hosts: BTreeSet<HostName>,
    /// The Kubernetes Secret that must be there first, where the pods need one.
    pub secret: Option<String>,
    /// The keys that it must have.
    pub keys: Vec<SecretKey>,
    /// Files of the role that no server reads, and that pods do not get.
    pub left_out: Vec<String>,
    /// The resource.
    pub resource: Value,
}

/// Of a pod that goes: what its server lets running queries have, and a little more to stop.
const LAST_WORDS: u64 = 30;
/// As `clickhouse_stop_wait` where the inventory does not say.
const STOP_WAIT: u64 = 60;

impl Manifest {
    pub(super) fn new(installation: &Installation<'_>, files: Files) -> Self {
        let secret = installation.clusters.values().next().map(|cluster| cluster.secret.clone());
        let clusters: Vec<Value> = installation.clusters.iter().map(|(name, of)| cluster(name, of)).collect();
        let pods: Vec<Value> =
            installation.clusters.iter().map(|(name, of)| pod(&installation.name, name, of, &files)).collect();
        let disks: Vec<Value> = installation.clusters.iter().map(|(name, of)| disk(name, of)).collect();
        let resource = json!({
            "apiVersion": "clickhouse.altinity.com/v1",
            "kind": "ClickHouseInstallation",
            "metadata": {
                "name": installation.name,
                "namespace": installation.namespace,
                "labels": { "app.kubernetes.io/managed-by": "housewright" },
            },
            "spec": {
                "configuration": { "clusters": clusters, "files": files.texts },
                "templates": { "podTemplates": pods, "volumeClaimTemplates": disks },
            },
        });
        Self {
            namespace: installation.namespace.clone(),
            name: installation.name.clone(),
            hosts: installation
                .clusters
                .values()
                .flat_map(|of| of.hosts.values())
                .map(|host| host.name.clone())
                .collect(),
            secret: secret.filter(|_| !files.keys.is_empty()),
            keys: files.keys.into_values().collect(),
            left_out: files.left_out.into_iter().collect(),
            resource,
        }
    }

    /// The YAML; what must be there first stands before it as a comment.
    #[must_use]
    pub fn yaml(&self) -> String {
        let mut out = "# Rendered by Housewright: changes made here are overwritten.\n".to_owned();
        if let Some(secret) = &self.secret {
            let _ = writeln!(
                out,
                "# The Secret `{secret}` of the namespace `{}` must be there first, with the keys:",
                self.namespace
            );
            for key in &self.keys {
                let _ = writeln!(out, "#   {}", key.line());
            }
        }
        // A value of JSON is one of YAML: no key of it is anything but a text.
        out + &serde_yaml::to_string(&self.resource).unwrap_or_default()
    }
}

impl SecretKey {
    /// `NAME: what it holds`, on one line.
    #[must_use]
    pub fn line(&self) -> String {
        let of: String = self.of.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        match self.form {
            KeyForm::Value => format!("{}: the value of {of}, escaped as a text of XML", self.name),
            KeyForm::Sha256 => format!("{}: the SHA-256 of the value of {of}, in hexadecimal", self.name),
        }
    }
}

/// Housewright makes the schema: the operator copies none.
fn cluster(name: &str, cluster: &Cluster<'_>) -> Value {
    json!({
        "name": name,
        "templates": { "podTemplate": name, "dataVolumeClaimTemplate": name },
        "schemaPolicy": { "replica": "None", "shard": "None" },
        "layout": { "shardsCount": cluster.shards, "replicasCount": cluster.replicas },
    })
}

/// A small disk that goes with its pod: nothing on it is worth keeping.
fn disk(name: &str, cluster: &Cluster<'_>) -> Value {
    let mut spec = json!({
        "accessModes": ["ReadWriteOnce"],
        "resources": { "requests": { "storage": cluster.cache_size } },
    });
    if let (Some(class), Some(spec)) = (&cluster.storage_class, spec.as_object_mut()) {
        spec.insert("storageClassName".to_owned(), class.as_str().into());
    }
    json!({ "name": name, "reclaimPolicy": "Delete", "spec": spec })
}

fn pod(installation: &str, name: &str, cluster: &Cluster<'_>, files: &Files) -> Value {
    let plain = files.plain.iter().map(|(name, value)| json!({ "name": name, "value": value }));
    let from = |key: &String| json!({ "secretKeyRef": { "name": cluster.secret, "key": key } });
    let secret = files.keys.keys().map(|key| json!({ "name": key, "valueFrom": from(key) }));
    let mut env: Vec<Value> = plain.chain(secret).collect();
    env.sort_by_key(|entry| entry["name"].as_str().map(str::to_owned));
    let ping = json!({ "path": "/ping", "port": "http" });
    let mut container = json!({
        // The operator knows its container by this name.
        "name": "clickhouse",
        "image": cluster.image,
        "env": env,
        "livenessProbe": { "httpGet": ping, "initialDelaySeconds": 60, "periodSeconds": 3, "failureThreshold": 10 },
        "readinessProbe": { "httpGet": ping, "initialDelaySeconds": 10, "periodSeconds": 3 },
    });
    if let (Some(resources), Some(container)) = (&cluster.resources, container.as_object_mut()) {
        container.insert("resources".to_owned(), resources.clone());
    }
    // The operator's labels of its pods.
    let alike = json!({ "matchLabels": {
        "clickhouse.altinity.com/chi": installation,
        "clickhouse.altinity.com/cluster": name,
    } });
    let spread = |key: &str| json!({ "maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": alike });
    let waits = cluster.hosts.values().filter_map(|host| host.vars.get("clickhouse_stop_wait")?.as_u64()).max();
    json!({
        "name": name,
        "spec": {
            "terminationGracePeriodSeconds": waits.unwrap_or(STOP_WAIT) + LAST_WORDS,
            "topologySpreadConstraints": [spread("topology.kubernetes.io/zone"), spread("kubernetes.io/hostname")],
            "containers": [container],
        },
    })
}
