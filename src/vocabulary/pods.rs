//! Hosts that are pods: how their ClickHouse is asked, and what their operator is told (pure).

use super::shape::{Key, Others, Record, Shape};

/// A label of DNS: Kubernetes takes no other name for a namespace or an installation.
const LABEL: Shape =
    Shape::Ruled("a name of small letters, digits and `-`", "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", is_label);

/// The longest label of DNS.
const LONGEST_LABEL: usize = 63;

fn is_label(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=LONGEST_LABEL).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

/// As Kubernetes writes bytes: <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>.
const QUANTITY: Shape = Shape::Ruled("a quantity such as 10Gi", "^[1-9][0-9]*(Ki|Mi|Gi|Ti|k|M|G|T)?$", |text| {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[number.len()..];
    !number.is_empty()
        && !number.starts_with('0')
        && number.bytes().all(|byte| byte.is_ascii_digit())
        && matches!(unit, "" | "Ki" | "Mi" | "Gi" | "Ti" | "k" | "M" | "G" | "T")
});

/// The variable `housewright_http`.
pub static HTTP: Record = Record {
    title: "housewright_http",
    about: "How the ClickHouse of a host with `housewright_reach: http` is asked, from the machine that runs Housewright.",
    keys: &[
        Key::new("host", Shape::Text, "Name or address. By default the host's `fqdn`."),
        Key::new("port", Shape::Port, "Its port. By default 8443, without TLS 8123."),
        Key::new("tls", Shape::Flag, "Whether it speaks TLS. Its certificate is always verified.").default("true"),
        Key::new(
            "ca",
            Shape::Text,
            "A PEM file on this machine with the authorities that count. By default those of the system.",
        )
        .examples(&["/etc/ssl/fleet-ca.pem"]),
        Key::new("server_name", Shape::Text, "The name that its certificate must have. By default `host`."),
        Key::new("user", Shape::Text, "Who asks. By default the user of the role's `clickhouse`."),
        Key::new("password", Shape::Secret, "Its password, by reference; it is sent in a header only.")
            .examples(&["env:CLICKHOUSE_PODS_PASSWORD"]),
    ],
    others: Others::Refused,
};

/// The variable `kubernetes`.
pub static KUBERNETES: Record = Record {
    title: "kubernetes",
    about: "The installation of the Altinity operator that a pod belongs to: `housewright k8s render` writes it. The host's name must be the operator's own: `chi-INSTALLATION-CLUSTER-SHARD-REPLICA`.",
    keys: &[
        Key::new("namespace", LABEL, "The namespace.").required().examples(&["clickhouse"]),
        Key::new("installation", LABEL, "The name of the `ClickHouseInstallation`.").required().examples(&["ingestion"]),
        Key::new(
            "cluster",
            Shape::Text,
            "The operator's own cluster of these pods: at most 15 letters, digits and `-`. None of `clickhouse_clusters` may have the name.",
        )
        .required()
        .examples(&["events"]),
        Key::new("image", Shape::Text, "The server's image, with a version or a digest.")
            .required()
            .examples(&["clickhouse/clickhouse-server:25.8.2"]),
        Key::new("resources", Shape::Map(&Shape::Any), "`requests` and `limits` of the server's container.")
            .examples(&["{\"requests\": {\"cpu\": \"4\", \"memory\": \"16Gi\"}, \"limits\": {\"memory\": \"16Gi\"}}"]),
        Key::new("cache_size", QUANTITY, "The small local disk of each pod: it goes with the pod.").default("10Gi"),
        Key::new("storage_class", Shape::Text, "The class of that disk. By default the cluster's own."),
        Key::new("secret", LABEL, "The Kubernetes Secret with the values that the pods need. By default `INSTALLATION-secrets`."),
    ],
    others: Others::Refused,
};

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(shape: Shape, text: &str) -> bool {
        matches!(shape, Shape::Ruled(_, _, rule) if rule(text))
    }

    #[test]
    fn names_and_quantities_are_as_kubernetes_takes_them() {
        for (text, is) in
            [("a", true), ("a-1", true), ("", false), ("-a", false), ("a-", false), ("A", false), ("a.b", false)]
        {
            assert_eq!(fits(LABEL, text), is, "{text}");
        }
        assert!(!fits(LABEL, &"a".repeat(64)));
        for (text, is) in [
            ("10Gi", true),
            ("1", true),
            ("0Gi", false),
            ("Gi", false),
            ("1.5Gi", false),
            ("10GB", false),
            ("-1", false),
        ] {
            assert_eq!(fits(QUANTITY, text), is, "{text}");
        }
    }
}
