"""The clock: runs a command once, and says what it cost. A command that fails ends everything, with its output."""

import os
import subprocess
import time
from dataclasses import dataclass


@dataclass
class Cost:
    """What a run cost; what was not measured is `None`."""

    wall: float
    """Seconds."""
    processor: float
    """Seconds of all cores, of the command and all its children."""
    memory: float | None = None
    """Peak of the largest process, in MB."""
    size: float | None = None
    """Of the file that was made, in MB."""


def run(command, dir, env=None):
    """Runs a command in a directory, its output kept in a file beside it."""
    log = f"{dir.rstrip('/')}.log"
    with open(log, "wb") as output:
        start = time.monotonic()
        process = subprocess.Popen(
            command, cwd=dir, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        with open(log, errors="replace") as output:
            raise SystemExit(f"`{' '.join(command)}` ended with {process.returncode}:\n{output.read()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime)
