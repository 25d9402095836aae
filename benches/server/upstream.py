#!/usr/bin/env python3
"""Measures what comes by way of `cortado serve --upstream`, beside the origin itself and beside nginx with `proxy_cache`.

    cargo build --release --features server
    benches/server/upstream.py [--cortado target/release/cortado] [--rounds 7] [--megabytes 100]

The origin is an nginx with plain files. In each round every server is asked twice for a file that nobody has asked for before:
it is brought for the first request, and served from the disk for the second. It needs nginx and curl.
"""

import argparse
import gzip
import io
import os
import statistics
import subprocess
import tarfile
import tempfile

from bench import Server

ORIGIN = """
worker_processes auto; daemon off; pid {dir}/pid; error_log {dir}/err; user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on;
  client_body_temp_path {dir}/t0; proxy_temp_path {dir}/t1; fastcgi_temp_path {dir}/t2; uwsgi_temp_path {dir}/t3; scgi_temp_path {dir}/t4;
  {http}
  server {{ listen 127.0.0.1:{port}; {server} }}
}}
"""

# What has to be whole before it is kept, as with us; nginx sends it on meanwhile.
CACHE = "proxy_cache_path {dir}/cache keys_zone=z:1m max_size=20g; proxy_max_temp_file_size 2048m;"
PROXY = "location / {{ proxy_pass http://127.0.0.1:{origin}; proxy_cache z; proxy_cache_valid 200 1h; proxy_buffering on; }}"


def nginx(name, dir, port, http="", server=""):
    os.makedirs(dir)
    with open(f"{dir}/conf", "w") as file:
        file.write(ORIGIN.format(dir=dir, port=port, http=http, server=server))
    return Server(name, ["nginx", "-p", dir, "-c", f"{dir}/conf"], port)


def artifact(size):
    """A `.tar.gz` whose content does not compress."""
    text = io.BytesIO()
    with gzip.GzipFile(fileobj=text, mode="wb", compresslevel=1, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w") as tar:
            member = tarfile.TarInfo("beans")
            member.size = size
            tar.addfile(member, io.BytesIO(os.urandom(size)))
    return text.getvalue()


def fetch(url):
    """Seconds to the first byte, and to the last one."""
    command = ["curl", "-sf", "-o", "/dev/null", "-w", "%{time_starttransfer} %{time_total}", url]
    return [float(word) for word in subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cortado", default="target/release/cortado")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--megabytes", type=int, default=100)
    arguments = parser.parse_args()
    size = arguments.megabytes * 1_000_000
    with tempfile.TemporaryDirectory() as dir:
        root = f"{dir}/root/v1/artifacts"
        os.makedirs(root)
        origin = nginx("origin", f"{dir}/origin", 8131, server=f"root {dir}/root;")
        proxy = nginx("nginx proxy_cache", f"{dir}/proxy", 8132, CACHE.format(dir=f"{dir}/proxy"), PROXY.format(origin=8131))
        command = [arguments.cortado, "serve", f"{dir}/near", "--listen", "127.0.0.1:8133", "--access-log", "none"]
        near = Server("cortado", [*command, "--size", "20G", "--upstream", origin.url], 8133)
        times = {}
        try:
            for number in range(arguments.rounds):
                for kind, content in [("bin", os.urandom(size)), ("tar.gz", artifact(size))]:
                    name = f"o{number}.{kind}"
                    with open(f"{root}/{name}", "wb") as file:
                        file.write(content)
                    for server in [origin, proxy, near]:
                        for way in ["cold", "warm"]:
                            times.setdefault((kind, way, server.name), []).append(fetch(f"{server.url}/{name}"))
                    os.remove(f"{root}/{name}")
            for (kind, way, server), found in sorted(times.items()):
                first, last = zip(*found)
                rates = [size / 1e6 / seconds for seconds in last]
                middle = statistics.median
                print(f"{kind:7} {way:5} {server:18} first byte {middle(first):.3f} s, all {middle(last):.3f} s, "
                      f"{middle(rates):.0f} MB/s ({min(rates):.0f}-{max(rates):.0f})")
            print(f"memory of cortado at most: {near.memory():.0f} MB")
            print("load:", " ".join(f"{load:.1f}" for load in os.getloadavg()))
        finally:
            for server in [near, proxy, origin]:
                server.stop()


if __name__ == "__main__":
    main()
