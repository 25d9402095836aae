"""Installs the programs to compare with. What cannot be installed is left out, with a line that says so."""

import os
import shutil
import subprocess
import sys

APT = {"bazel": "bazel-bootstrap", "ninja": "ninja-build", "make": "make", "pigz": "pigz", "tar": "tar", "time": "time"}
LIMIT = 600


def find(program, cache_dir):
    """The path of a program, installed if it is missing; `None` if that fails."""
    path = shutil.which(program) or (turbo(cache_dir) if program == "turbo" else apt(program))
    if path is None:
        package = APT.get(program, program)
        print(f"left out: {program} is not there, and could not be installed as `{package}`", file=sys.stderr)
    return path


def apt(program):
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    attempt([*sudo, "apt-get", "install", "--yes", "--no-install-recommends", APT[program]])
    return shutil.which(program)


def turbo(cache_dir):
    """Turborepo from npm, in a directory of ours."""
    path = os.path.join(cache_dir, "turbo/node_modules/.bin/turbo")
    if not os.path.exists(path):
        attempt(["npm", "install", "--silent", "--prefix", os.path.join(cache_dir, "turbo"), "turbo"])
    return path if os.path.exists(path) else None


def attempt(command):
    try:
        subprocess.run(command, timeout=LIMIT, capture_output=True, check=False)
    except (OSError, subprocess.TimeoutExpired):
        pass
