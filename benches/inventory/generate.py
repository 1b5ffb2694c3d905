"""Writes an inventory of N hosts for the benchmark: generate.py DIR N

Twenty files of group_vars/, groups in groups, half of the hosts by ranges and half one a line with variables of their own, values that
refer to others, and seven clusters. The same N gives the same bytes.
"""

import pathlib
import sys

ZONES = ["a", "b", "c"]
TIERS = {"small": "ingestion_small", "medium": "ingestion_medium", "events": "ingestion_events"}


def lines(hosts):
    """One host a line, each with its own variables."""
    return "".join(f"            {name}: {{ {', '.join(f'{k}: {v}' for k, v in own.items())} }}\n" for name, own in hosts)


def main(directory, count):
    root = pathlib.Path(directory)
    (root / "group_vars").mkdir(parents=True)
    (root / "host_vars").mkdir()
    replicas = 3
    shards = max(1, count // 2 // replicas)
    ingestion = count - shards * replicas - 3
    per_tier = ingestion // len(TIERS)

    data = [
        (f"data-{shard:04}-{zone}", {
            "ansible_host": f"10.{1 + shard // 250}.{shard % 250}.{10 + index}",
            "shard": shard,
            "replica": zone,
            "zone": f"us-east-1{zone}",
            "rack": f'"rack-{shard % 40:02}"',
        })
        for shard in range(1, shards + 1)
        for index, zone in enumerate(ZONES)
    ]
    hosts = "all:\n  children:\n    coordination:\n      hosts:\n"
    hosts += "".join(f"        keeper-{n}: {{ keeper_id: {n}, ansible_host: 10.0.0.{n} }}\n" for n in (1, 2, 3))
    hosts += "    clickhouse:\n      children:\n        data:\n          hosts:\n" + lines(data)
    hosts += "        ingestion:\n          children:\n"
    tiers = []
    for number, tier in enumerate(TIERS):
        own = per_tier if number else ingestion - per_tier * (len(TIERS) - 1)
        hosts += f"            ingestion_{tier}:\n              hosts:\n                ingestion-{tier}-[0001:{own:04}]:\n"
        tiers.append((tier, own))
    for index, zone in enumerate(ZONES):
        members = f"data-[0001:{shards:04}]-{zone}"
        hosts += f"    zone_{zone}:\n      hosts:\n        {members}:\n      vars: {{ zone: us-east-1{zone} }}\n"
    (root / "hosts.yml").write_text(hosts)

    files = {
        "all": all_vars(),
        "clickhouse": "clickhouse_tcp_port: 9000\nclickhouse_http_port: 8123\n" + settings("clickhouse", 12),
        "coordination": "hostClusterRole: keeper\n",
        "data": "hostClusterRole: data\nraid_volumes: [{name: data, level: 0, devices: {instance_store: true}, count: 2, mount: /data}]\nbackup_tables: [default.events]\n"
                'backup_path: "/{{ inventory_hostname }}/{{ zone }}"\n' + settings("data", 20),
        "ingestion": "raid_volumes: []\nbackup_tables: []\nclickhouse_disk_balancer_enabled: false\n"
                     'client_name: "{{ inventory_hostname }}-{{ region }}"\n' + settings("ingestion", 20),
    }
    for tier, role in TIERS.items():
        files[f"ingestion_{tier}"] = f"hostClusterRole: {tier}\n" + settings(tier, 4)
    for zone in ZONES:
        files[f"zone_{zone}"] = f"subnet: subnet-{zone}\n"
    # The rest of the twenty: groups that only give variables, as monitoring and patching do.
    aside = "all:\n  children:\n"
    for number in range(20 - len(files)):
        name = f"window_{number}"
        first = 1 + number * max(1, shards // 10)
        last = min(shards, first + max(1, shards // 10) - 1)
        if first > shards:
            first = last = shards
        aside += f"    {name}:\n      hosts:\n        data-[{first:04}:{last:04}]-[a:c]:\n"
        files[name] = f"patch_window: {number}\npatch_contact: team-{number}@example.com\n"
    (root / "windows.yml").write_text(aside)
    for name, text in files.items():
        (root / "group_vars" / f"{name}.yml").write_text(text)
    for shard in range(1, shards + 1, max(1, shards // 20)):
        (root / "host_vars" / f"data-{shard:04}-a.yml").write_text("patch_window: 99\n")


def all_vars():
    clusters = {
        "posthog": "hosts: data, layout: sharded",
        "posthog_single_shard": "hosts: data, layout: single_shard",
        "ingestion-small": "hosts: ingestion_small, layout: one_shard_per_host",
        "ingestion-medium": "hosts: ingestion_medium, layout: one_shard_per_host",
        "ingestion-events": "hosts: 'ingestion_events:!ingestion-events-0001', layout: one_shard_per_host",
        "near": "hosts: 'data:&zone_a', layout: one_shard_per_host",
        "all_hosts": "hosts: clickhouse, layout: one_shard_per_host",
    }
    text = "ansible_user: deploy\nregion: us-east-1\ndomain: example.internal\n"
    text += "ansible_ssh_common_args: -o ConnectTimeout=5 -o ServerAliveInterval=15\n"
    text += 'metrics_labels: "{{ region }}"\nclickhouse_clusters:\n'
    text += "".join(f"  {name}: {{ {body}, secret: env:CLUSTER_SECRET }}\n" for name, body in clusters.items())
    text += "clickhouse_named_collections:\n"
    text += "".join(f"  {name}: {{ kafka_broker_list: 'broker:9092' }}\n" for name in ("msk_ingestion", "warpstream_ingestion"))
    return text + settings("all", 30)


def settings(name, count):
    return "".join(f"{name}_setting_{number:02}: {{ value: {number}, unit: ms, notes: [one, two] }}\n" for number in range(count))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
