"""The machine that is measured on, and how busy it is with other things."""

import datetime
import os


def name():
    """Processor and number of cores."""
    with open("/proc/cpuinfo") as cpuinfo:
        models = [line.split(":", 1)[1].strip() for line in cpuinfo if line.startswith("model name")]
    return f"{models[0] if models else os.uname().machine}, {os.cpu_count()} cores"


def today():
    return datetime.date.today().isoformat()


class Load:
    """The load averages that were seen while measuring."""

    def __init__(self):
        self.seen = []
        self.look()

    def look(self):
        self.seen.append(os.getloadavg()[0])

    def __str__(self):
        return f"load {min(self.seen):.1f} to {max(self.seen):.1f}"
