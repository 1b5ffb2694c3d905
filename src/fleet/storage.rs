//! Disks and a storage policy out of one declaration, `clickhouse_storage`, beside those that are written by hand (pure).
//!
//! Only what is declared becomes a policy: a host without the variable keeps what it has.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Vars;
use crate::ground::disks::{RAID_VOLUMES, VolumeWant, read_volumes};
use crate::problem::{Problem, near_name};
use crate::remote::RemotePath;
use crate::size;

/// The variable that declares them.
pub const STORAGE: &str = "clickhouse_storage";
/// The disk that every server has, below its own path.
pub const DEFAULT_DISK: &str = "default";

const DISKS: &str = "clickhouse_disks";
const POLICIES: &str = "clickhouse_storage_policies";
/// Where a server's own path is unless `clickhouse_settings` has another.
const OWN_PATH: &str = "/var/lib/clickhouse";

/// What a server's `storage_configuration` is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Storage {
    /// Disks by name, in ClickHouse's words.
    pub disks: Map<String, Value>,
    /// Policies by name; their volumes are a list.
    pub policies: Map<String, Value>,
    /// Where disks of `clickhouse_storage` lie: the server writes there.
    pub directories: BTreeSet<RemotePath>,
}

impl Storage {
    /// Takes what is written by hand, and adds what follows from `clickhouse_storage` and `raid_volumes`. Nothing follows from
    /// volumes that cannot be read, which is told at their place.
    ///
    /// # Errors
    /// Names what does not fit together.
    pub fn of(vars: &Vars) -> Result<Self, Problem> {
        let map = |name: &str| vars.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
        let mut storage = Self { disks: map(DISKS), policies: map(POLICIES), directories: BTreeSet::new() };
        let declared = map(STORAGE);
        let Some(policy) = declared.get("policy").and_then(Value::as_str) else { return Ok(storage) };
        if storage.policies.contains_key(policy) {
            let message = format!("the storage policy `{policy}` of `{STORAGE}` is in `{POLICIES}` as well");
            return Err(Problem::new("HW0546", message).hint("keep one of the two"));
        }
        let Some(places) = Places::of(vars, &declared) else { return Ok(storage) };
        let (volumes, disks) = places.volumes(&declared, &mut storage)?;
        if policy == DEFAULT_DISK && !disks.contains(DEFAULT_DISK) {
            let message =
                "the storage policy `default` is without the disk `default`, where the parts of most tables lie";
            let hint = "add it to a volume, or give the policy another name and tables `storage_policy = '...'`";
            return Err(Problem::new("HW0545", message).hint(hint));
        }
        let mut value = Map::from_iter([("volumes".to_owned(), Value::Array(volumes))]);
        value.extend(declared.get("move_factor").map(|factor| ("move_factor".to_owned(), factor.clone())));
        storage.policies.insert(policy.to_owned(), Value::Object(value));
        Ok(storage)
    }
}

/// Where disks can be.
struct Places {
    /// Arrays and single devices, at their mount points.
    arrays: Vec<VolumeWant>,
    own: String,
    keep_free: Option<u64>,
}

impl Places {
    fn of(vars: &Vars, declared: &Map<String, Value>) -> Option<Self> {
        let arrays = match vars.get(RAID_VOLUMES).filter(|value| !value.is_null()) {
            Some(value) => read_volumes(value).ok()?,
            None => Vec::new(),
        };
        let own = vars.get("clickhouse_settings").and_then(|settings| settings.get("path")?.as_str());
        let own = trimmed(own.unwrap_or(OWN_PATH)).to_owned();
        Some(Self { arrays, own, keep_free: bytes(declared, "keep_free_space") })
    }

    /// The policy's volumes in ClickHouse's words, and their disks.
    fn volumes(
        &self,
        declared: &Map<String, Value>,
        storage: &mut Storage,
    ) -> Result<(Vec<Value>, BTreeSet<String>), Problem> {
        let all =
            || json!([{ "name": "main", "disks": self.arrays.iter().map(|array| &array.name).collect::<Vec<_>>() }]);
        let written = declared.get("volumes").cloned().unwrap_or_else(all);
        let (mut volumes, mut seen) = (Vec::new(), BTreeSet::new());
        for volume in written.as_array().into_iter().flatten().filter_map(Value::as_object) {
            let name = volume.get("name").and_then(Value::as_str).unwrap_or_default();
            let mut disks = Vec::new();
            for disk in volume.get("disks").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                let disk = self.disk(disk, name, storage)?;
                if !seen.insert(disk.clone()) {
                    let message = format!("the disk `{disk}` stands twice in the volumes of `{STORAGE}`");
                    return Err(Problem::new("HW0546", message).hint("a disk has one place in a policy"));
                }
                disks.push(disk);
            }
            if disks.is_empty() {
                let message = format!("the volume `{name}` of `{STORAGE}` has no disk");
                let hint = "name its `disks`, or declare `raid_volumes` with names and mount points";
                return Err(Problem::new("HW0546", message).hint(hint));
            }
            volumes.push(Value::Object(in_words(name, &disks, volume)));
        }
        Ok((volumes, seen))
    }

    /// The name of a disk, which is added where it is not written by hand.
    fn disk(&self, written: &str, volume: &str, storage: &mut Storage) -> Result<String, Problem> {
        let array = self.arrays.iter().find(|array| array.name == written);
        let (name, path) = match array {
            _ if written != DEFAULT_DISK && storage.disks.contains_key(written) && array.is_none() => {
                return Ok(written.to_owned());
            }
            _ if written == DEFAULT_DISK => (DEFAULT_DISK.to_owned(), None),
            Some(array) => (element(&array.name), Some(array.mount.as_str())),
            None if written.starts_with('/') => (element(trimmed(written)), Some(trimmed(written))),
            None => {
                let message = format!(
                    "the volume `{volume}` of `{STORAGE}` has the disk `{written}`, which is no volume of \
                     `raid_volumes`, no path and not in `{DISKS}`"
                );
                let mut problem = Problem::new("HW0541", message);
                let known = self.arrays.iter().map(|array| array.name.as_str());
                problem.hint =
                    near_name(written, known.chain(storage.disks.keys().map(String::as_str)).chain([DEFAULT_DISK]));
                return Err(problem);
            }
        };
        // What is mounted at the server's own path is the disk that it has anyway.
        let path = path.filter(|path| *path != self.own);
        let name = if path.is_some() { name } else { DEFAULT_DISK.to_owned() };
        let mut disk = storage.disks.get(&name).and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(path) = path {
            disk.entry("path").or_insert_with(|| json!(format!("{path}/")));
            storage.directories.extend(RemotePath::new(path));
            // `default` stays as the server has it.
            disk.extend(self.keep_free.map(|bytes| ("keep_free_space_bytes".to_owned(), json!(bytes))));
        }
        if !disk.is_empty() {
            storage.disks.insert(name.clone(), Value::Object(disk));
        }
        Ok(name)
    }
}

fn in_words(name: &str, disks: &[String], volume: &Map<String, Value>) -> Map<String, Value> {
    let mut words = Map::from_iter([("name".to_owned(), json!(name)), ("disks".to_owned(), json!(disks))]);
    words
        .extend(bytes(volume, "max_data_part_size").map(|bytes| ("max_data_part_size_bytes".to_owned(), json!(bytes))));
    for key in ["load_balancing", "perform_ttl_move_on_insert", "prefer_not_to_merge"] {
        words.extend(volume.get(key).map(|value| (key.to_owned(), value.clone())));
    }
    words
}

fn bytes(map: &Map<String, Value>, key: &str) -> Option<u64> {
    size::bytes(map.get(key)?.as_str()?).ok()
}

fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/')
}

/// A name that an element of the configuration can have.
fn element(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let name: String = text.trim_start_matches('/').chars().map(plain).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn storage(vars: &Value) -> Result<Storage, Problem> {
        let mut all = Vars::default();
        for (name, value) in vars.as_object().unwrap() {
            all.insert(name.clone(), Arc::new(value.clone()));
        }
        Storage::of(&all)
    }

    fn arrays() -> Value {
        json!([
            { "name": "fast", "level": 10, "devices": { "instance_store": true }, "count": 4, "mount": "/var/lib/clickhouse" },
            { "name": "ebs1", "level": "single", "devices": { "ebs": "vol-1" }, "mount": "/mnt/ebs1" },
            { "name": "ebs2", "level": "single", "devices": { "ebs": "vol-2" }, "mount": "/mnt/ebs2" },
        ])
    }

    #[test]
    fn without_a_declaration_nothing_is_derived() {
        assert_eq!(storage(&json!({ "raid_volumes": arrays() })), Ok(Storage::default()));
        let cold = json!({ "clickhouse_disks": { "cold": { "type": "s3" } }, "clickhouse_storage": null });
        assert_eq!(storage(&cold).unwrap().disks.keys().collect::<Vec<_>>(), ["cold"]);
    }

    #[test]
    fn nothing_is_derived_from_volumes_that_cannot_be_read() {
        let vars = json!({ "raid_volumes": [{ "name": "fast" }], "clickhouse_storage": { "policy": "jbod" } });
        assert_eq!(storage(&vars), Ok(Storage::default()));
    }

    #[test]
    fn a_policy_alone_is_a_jbod_of_all_arrays() {
        let found = storage(&json!({ "raid_volumes": arrays(), "clickhouse_storage": { "policy": "jbod" } })).unwrap();
        let disks = json!({ "ebs1": { "path": "/mnt/ebs1/" }, "ebs2": { "path": "/mnt/ebs2/" } });
        assert_eq!(Value::Object(found.disks), disks);
        let volumes = json!({ "jbod": { "volumes": [{ "name": "main", "disks": ["default", "ebs1", "ebs2"] }] } });
        assert_eq!(Value::Object(found.policies), volumes);
        let directories: Vec<_> = found.directories.iter().map(RemotePath::as_str).collect();
        assert_eq!(directories, ["/mnt/ebs1", "/mnt/ebs2"]);
    }

    #[test]
    fn tiers_are_volumes_in_clickhouses_own_words() {
        let found = storage(&json!({
            "raid_volumes": arrays(),
            "clickhouse_disks": { "cold": { "type": "s3", "endpoint": "https://b.s3.amazonaws.com/d/" } },
            "clickhouse_storage": {
                "policy": "tiered", "move_factor": 0.2, "keep_free_space": "10GiB",
                "volumes": [
                    { "name": "hot", "disks": ["fast"], "max_data_part_size": "100GB" },
                    { "name": "warm", "disks": ["ebs1", "/mnt/more"], "load_balancing": "least_used" },
                    { "name": "cold", "disks": ["cold"], "prefer_not_to_merge": true, "perform_ttl_move_on_insert": false },
                ],
            },
        }))
        .unwrap();
        let free = 10_u64 << 30;
        let disks = json!({
            "cold": { "type": "s3", "endpoint": "https://b.s3.amazonaws.com/d/" },
            "ebs1": { "path": "/mnt/ebs1/", "keep_free_space_bytes": free },
            "mnt_more": { "path": "/mnt/more/", "keep_free_space_bytes": free },
        });
        assert_eq!(Value::Object(found.disks), disks);
        let policy = json!({
            "volumes": [
                { "name": "hot", "disks": ["default"], "max_data_part_size_bytes": 100_000_000_000_u64 },
                { "name": "warm", "disks": ["ebs1", "mnt_more"], "load_balancing": "least_used" },
                { "name": "cold", "disks": ["cold"], "perform_ttl_move_on_insert": false, "prefer_not_to_merge": true },
            ],
            "move_factor": 0.2,
        });
        assert_eq!(found.policies["tiered"], policy);
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        let wrong = |declared: Value| {
            let problem = storage(&json!({
                "raid_volumes": arrays(),
                "clickhouse_storage_policies": { "own": { "volumes": [] } },
                "clickhouse_storage": declared,
            }));
            let problem = problem.unwrap_err();
            (problem.code, problem.hint.unwrap_or_default())
        };
        let volume = |disks: &[&str]| json!([{ "name": "main", "disks": disks }]);
        let (code, hint) = wrong(json!({ "policy": "jbod", "volumes": volume(&["ebs11"]) }));
        assert!(code == "HW0541" && hint.contains("`ebs1`"), "{code} {hint}");
        assert_eq!(wrong(json!({ "policy": "default", "volumes": volume(&["ebs1"]) })).0, "HW0545");
        assert_eq!(wrong(json!({ "policy": "own" })).0, "HW0546");
        assert_eq!(wrong(json!({ "policy": "jbod", "volumes": volume(&["fast", "default"]) })).0, "HW0546");
        assert_eq!(wrong(json!({ "policy": "jbod", "volumes": volume(&[]) })).0, "HW0546");
    }
}
