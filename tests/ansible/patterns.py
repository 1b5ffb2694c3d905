"""Selects hosts as Ansible does, one JSON object a line: {"inventory": YAML text, "patterns": [...]}.

The answer has one object for each pattern: {"hosts": [...] or null where Ansible refuses, "each": whether every part alone
selects something}.
"""

import json
import os
import sys
import tempfile

from ansible.inventory.manager import InventoryManager, order_patterns, split_host_pattern
from ansible.parsing.dataloader import DataLoader


def names(manager, pattern):
    try:
        return [host.name for host in manager.get_hosts(pattern)]
    except Exception:
        return None


def answer(manager, pattern):
    parts = [part.lstrip("&!") for part in order_patterns(split_host_pattern(pattern))]
    each = all(names(manager, [part]) for part in parts)
    return {"hosts": names(manager, pattern), "each": bool(parts) and each}


for line in sys.stdin:
    request = json.loads(line)
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(request["inventory"])
        file.flush()
        manager = InventoryManager(loader=DataLoader(), sources=[file.name])
    print(json.dumps([answer(manager, pattern) for pattern in request["patterns"]]), flush=True)
