//! Hosts that cannot be reached, trusted or used, and projects that are broken: each is told with its cause and the next
//! command, and the other hosts finish.

use crate::fleet::{Fleet, eventually, ip};

const KNOWN_HOSTS: &str = "/var/lib/housewright-lab/ssh/known_hosts";

#[test]
fn bad_hosts_are_told_apart_and_the_others_finish() {
    let fleet = Fleet::provisioned();
    fleet.edit("inventories/lab/group_vars/all.yml", "-o UserKnown", "-o ConnectTimeout=3 -o UserKnown");
    fleet.edit("inventories/lab/group_vars/all.yml", KNOWN_HOSTS, "known_hosts");
    let known = std::fs::read_to_string(KNOWN_HOSTS).expect("the lab's known_hosts");
    std::fs::write(fleet.path("known_hosts"), &known).expect("a copy");
    fleet.set_macro("first");
    fleet.converges();

    all_at_once(&fleet, &known);
    fleet.converges();
    for host in crate::fleet::SERVERS {
        assert_eq!(fleet.read_macro(host), "second", "{host}");
    }
    a_host_that_is_off(&fleet);
    broken_projects(&fleet);
}

/// One fault on each of seven hosts, one run.
fn all_at_once(fleet: &Fleet, known: &str) {
    fleet.set_macro("second");
    ip("data-1-1", &["link", "set", "eth0", "down"]);
    let other = known.lines().find(|line| line.contains("10.77.0.10")).expect("the keeper's line");
    let other = other.split_once(' ').expect("names and a key").1;
    let lines: Vec<_> = known
        .lines()
        .filter(|line| !line.contains("10.77.2.11"))
        .map(|line| if line.contains("10.77.1.22") { format!("10.77.1.22 {other}") } else { line.to_owned() })
        .collect();
    std::fs::write(fleet.path("known_hosts"), lines.join("\n") + "\n").expect("known_hosts");
    fleet.on("data-2-1", "sed -i s/NOPASSWD:// /etc/sudoers.d/deploy");
    fleet.append("inventories/lab/host_vars/ingestion-medium-1.yml", "ansible_user: stranger\n");
    fleet.on(
        "ingestion-events-1",
        "sed -i '1i echo Welcome to this host; echo And mind the step >&2' /home/deploy/.bashrc",
    );
    fleet.on("shufflehog-1", "rm /etc/sudoers.d/deploy");

    let run = fleet.apply(&[]);
    run.exits(5);
    run.explains(["x data-1-1: cannot reach `10.77.1.11:22`", "no answer within 3s"], "nc -vz 10.77.1.11 22");
    run.explains(["x data-2-2: the host key of `10.77.1.22` has changed", "known_hosts:"], "rebuilt?");
    run.explains(
        ["x ingestion-small-1: the host key of `10.77.2.11` is not known", "SHA256:"],
        "ssh-keyscan -p 22 10.77.2.11 >> known_hosts`",
    );
    run.explains(["x data-2-1: sudo refused", "a password is required"], "NOPASSWD");
    run.explains(["x shufflehog-1: sudo refused"], "NOPASSWD");
    run.explains(["x ingestion-medium-1: `10.77.2.21` refused user `stranger`"], "authorized_keys");
    run.says(["2 hosts done", "6 not reached", "data-1-2", "ingestion-events-1"]);
    assert_eq!(fleet.read_macro("data-1-2"), "second");
    assert_eq!(fleet.read_macro("ingestion-events-1"), "second", "a talking shell is no obstacle");
    assert_eq!(fleet.read_macro("data-2-1"), "first");

    // The other verbs tell the same.
    fleet.plan(&[]).exits(5).says(["not reached", "sudo refused"]);
    fleet.run(&["status", "-i", "inventories/lab"]).exits(3).says(["a password is required"]);
    let facts = fleet.run(&["facts", "-i", "inventories/lab"]);
    facts.exits(5);
    let facts: serde_json::Value = serde_json::from_str(&facts.out).expect("JSON");
    assert_eq!(
        (&facts["hosts"]["data-2-1"]["reachable"], &facts["hosts"]["data-1-2"]["reachable"]),
        (&false.into(), &true.into())
    );

    ip("data-1-1", &["link", "set", "eth0", "up"]);
    std::fs::write(fleet.path("known_hosts"), known).expect("known_hosts");
    for host in ["data-2-1", "shufflehog-1"] {
        fleet.on(host, "echo 'deploy ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/deploy");
    }
    std::fs::remove_file(fleet.path("inventories/lab/host_vars/ingestion-medium-1.yml")).expect("host_vars");
}

fn a_host_that_is_off(fleet: &Fleet) {
    fleet.set_macro("third");
    fleet.power_off("shufflehog-1");
    let run = fleet.apply(&["--limit", "shufflehog-1,data-1-1"]);
    run.exits(5).explains(["x shufflehog-1: cannot reach `10.77.2.41:22`"], "nc -vz 10.77.2.41 22");
    assert_eq!(fleet.read_macro("data-1-1"), "third");
    fleet.run(&["lab", "up", "-i", "inventories/lab"]).exits(0);
    eventually(
        "its server is back",
        || fleet.run(&["status", "-i", "inventories/lab"]).out,
        |out| out.matches("serving").count() == 9,
    );
    fleet.converges();
}

fn broken_projects(fleet: &Fleet) {
    let cases = [
        ("inventories/lab/hosts.yml", "10.77.1.11, shard: 1", "10.77.1.11, shard: one", "hosts.yml"),
        ("inventories/lab/hosts.yml", "data-1-2: {", "data-1-2: [", "hosts.yml"),
        ("inventories/lab/group_vars/data.yml", "hostClusterRole: data", "hostClusterRole: dta", "dta"),
        ("templates/clickhouse/config.d/macros.xml.tera", "</macros>", "</macro>", "macros.xml"),
        ("templates/clickhouse/config.d/macros.xml.tera", "{%", "{% nonsense", "macros.xml.tera"),
        ("roles/data/schema/groups.sql", "'{replica}', ", "'{replica}, ", "groups.sql"),
        ("roles/data/schema/groups.sql", "CREATE TABLE", "CREAT TABLE", "groups.sql"),
    ];
    for (file, from, to, word) in cases {
        let whole = std::fs::read_to_string(fleet.path(file)).expect("a file of the project");
        fleet.edit(file, from, to);
        for verb in ["check", "plan", "apply"] {
            let run = fleet.run(&[verb, "-i", "inventories/lab"]);
            run.exits(1).says(["error", word]).never_says(["asked 9 hosts", "panicked"]);
        }
        std::fs::write(fleet.path(file), whole).expect("the file again");
    }
    fleet.run(&["check", "-i", "nowhere"]).exits(1).says(["nowhere"]);
    fleet.run(&["plan", "-i", "inventories/lab", "--limit", "dat-1-1"]).exits(1).says(["dat-1-1", "data-1-1"]);
    fleet
        .run(&["apply", "-i", "inventories/lab", "nothing.plan"])
        .exits(1)
        .says(["cannot read the plan `nothing.plan`"]);
}
