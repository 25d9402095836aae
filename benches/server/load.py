#!/usr/bin/env python3
"""Puts a mixed load on `cortado serve` for half an hour, with a store that is far too small for it.

    cargo build --release --features server
    benches/server/load.py [--cortado target/release/cortado] [--minutes 30] [--clients 16] [--size 256M]

Clients put, get, ask, list, remove, break off in the middle and come again. What an object holds follows from its name, so
every answer is checked byte for byte. Meanwhile the server's memory, descriptors and threads are looked at, and what its
directory takes. It ends with 1 when an answer was wrong, the store was larger than its size at any look, or memory or descriptors
grew from the second quarter of the time to the last.
"""

import argparse
import collections
import hashlib
import http.client
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HOST, PORT = "127.0.0.1", 18203
ROUTE = "/v1/artifacts/"


def content(name):
    """The bytes of an object: its name says how many, and what."""
    size = int(name.split("-")[1])
    block = hashlib.sha256(name.encode()).digest() * 32
    return (block * (size // len(block) + 1))[:size]


class Tally:
    def __init__(self):
        self.lock, self.counts, self.faults, self.times = threading.Lock(), collections.Counter(), [], []

    def add(self, what, status, seconds):
        with self.lock:
            self.counts[f"{what} {status}"] += 1
            self.times.append(seconds)

    def fault(self, text):
        with self.lock:
            self.faults.append(text)
        print("FAULT", text, flush=True)


class Names:
    """The names that were put lately, of all clients."""

    def __init__(self):
        self.lock, self.names = threading.Lock(), collections.deque(maxlen=4000)

    def add(self, name):
        with self.lock:
            self.names.append(name)

    def any(self):
        with self.lock:
            return random.choice(self.names) if self.names else None


class Client(threading.Thread):
    def __init__(self, number, names, tally, end):
        super().__init__(daemon=True)
        self.number, self.names, self.tally, self.end = number, names, tally, end
        self.dice, self.made, self.connection = random.Random(number), 0, None

    def run(self):
        acts = [self.get] * 40 + [self.part] * 10 + [self.head] * 10 + [self.put] * 28
        acts += [self.again] * 4 + [self.other] * 2 + [self.remove] * 2 + [self.list] + [self.exists] + [self.break_off] * 2
        while time.monotonic() < self.end:
            act = self.dice.choice(acts)
            try:
                act()
            except Exception as error:  # Whatever it is, it is the server's fault.
                self.tally.fault(f"{act.__name__}: {error!r}")
                self.connection = None

    def send(self, what, method, path, body=None, headers={}, fine=()):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(HOST, PORT, timeout=60)
        begin = time.monotonic()
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            got = answer.read()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            # An idle connection may be closed at any time; a second one is not idle.
            self.connection = http.client.HTTPConnection(HOST, PORT, timeout=60)
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            got = answer.read()
        self.tally.add(what, answer.status, time.monotonic() - begin)
        if answer.status not in fine:
            self.tally.fault(f"{what} {path}: {answer.status} {got[:200]!r}")
        return answer, got

    def fresh(self):
        self.made += 1
        size = min(int(self.dice.lognormvariate(10, 2.2)), 16 << 20)
        return f"{self.number}.{self.made}-{size}-{self.dice.getrandbits(32):08x}"

    def put(self):
        name = self.fresh()
        self.send("put", "PUT", ROUTE + name, content(name), fine=[201])
        self.names.add(name)

    def get(self):
        if name := self.names.any():
            answer, got = self.send("get", "GET", ROUTE + name, fine=[200, 404])
            if answer.status == 200 and got != content(name):
                self.tally.fault(f"get {name}: other bytes")

    def part(self):
        if (name := self.names.any()) and (whole := content(name)):
            first = self.dice.randrange(len(whole))
            last = self.dice.randrange(first, len(whole))
            headers = {"Range": f"bytes={first}-{last}"}
            answer, got = self.send("part", "GET", ROUTE + name, headers=headers, fine=[206, 404])
            if answer.status == 206 and got != whole[first : last + 1]:
                self.tally.fault(f"part {name}: other bytes")

    def head(self):
        if name := self.names.any():
            answer, _ = self.send("head", "HEAD", ROUTE + name, fine=[200, 404])
            if answer.status == 200 and answer.headers["Content-Length"] != name.split("-")[1]:
                self.tally.fault(f"head {name}: another length")

    def again(self):
        if name := self.names.any():
            self.send("again", "PUT", ROUTE + name, content(name), fine=[200, 201, 409])

    def other(self):
        """Another content under a name that is taken. Where it was evicted meanwhile it would be kept, so its name goes."""
        if name := self.names.any():
            headers = {"Content-Digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"}
            self.send("other", "PUT", ROUTE + name, b"other", headers, fine=[400, 409])

    def remove(self):
        if name := self.names.any():
            self.send("remove", "DELETE", ROUTE + name, fine=[204, 404])

    def list(self):
        self.send("list", "GET", "/v1/artifacts?limit=50", fine=[200])

    def exists(self):
        names = [name for name in (self.names.any() for _ in range(20)) if name]
        body = '{"names":[' + ",".join(f'"{name}"' for name in names) + "]}"
        self.send("exists", "POST", ROUTE + "exists", body, {"Content-Type": "application/json"}, fine=[200])

    def break_off(self):
        name = self.fresh()
        with socket.create_connection((HOST, PORT), timeout=60) as stream:
            head = f"PUT {ROUTE}{name} HTTP/1.1\r\nHost: here\r\nContent-Length: {1 << 20}\r\n\r\n"
            stream.sendall(head.encode() + b"x" * self.dice.randrange(1 << 19))
        self.tally.add("break off", 0, 0.0)


def look(pid, store):
    status = open(f"/proc/{pid}/status").read()
    number = lambda name: int(re.search(name + r":\s+(\d+)", status)[1])
    size = size_of(store)
    return {"memory": number("VmRSS") / 1024, "threads": number("Threads"), "files": len(os.listdir(f"/proc/{pid}/fd")), "size": size}


def size_of(store):
    """What the files of a store take. While they are looked at one by one others come and go: a file that was seen twice
    counts once, and one that has gone by the end of the look counts for nothing."""
    seen = {}
    for folder, _, files in os.walk(store):
        for file in files:
            path = os.path.join(folder, file)
            try:
                found = os.stat(path)
                seen[found.st_ino] = (path, found.st_size)
            except FileNotFoundError:
                pass
    return sum(size for path, size in seen.values() if os.path.exists(path))


def bytes_of(text):
    return int(text[:-1]) << {"M": 20, "G": 30}[text[-1]]


def report(looks, tally, limit):
    quarter = max(len(looks) // 4, 1)
    faults = list(tally.faults)
    print(f"{sum(tally.counts.values()):,} requests: {dict(sorted(tally.counts.items()))}")
    times = sorted(tally.times)
    print(f"seconds: median {statistics.median(times):.4f}, 99.9 % {times[int(len(times) * 0.999)]:.3f}, longest {times[-1]:.3f}")
    for what in ["memory", "threads", "files", "size"]:
        values = [seen[what] for seen in looks]
        before, after = statistics.median(values[quarter : 2 * quarter]), statistics.median(values[-quarter:])
        print(f"{what}: second quarter {before:,.0f}, last {after:,.0f}, most {max(values):,.0f}")
        if what in ["memory", "files"] and after > before * 1.2 + 8:
            faults.append(f"{what} grew from {before:.0f} to {after:.0f}")
    if (most := max(seen["size"] for seen in looks)) > limit:
        faults.append(f"the store took {most:,} bytes, its size is {limit:,}")
    print(f"{len(faults)} faults", *faults[:20], sep="\n  ")
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cortado", default="target/release/cortado")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--size", default="256M")
    options = parser.parse_args()
    dir = tempfile.mkdtemp(prefix="cortado-load-")
    command = [options.cortado, "serve", f"{dir}/store", "--listen", f"{HOST}:{PORT}", "--size", options.size, "--access-log", "none"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while socket.socket().connect_ex((HOST, PORT)):
            time.sleep(0.01)
        names, tally, end = Names(), Tally(), time.monotonic() + options.minutes * 60
        clients = [Client(number, names, tally, end) for number in range(options.clients)]
        for client in clients:
            client.start()
        looks = []
        while time.monotonic() < end:
            looks.append(look(server.pid, f"{dir}/store"))
            time.sleep(min(2.0, options.minutes))
        for client in clients:
            client.join(90)
        return report(looks, tally, bytes_of(options.size))
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(dir)


if __name__ == "__main__":
    sys.exit(main())
