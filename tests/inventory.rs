//! The inventories of the repository resolve to the fleets that they describe.

mod written;

use std::path::Path;
use std::time::Duration;

use housewright::fleet::ClusterName;
use housewright::fleet::load::load;
use housewright::fleet::{
    ConnectionDefaults, Fleet, Host, HostKeyPolicy, HostName, Layout, Placement, Privilege, Proxy, Reach,
};
use housewright::report::diagnostic::{Colour, render};
use serde_json::json;
use written::written;

fn fleet(inventory: &str) -> Fleet {
    let loaded = load(Path::new(inventory), Path::new("roles"), &ConnectionDefaults::default());
    let loaded = loaded.unwrap_or_else(|problems| panic!("{}", render(&problems, Colour::Plain)));
    assert_eq!(render(&loaded.notes, Colour::Plain), "");
    loaded.fleet
}

fn host<'a>(fleet: &'a Fleet, name: &str) -> &'a Host {
    &fleet.hosts[&HostName::new(name).unwrap()]
}

/// `shard | shard`, each with its members.
fn cluster(fleet: &Fleet, name: &str) -> String {
    let cluster = &fleet.clusters[&ClusterName::new(name).unwrap()];
    let shard = |shard: &housewright::fleet::ClusterShard| {
        shard.members.iter().map(|member| format!("{}:{}", member.host, member.port)).collect::<Vec<_>>().join(" ")
    };
    cluster.shards.iter().map(shard).collect::<Vec<_>>().join(" | ")
}

#[test]
fn the_lab_is_nine_hosts_in_one_namespace() {
    let fleet = fleet("inventories/lab");
    assert_eq!(fleet.hosts.len(), 9);
    assert_eq!(fleet.network_namespace.as_deref(), Some("hwlab"));
    assert_eq!(host(&fleet, "data-2-1").placement, Placement::Storage { shard: 2, replica: "1".to_owned() });
    assert_eq!(host(&fleet, "keeper-1").placement, Placement::Keeper { id: 1 });
    assert_eq!(host(&fleet, "shufflehog-1").placement, Placement::Stateless);
    assert_eq!(host(&fleet, "ingestion-small-1").role.as_str(), "ingestion-small");
}

#[test]
fn the_lab_is_reached_with_its_own_key_and_known_hosts() {
    let fleet = fleet("inventories/lab");
    let Reach::Ssh(connection) = &host(&fleet, "data-1-2").reach else { panic!("a member") };
    assert_eq!(connection.address, "10.77.1.12");
    assert_eq!((connection.port, connection.user.as_str()), (22, "deploy"));
    assert_eq!(connection.identity_files, [Path::new("/var/lib/housewright-lab/ssh/id_ed25519")]);
    assert_eq!(connection.known_hosts, [Path::new("/var/lib/housewright-lab/ssh/known_hosts")]);
    assert_eq!(connection.host_key_policy, HostKeyPolicy::Strict);
    assert_eq!(connection.privilege, Privilege::Sudo);
    assert_eq!(connection.proxy, None);
}

#[test]
fn the_labs_clusters_are_storage_and_ingestion_apart() {
    let fleet = fleet("inventories/lab");
    assert_eq!(cluster(&fleet, "posthog"), "10.77.1.11:9000 10.77.1.12:9000 | 10.77.1.21:9000 10.77.1.22:9000");
    assert_eq!(
        cluster(&fleet, "posthog_single_shard"),
        "10.77.1.11:9000 10.77.1.12:9000 10.77.1.21:9000 10.77.1.22:9000"
    );
    assert_eq!(cluster(&fleet, "ingestion-small"), "10.77.2.11:9000");
    let posthog = &fleet.clusters[&ClusterName::new("posthog").unwrap()];
    assert!(posthog.internal_replication);
    assert_eq!(posthog.layout, Layout::Sharded);
    assert_eq!(posthog.secret.as_ref().unwrap().to_string(), "file:/var/lib/housewright-lab/secrets/cluster_secret");
}

#[test]
fn us_east_1_has_ten_shards_of_three_replicas_and_pods_that_are_asked_over_http() {
    let fleet = fleet("inventories/us-east-1");
    let posthog = &fleet.clusters[&ClusterName::new("posthog").unwrap()];
    assert_eq!(posthog.shards.len(), 10);
    assert!(posthog.shards.iter().all(|shard| shard.members.len() == 3));
    let data = host(&fleet, "data-07-b");
    assert_eq!(data.placement, Placement::Storage { shard: 7, replica: "b".to_owned() });
    assert_eq!(data.zone.as_deref(), Some("us-east-1b"));
    let Reach::Http(pod) = &host(&fleet, "chi-ingestion-events-3-0").reach else { panic!("another way") };
    assert_eq!(pod.url(), "https://chi-ingestion-events-3-0.pods.us-east-1.example.internal:8443");
    let peers: Vec<&str> = fleet.shard_peers(data).iter().map(|host| host.name.as_str()).collect();
    assert_eq!(peers, ["data-07-a", "data-07-b", "data-07-c"]);
}

#[test]
fn eu_central_1_resolves() {
    assert_eq!(fleet("inventories/eu-central-1").hosts.len(), 15);
}

#[test]
fn a_hosts_variables_are_its_roles_and_then_the_inventorys() {
    let fleet = written()
        .hosts("all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1, clickhouse_tcp_port: 9100, yes_text: 'yes' } } }")
        .fleet();
    let host = host(&fleet, "d1");
    assert_eq!(host.vars.get("clickhouse_tcp_port"), Some(&json!(9100)));
    assert_eq!(host.vars.get("clickhouse_http_port"), Some(&json!(8123)));
    assert_eq!(host.vars.get("yes_text"), Some(&json!("yes")));
}

#[test]
fn any_variable_may_be_a_secret() {
    let fleet = written()
        .hosts("all: { hosts: { d1: { hostClusterRole: data, shard: 1, replica: 1, token: { from_secret: env:TOKEN } } } }")
        .fleet();
    assert_eq!(host(&fleet, "d1").vars.get("token"), Some(&json!("\u{F8F0}env:TOKEN\u{F8F1}")));
}

#[test]
fn a_user_before_the_address_is_for_ssh_alone() {
    let text = "all:\n  hosts:\n    root@10.0.0.1: { hostClusterRole: data, shard: 1, replica: 1 }\n";
    let fleet = written().hosts(text).fleet();
    let host = host(&fleet, "root@10.0.0.1");
    let Reach::Ssh(connection) = &host.reach else { panic!("a member") };
    assert_eq!((connection.user.as_str(), connection.address.as_str()), ("root", "10.0.0.1"));
    assert_eq!(host.fqdn, "10.0.0.1");
}

#[test]
fn ssh_arguments_and_ansible_variables_make_the_connection() {
    let fleet = written()
        .hosts(
            "all:
  hosts:
    d1:
      hostClusterRole: data
      shard: 1
      replica: 1
      ansible_user: root
      ansible_port: 2222
      ansible_ssh_common_args: -J jump@bastion:2200 -o StrictHostKeyChecking=accept-new -p 1 -i ~/.ssh/fleet
      ansible_ssh_extra_args: '-o \"UserKnownHostsFile=/a /b\" -o ConnectTimeout=3 -o ControlMaster=auto'
",
        )
        .fleet();
    let Reach::Ssh(connection) = &host(&fleet, "d1").reach else { panic!("a member") };
    assert_eq!((connection.address.as_str(), connection.port), ("d1", 2222));
    let Some(Proxy::Jump(jump)) = &connection.proxy else { panic!("no bastion") };
    assert_eq!((jump.user.as_str(), jump.address.as_str(), jump.port), ("jump", "bastion", 2200));
    assert_eq!(connection.host_key_policy, HostKeyPolicy::AcceptNew);
    assert_eq!(connection.known_hosts, [Path::new("/a"), Path::new("/b")]);
    assert_eq!(connection.identity_files, [Path::new("/home/me/.ssh/fleet")]);
    assert_eq!(connection.connect_timeout, Duration::from_secs(3));
    assert_eq!(connection.privilege, Privilege::Login);
}

#[test]
fn literal_members_and_hosts_meet_in_one_cluster() {
    let fleet = written()
        .hosts("all: { hosts: { i1: { hostClusterRole: small } } }")
        .group_vars(
            "all.yml",
            "clickhouse_clusters: { pods: { layout: one_shard_per_host, hosts: i1, members: ['chi-[0:1]:9001', chi-9], port: 9002 } }",
        )
        .fleet();
    assert_eq!(cluster(&fleet, "pods"), "i1:9002 | chi-0:9001 | chi-1:9001 | chi-9:9002");
    assert!(!fleet.clusters[&ClusterName::new("pods").unwrap()].internal_replication);
}

/// `weight: host priority, host priority | weight: ...`
fn weights(fleet: &Fleet, name: &str) -> String {
    let said = |number: Option<u32>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let member = |member: &housewright::fleet::Member| format!("{} {}", member.host, said(member.priority));
    let shard = |shard: &housewright::fleet::ClusterShard| {
        format!("{}: {}", said(shard.weight), shard.members.iter().map(member).collect::<Vec<_>>().join(", "))
    };
    let cluster = &fleet.clusters[&ClusterName::new(name).unwrap()];
    cluster.shards.iter().map(shard).collect::<Vec<_>>().join(" | ")
}

#[test]
fn weight_and_priority_are_one_number_or_by_pattern() {
    let hosts = "all:
  vars: { hostClusterRole: data }
  children:
    new: { hosts: { d2a: , d2b: } }
    near: { hosts: { d1a: , d2a: } }
  hosts:
    d1a: { shard: 1, replica: a }
    d1b: { shard: 1, replica: b }
    d2a: { shard: 2, replica: a }
    d2b: { shard: 2, replica: b }
";
    let clusters = "clickhouse_clusters:
  all: { hosts: all, layout: sharded, weight: 7, priority: 2 }
  some: { hosts: all, layout: sharded, weight: { new: 0 }, priority: { near: 1, 'd*': 5 } }
  pods:
    layout: one_shard_per_host
    weight: 4
    members: [p1, { host: 'q-[0:1]', port: 9440, weight: 0, priority: 3, secure: yes, user: u }]
";
    let fleet = written().hosts(hosts).group_vars("all.yml", clusters).fleet();
    assert_eq!(weights(&fleet, "all"), "7: d1a 2, d1b 2 | 7: d2a 2, d2b 2");
    assert_eq!(weights(&fleet, "some"), "-: d1a 1, d1b 5 | 0: d2a 1, d2b 5");
    assert_eq!(weights(&fleet, "pods"), "4: p1 - | 0: q-0 3 | 0: q-1 3");
    assert_eq!(cluster(&fleet, "pods"), "p1:9000 | q-0:9440 | q-1:9440");
    let pods = &fleet.clusters[&ClusterName::new("pods").unwrap()];
    let member = &pods.shards[2].members[0];
    assert_eq!((member.secure, member.user.as_deref()), (true, Some("u")));
}
