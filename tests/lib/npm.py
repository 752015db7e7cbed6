# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs from npm, of exact versions, for the tests that take long."""

import json
import os
import shutil
import subprocess

import docket


def run(words, directory, **more):
    """What it said, of both kinds; a failure is one."""
    done = run_any(words, directory, **more)
    assert done.returncode == 0, done.stdout
    return done.stdout


def run_any(words, directory, seconds=300, **environment):
    return subprocess.run(
        [str(word) for word in words], cwd=directory, text=True,
        timeout=seconds, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**{k: v for k, v in os.environ.items() if k != "NODE_OPTIONS"},
             **environment})


def installed(name, packages):
    """The folder whose node_modules has {package: version}; kept for all
    instances of the tree."""
    for command in ("node", "npm"):
        assert shutil.which(command), f"{command} is missing"
    directory = docket.ROOT / ".dev" / name
    wanted = {"private": True, "type": "module", "dependencies": packages}
    manifest = directory / "package.json"
    done = directory / "node_modules" / ".package-lock.json"
    if done.exists() and json.loads(manifest.read_text()) == wanted:
        return directory
    directory.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps(wanted))
    run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts"],
        directory)
    return directory
