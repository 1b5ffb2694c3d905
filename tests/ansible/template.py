"""Evaluates texts as Ansible evaluates variables, one JSON object a line.

{"vars": {...}, "texts": [...]} gives [{"value": ...} or {"error": ...}].
"""

import json
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template


def trusted(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [trusted(item) for item in value]
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    return value


def evaluate(text, variables):
    try:
        templar = Templar(loader=DataLoader(), variables=variables)
        return {"value": json.loads(json.dumps(templar.template(trust_as_template(text))))}
    except Exception as error:
        return {"error": str(error)}


for line in sys.stdin:
    request = json.loads(line)
    variables = trusted(request["vars"])
    print(json.dumps([evaluate(text, variables) for text in request["texts"]]), flush=True)
