//! What the operator's custom resource takes (pure): checked here, before its API server is asked.
//!
//! From its published schema, release 0.25.6:
//! <https://github.com/Altinity/clickhouse-operator/blob/0.25.6/deploy/helm/clickhouse-operator/crds/CustomResourceDefinition-clickhouseinstallations.clickhouse.altinity.com.yaml>.

/// `spec.configuration.clusters[].name`: `maxLength: 15`, `pattern: ^[a-zA-Z0-9-]{0,15}$`.
const LONGEST_CLUSTER: usize = 15;

/// Of a StatefulSet: behind its name come `-` and ten digits of a hash, and the whole is a label of at most 63 characters
/// (<https://github.com/kubernetes/kubernetes/issues/64023>).
const LONGEST_HOST: usize = 52;

/// Clusters that the operator writes itself: <https://github.com/Altinity/clickhouse-operator/blob/0.25.6/pkg/model/chi/config/generator.go>.
const OPERATORS_OWN: [&str; 3] = ["all-replicated", "all-sharded", "all-clusters"];

/// Says why a name cannot be that of a cluster of the operator.
pub(super) fn cluster_name(name: &str) -> Result<(), String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let length = name.chars().count();
    if length > LONGEST_CLUSTER {
        return Err(format!("it has {length} characters, and the operator takes {LONGEST_CLUSTER}"));
    }
    if name.is_empty() || !name.chars().all(plain) {
        return Err("the operator takes letters, digits and `-`".to_owned());
    }
    // It becomes a part of names of DNS.
    if name.chars().any(|c| c.is_ascii_uppercase()) || name.starts_with('-') || name.ends_with('-') {
        return Err("a name of DNS is made of it: small letters, digits, and `-` between them".to_owned());
    }
    if OPERATORS_OWN.contains(&name) {
        return Err("the operator has a cluster of this name of its own".to_owned());
    }
    Ok(())
}

/// Says why a host cannot have its name.
pub(super) fn host_name(name: &str) -> Result<(), String> {
    match name.len() {
        length if length > LONGEST_HOST => Err(format!(
            "it has {length} characters, and pods of a StatefulSet of more than {LONGEST_HOST} are not made"
        )),
        _ => Ok(()),
    }
}

/// Says why an image may be another one tomorrow.
pub(super) fn image(image: &str) -> Result<(), String> {
    if image.contains("@sha256:") {
        return Ok(());
    }
    let last = image.rsplit('/').next().unwrap_or_default();
    match last.split_once(':') {
        Some((_, version)) if version.starts_with(|c: char| c.is_ascii_digit()) => Ok(()),
        Some((_, tag)) => Err(format!("`{tag}` is no version")),
        None => Err("it has no version".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_the_published_schema_takes_them() {
        assert_eq!(cluster_name("events"), Ok(()));
        assert_eq!(cluster_name("a-fifteen-chars"), Ok(()));
        let long = cluster_name("ingestion-events").unwrap_err();
        assert_eq!(long, "it has 16 characters, and the operator takes 15");
        for name in ["", "a_b", "ä", "Events", "-a", "a-", "all-sharded"] {
            assert!(cluster_name(name).is_err(), "{name}");
        }
        assert_eq!(host_name(&"a".repeat(52)), Ok(()));
        assert!(host_name(&"a".repeat(53)).is_err());
    }

    #[test]
    fn an_image_has_a_version() {
        let digest = format!("registry:5000/ch@sha256:{}", "0".repeat(64));
        for pinned in ["clickhouse/clickhouse-server:25.8.2", "registry:5000/ch:25.8", digest.as_str()] {
            assert_eq!(image(pinned), Ok(()), "{pinned}");
        }
        for moving in ["clickhouse/clickhouse-server", "registry:5000/ch", "ch:latest", "ch:head-alpine", ""] {
            assert!(image(moving).is_err(), "{moving}");
        }
    }
}
