"""Answers requests for `ansible-inventory`, one JSON object a line, each in a process of its own.

A request is {"args": [...]} and optionally {"env": {...}}, {"cwd": "..."}; the answer is {"code", "stdout", "stderr"}.
Ansible is imported once and forked for each request: its start takes longer than its work.
"""

import json
import os
import sys
import tempfile

from ansible.cli.inventory import InventoryCLI
import ansible.inventory.manager  # noqa: F401  imported here so that every request finds it
import ansible.plugins.inventory.ini  # noqa: F401
import ansible.plugins.inventory.yaml  # noqa: F401
import ansible.plugins.vars.host_group_vars  # noqa: F401
import ansible.vars.manager  # noqa: F401


def child(request, out, err):
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.environ.update(request.get("env", {}))
    os.chdir(request.get("cwd", "."))
    code = 250
    try:
        cli = InventoryCLI(["ansible-inventory", *request["args"]])
        cli.parse()
        code = cli.run() or 0
    except SystemExit as stop:
        code = stop.code or 0
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def answer(request):
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        pid = os.fork()
        if pid == 0:
            child(request, out, err)
        _, status = os.waitpid(pid, 0)
        out.seek(0)
        err.seek(0)
        texts = (out.read().decode(), err.read().decode())
    return {"code": os.waitstatus_to_exitcode(status), "stdout": texts[0], "stderr": texts[1]}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
