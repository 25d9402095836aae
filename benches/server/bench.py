#!/usr/bin/env python3
"""Holds `cortado serve` against nginx: the same files, the same machine, by turns.

    cargo build --release --features server
    benches/server/bench.py [--cortado target/release/cortado] [--seconds 5] [--rounds 3] [--objects 200000]

It needs nginx with its dav module, wrk and curl, and about 4 GB of disk. Each number is the median of the rounds, with
the range behind it; the load of the machine stands at the end, since it decides what the numbers are worth.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import urllib.request

NGINX = """
worker_processes auto; daemon off; pid {dir}/pid; error_log {dir}/err; user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; client_max_body_size 0;
  client_body_temp_path {dir}/tmp; proxy_temp_path {dir}/t1; fastcgi_temp_path {dir}/t2; uwsgi_temp_path {dir}/t3;
  scgi_temp_path {dir}/t4; client_body_buffer_size 128k;
  server {{ listen 127.0.0.1:{port} backlog=4096; root {dir}/root; location / {{ dav_methods PUT DELETE; create_full_put_path on; }} }}
}}
"""

PUTS = """
local n, who = 0, 0
setup = function(thread) thread:set("who", {run} .. "-" .. tostring(thread.addr):gsub("%W", "") .. "-" .. who); who = who + 1 end
local body = string.rep("x", 1024)
request = function() n = n + 1; return wrk.format("PUT", "/v1/artifacts/p" .. who .. "-" .. n, nil, body) end
"""


def wait(url):
    begin = time.monotonic()
    while True:
        try:
            return urllib.request.urlopen(url).status, time.monotonic() - begin
        except OSError as error:
            if getattr(error, "code", None):
                return error.code, time.monotonic() - begin
            time.sleep(0.002)


class Server:
    def __init__(self, name, command, port):
        self.name, self.url = name, f"http://127.0.0.1:{port}/v1/artifacts"
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.start = wait(self.url + "/nothing")[1]

    def memory(self):
        text = open(f"/proc/{self.process.pid}/status").read()
        return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def wrk(url, connections, seconds, script=None):
    command = ["wrk", "-t2" if connections > 1 else "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", url]
    command += ["-s", script] if script else []
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        print("    " + re.search(r"(Non-2xx.*|Socket errors.*)", text)[0])
    number, unit = re.search(r"Transfer/sec:\s+([\d.]+)(\w+)", text).groups()
    rate = float(number) * {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30}[unit]
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]), rate / 1e6


def curl(*args):
    command = ["curl", "-sf", "-o", "/dev/null", "-w", "%{time_total}", *args]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def get(server, name, connections, seconds, which):
    return wrk(f"{server.url}/{name}", connections, seconds)[which]


def put_small(server, dir, run, seconds):
    script = os.path.join(dir, "put.lua")
    with open(script, "w") as file:
        file.write(PUTS.replace("{run}", f'"{run}"'))
    return wrk(server.url, 64, seconds, script)[0]


def large(server, dir, run, direction):
    path, size = os.path.join(dir, "large"), 100e6
    if direction == "put":
        return size / 1e6 / curl("-T", path, "-H", "Expect:", f"{server.url}/large-{run}")
    return size / 1e6 / curl(f"{server.url}/large")


def row(work, servers, measure, unit, rounds):
    found = {server.name: [] for server in servers}
    for number in range(rounds):
        for server in servers if number % 2 == 0 else reversed(servers):
            found[server.name].append(measure(server, number))
    middle = {name: statistics.median(values) for name, values in found.items()}
    cells = [f"{middle[name]:,.0f} ({min(v):,.0f}-{max(v):,.0f})" for name, v in found.items()]
    ratio = middle["cortado"] / middle["nginx"]
    print(f"| {work} | {unit} | " + " | ".join(cells) + f" | {ratio:.2f} |", flush=True)


def fill(store, count):
    """Objects as other machines on NFS would leave them: files that this server has never seen."""
    for number in range(count):
        name = f"object-{number}"
        shard = os.path.join(store, "objects", hashlib.sha256(name.encode()).hexdigest()[:2])
        os.makedirs(shard, exist_ok=True)
        with open(os.path.join(shard, name), "w") as file:
            file.write("x")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cortado", default="target/release/cortado")
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--objects", type=int, default=200_000)
    options = parser.parse_args()
    dir = tempfile.mkdtemp(prefix="cortado-bench-")
    try:
        run(options, dir)
    finally:
        shutil.rmtree(dir)


def run(options, dir):
    os.makedirs(f"{dir}/root/v1/artifacts")
    with open(f"{dir}/nginx.conf", "w") as file:
        file.write(NGINX.format(dir=dir, port=18201))
    for name, size in [("small", 1024), ("middle", 1 << 20), ("large", 100_000_000)]:
        with open(f"{dir}/{name}", "wb") as file:
            file.write(os.urandom(size))
    store = f"{dir}/store"
    cortado = [options.cortado, "serve", store, "--listen", "127.0.0.1:18202", "--access-log", "none"]
    servers = [Server("cortado", cortado, 18202), Server("nginx", ["nginx", "-c", f"{dir}/nginx.conf"], 18201)]
    for server in servers:
        for name in ["small", "middle", "large"]:
            curl("-T", f"{dir}/{name}", f"{server.url}/{name}")
            curl(f"{server.url}/{name}")
    print("| work | unit | cortado | nginx | ratio |\n|---|---|---|---|---|")
    seconds, rounds = options.seconds, options.rounds
    row("GET 1 KB, 64 connections", servers, lambda s, n: get(s, "small", 64, seconds, 0), "requests/s", rounds)
    row("GET 1 MB, 8 connections", servers, lambda s, n: get(s, "middle", 8, seconds, 1), "MB/s", rounds)
    row("GET 100 MB", servers, lambda s, n: large(s, dir, n, "get"), "MB/s", 2 * rounds + 1)
    row("PUT 100 MB", servers, lambda s, n: large(s, dir, n, "put"), "MB/s", 2 * rounds + 1)
    row("PUT 1 KB, 64 connections", servers, lambda s, n: put_small(s, dir, n, seconds), "requests/s", rounds)
    for server in servers:
        server.stop()
    shutil.rmtree(f"{dir}/root")
    memory_and_start(options, cortado, dir, store)
    print("load of the machine: " + open("/proc/loadavg").read().strip())


def memory_and_start(options, cortado, dir, store):
    server = Server("cortado", cortado, 18202)
    with open(f"{dir}/huge", "wb") as file:
        file.truncate(1_000_000_000)
    curl("-T", f"{dir}/huge", f"{server.url}/huge")
    wrk(f"{server.url}/huge", 64, 2 * options.seconds)
    print(f"memory, 64 GETs of 1 GB at once: {server.memory():.0f} MB at most")
    server.stop()
    server = Server("cortado", cortado, 18202)
    puts = [
        subprocess.Popen(["curl", "-s", "--max-time", str(2 * options.seconds), "-T", f"{dir}/huge", f"{server.url}/huge{n}"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for n in range(64)]
    for put in puts:
        put.wait()
    print(f"memory, 64 PUTs of 1 GB at once, for {2 * options.seconds} s: {server.memory():.0f} MB at most")
    server.stop()
    fill(store, options.objects)
    server = Server("cortado", cortado, 18202)
    print(f"start with {options.objects:,} objects to the first answer: {server.start * 1000:.0f} ms")
    server.stop()


if __name__ == "__main__":
    main()
