"""Says how Ansible reads values: one JSON object a line in the file of the first argument, one answer a line.

A request is {"kind": "variable" | "host" | "yaml", "text": ...}; the answer is {"value": JSON as a text}, {"error": ...},
or {"skip": true} where Python itself has no order.
"""

import ast
import json
import sys
import warnings

from ansible._internal._datatag._tags import Origin, TrustedAsTemplate
from ansible._internal._json._profiles import _inventory_legacy
from ansible.parsing.utils.yaml import from_yaml
from ansible.plugins.inventory.ini import InventoryModule

warnings.simplefilter("ignore")
ini = InventoryModule()
ini._origin = Origin(path="/hosts", line_num=1)


def unordered(text):
    try:
        return any(isinstance(node, ast.Set) and len(node.elts) > 1 for node in ast.walk(ast.parse(text.strip(), mode="eval")))
    except Exception:
        return False


def value(kind, text):
    if kind == "variable":
        return ini._parse_variable_definition(text.strip())[1]
    if kind == "host":
        names, port, variables = ini._parse_host_definition(text.strip())
        port = {"ansible_port": port} if port else {}
        names = [TrustedAsTemplate().tag(name) for name in names]
        return {"names": names, "variables": {**port, **variables}}
    return from_yaml(TrustedAsTemplate().tag(text))["k"]


def answer(kind, text):
    part = text.partition("=")[2]
    if kind != "yaml" and (unordered(part) or any(unordered(word) for word in part.split())):
        return {"skip": True}
    try:
        # Where a variable stands in `--list`: only there Ansible marks what is no template.
        listed = {"_meta": {"hostvars": {"h": {"v": value(kind, text)}}}}
        text = json.dumps(listed, cls=_inventory_legacy.Encoder, sort_keys=True)
        return {"value": json.dumps(json.loads(text)["_meta"]["hostvars"]["h"]["v"], sort_keys=True, indent=4, ensure_ascii=False)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


with open(sys.argv[1]) as requests:
    for line in requests:
        request = json.loads(line)
        print(json.dumps(answer(request["kind"], request["text"])))
