#!/usr/bin/env python3
"""Writes Housewright's project directory out of the fleet bench's own model.

gen_own.py BENCH_DIR N...  ->  BENCH_DIR/inv/N/{base,topology,hostvar}/own/

The bench measures one piece of work with several tools: 5 directories, 7 rendered files and one restart on each of
N hosts that answer SSH. Its model lies in inventory.json beside the peers' inventories. JSON is YAML, so the values
go into group_vars as they are; the seven templates stand beside this file.
"""
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ETC = "/etc/clickhouse-server"
DIRECTORIES = [ETC, f"{ETC}/config.d", f"{ETC}/users.d", "/var/lib/clickhouse", "/var/log/clickhouse-server"]
FILES = ["remote_servers", "macros", "named_collections", "storage", "kafka", "listen"]
OWNED = {"owner": "clickhouse", "group": "clickhouse"}


def write(path, value):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        json.dump(value, file, indent=1)


def role(group):
    files = [(name, f"{ETC}/config.d/{name}.xml") for name in FILES] + [("users", f"{ETC}/users.d/users.xml")]
    return {
        "description": f"the {group} hosts of the bench",
        # The hosts have no ClickHouse whose replicas could be asked, so no shard is guarded: the peers' work, no more.
        # A restart still goes to a canary of each role first.
        "placement": "stateless",
        "hostClusterRole": group,
        "directories": [{"path": path, "mode": "0750", **OWNED} for path in DIRECTORIES],
        "files": [
            {"template": f"{name}.xml.tera", "path": path, "mode": "0640", "unit": "clickhouse-server", **OWNED}
            for name, path in files
        ],
        "units": [{"name": "clickhouse-server", "enabled": True, "running": True}],
    }


def project(bench, directory, port):
    with open(f"{directory}/inventory.json") as file:
        model = json.load(file)
    own = f"{directory}/own"
    shutil.rmtree(own, ignore_errors=True)
    shutil.copytree(f"{HERE}/templates", f"{own}/templates")
    children = {}
    for group, variables in model["groups"].items():
        hosts = [host for host in model["hosts"] if host["group"] == group]
        children[group] = {"hosts": {host["name"]: {"ansible_host": host["addr"], **host["vars"]} for host in hosts}}
        write(f"{own}/inventories/bench/group_vars/{group}.yml", {**variables, "hostClusterRole": group})
        write(f"{own}/roles/{group}/role.yml", role(group))
    write(f"{own}/inventories/bench/hosts.yml", {"all": {"children": children}})
    connection = {
        "ansible_user": "root",
        "ansible_port": port,
        "ansible_ssh_private_key_file": f"{bench}/keys/client_ed25519",
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={bench}/keys/known_hosts",
    }
    write(f"{own}/inventories/bench/group_vars/all.yml", {**connection, **model["all"]})


if __name__ == "__main__":
    bench, sizes = sys.argv[1], sys.argv[2:]
    for size in sizes:
        for variant in ("base", "topology", "hostvar"):
            project(bench, f"{bench}/inv/{size}/{variant}", int(os.environ.get("FLEET_PORT", "2222")))
