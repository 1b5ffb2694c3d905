//! 300 instances in two regions of moto's EC2, over many pages, and a region without any.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use housewright::fleet::load;
use housewright::fleet::{ConnectionDefaults, HostName, Placement, Reach};
use serde_json::Value;

use crate::program::Program;

/// moto's server with the instances of `instances.py`; it ends with the test.
struct Moto {
    child: Child,
    port: u16,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Moto {
    async fn start() -> Self {
        let python = crate::python::interpreter();
        let mut child = Command::new(&python)
            .arg("tests/ec2/instances.py")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run `{}`: {error}", python.display()));
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready =
            tokio::task::spawn_blocking(move || lines.find_map(|line| line.ok()?.strip_prefix("ready ")?.parse().ok()));
        let port = tokio::time::timeout(Duration::from_secs(120), ready).await.unwrap().unwrap();
        Self { child, port: port.expect("moto did not start: its messages are above") }
    }
}

const SOURCE: &str = "plugin: amazon.aws.aws_ec2
regions: [eu-west-1, us-east-1]
filters: { 'tag:Fleet': posthog }
exclude_filters: [{ 'tag:Retired': 'yes' }]
hostnames: ['tag:Name']
placement_tags: { role: Role, shard: Shard, replica: Replica }
keyed_groups:
  - { key: tags.Role, prefix: role, parent_group: 'in_{{ placement.region }}' }
  - { key: placement.availability_zone, prefix: zone }
groups: { large: instance_type == 'i4i.4xlarge' }
compose: { disks: instance_store_disks | map(attribute='count') | sum }
";

#[tokio::test]
async fn three_hundred_instances_of_two_regions_are_the_right_fleet() {
    let moto = Moto::start().await;
    let program = Program::new(moto.port).file("clickhouse.aws_ec2.yml", SOURCE).with("HOUSEWRIGHT_EC2_PAGE", "20");
    let said = program.run(&["discover", "--write"]).await;
    assert_eq!(said.code, 0, "{said:?}");
    assert!(
        said.out.starts_with("clickhouse.aws_ec2.yml: 180 hosts in eu-west-1, 120 hosts in us-east-1\n"),
        "{said:?}"
    );

    // What was listed, as the snapshot says it.
    let roles = std::path::Path::new("roles");
    let loaded = load::load(&program.path("discovered.yml"), roles, &ConnectionDefaults::default()).unwrap();
    assert_eq!(loaded.fleet.hosts.len(), 300);
    for (group, size) in
        [("role_data", 150), ("role_small", 90), ("role_events", 60), ("large", 150), ("zone_eu_west_1a", 180)]
    {
        assert_eq!(loaded.inventory.hosts_of(group).len(), size, "{group}");
    }
    assert_eq!(loaded.inventory.hosts_of("in_eu_west_1").len(), 300, "a group has each of its parents");
    let mut replicas: Vec<(String, u32, String)> = Vec::new();
    for (name, host) in &loaded.fleet.hosts {
        let Reach::Ssh(connection) = &host.reach else { panic!("{name} is a member") };
        let fact = |fact: &str| host.vars.get(fact).and_then(Value::as_str).unwrap().to_owned();
        assert_eq!(connection.address, fact("private_ip_address"), "{name}");
        assert_eq!(host.zone, Some(fact("zone")), "{name}");
        assert!(fact("instance_id").starts_with("i-"), "{name}");
        assert_eq!(host.vars.get("state").unwrap()["name"], "running", "{name}");
        if let Placement::Storage { shard, replica } = &host.placement {
            let region = host.vars.get("placement").unwrap()["region"].as_str().unwrap().to_owned();
            assert_eq!(name.as_str(), format!("data-{shard:02}-{replica}"), "{name}");
            replicas.push((region, *shard, replica.clone()));
        }
    }
    replicas.sort();
    replicas.dedup();
    assert_eq!(replicas.len(), 150, "each shard and replica once");
    let data = &loaded.fleet.hosts[&HostName::new("data-01-a").unwrap()];
    assert_eq!(data.vars.get("instance_store_disks").unwrap()[0]["size_gb"], 3750);
    assert_eq!(data.vars.get("instance_store_disks").unwrap()[0]["nvme"], true);
    assert_eq!(data.vars.get("disks"), Some(&Value::from(1)));
    assert_eq!(data.vars.get("instance_vcpus"), Some(&Value::from(16)));

    // A region without instances is no answer.
    let empty = SOURCE.replace("us-east-1", "eu-north-1");
    let program = program.file("clickhouse.aws_ec2.yml", &empty);
    let said = program.run(&["inventory", "--list"]).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.err.contains("no instance of `eu-north-1` answers to `tag:Fleet=posthog`"), "{said:?}");

    // A narrower filter is missed as much as instances that were ended.
    let program =
        program.file("clickhouse.aws_ec2.yml", &SOURCE.replace("'yes' }]", "'yes' }, { 'tag:Role': small }]"));
    let said = program.run(&["inventory", "--list"]).await;
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:?}");
    assert!(said.err.contains("HW0151") && said.err.contains("--accept shrink:"), "{said:?}");
    let accepted = ["inventory", "--list", "--accept", "shrink:eu-west-1", "--accept", "shrink:us-east-1"];
    let said = program.run(&accepted).await;
    assert_eq!(said.code, 0, "{said:?}");
}
