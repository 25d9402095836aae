"""A peer: a build tool that is handed a graph, and what has to be known to run and check it.

Every tool runs one shell process for each task, which writes one line to one file.
"""

import json
import os
import stat

JOBS = os.cpu_count() or 1


class Peer:
    """A tool. Directories handed to it are its own, and absolute."""

    name = ""
    program = None
    """What has to be installed."""
    caches = False
    """Whether it can keep outputs elsewhere and restore them."""
    has_server = False
    """Whether the work is done in a process that is not the command's child, so that its cost is not known."""
    largest = 10_000
    """The largest graph that it is asked to build: some would take hours."""

    def __init__(self, path):
        self.path = path

    def describe(self, dir, graph, cached):
        """Writes what the tool reads."""
        raise NotImplementedError

    def command(self, dir, cached):
        """How the tool is called, in that directory."""
        raise NotImplementedError

    def env(self, dir):
        """Variables to add to the environment."""
        return {}

    def start(self, dir):
        """The command that starts what has to be running before the tool is timed; none for most."""
        return None

    def stop(self, dir):
        """The command that ends it."""
        return None

    def clear(self, dir):
        """The command by which the tool itself deletes its outputs, if that is how it is done."""
        return None

    def output(self, dir, number):
        """Where a task writes."""
        return f"{dir}/out/t{number}"

    def outputs(self, dir, graph):
        """The paths to move away so that all outputs are gone."""
        return [f"{dir}/out"]

    def trees(self, dir):
        """The paths to move away besides, so that only the cache remains."""
        return []


class Ninja(Peer):
    name = program = "ninja"

    def describe(self, dir, graph, cached):
        rules = ["rule echo", "  command = echo $text > $out"]
        for number, upstreams in enumerate(graph.upstreams):
            inputs = "".join(f" out/t{upstream}" for upstream in upstreams)
            rules += [f"build out/t{number}: echo{inputs}", f"  text = {graph.texts[number]}"]
        write(f"{dir}/build.ninja", rules)

    def command(self, dir, cached):
        return [self.path, "--quiet", f"-j{JOBS}"]


class Make(Peer):
    name = program = "make"

    def describe(self, dir, graph, cached):
        """Make does not see that a command has changed, so a text is an input file too."""
        rules = ["all: " + " ".join(f"out/t{number}" for number in range(len(graph)))]
        for number, upstreams in enumerate(graph.upstreams):
            inputs = "".join(f" out/t{upstream}" for upstream in upstreams)
            rules += [f"out/t{number}: in/t{number}{inputs}", f"\t@echo {graph.texts[number]} > $@ || false"]
            replace(f"{dir}/in/t{number}", graph.texts[number])
        write(f"{dir}/Makefile", rules)
        os.makedirs(f"{dir}/out", exist_ok=True)

    def command(self, dir, cached):
        return [self.path, f"-j{JOBS}", "--no-builtin-rules", "--silent"]


class Shell(Peer):
    """A script that does everything, one after the other, each time."""

    name = "sh"

    def describe(self, dir, graph, cached):
        lines = [f"sh -c 'echo {text} > out/t{number}'" for number, text in enumerate(graph.texts)]
        write(f"{dir}/script.sh", ["set -e", *lines])
        os.makedirs(f"{dir}/out", exist_ok=True)

    def command(self, dir, cached):
        return ["sh", "script.sh"]


class Turbo(Peer):
    """Turborepo. It runs each task by `npm`, which alone would take 0.15 s a task: a stand-in runs the task's script."""

    name = program = "turbo"
    caches = True
    largest = 1_000

    def describe(self, dir, graph, cached):
        root = {"name": "root", "private": True, "packageManager": "npm@10.0.0", "workspaces": ["packages/*"]}
        replace(f"{dir}/package.json", json.dumps(root))
        replace(f"{dir}/turbo.json", json.dumps({"tasks": {"build": {"dependsOn": ["^build"], "outputs": ["out/**"]}}}))
        replace(f"{dir}/.gitignore", "out\n.turbo")
        replace(f"{dir}/bin/npm", "#!/bin/sh\nexec sh ./build.sh")
        os.chmod(f"{dir}/bin/npm", stat.S_IRWXU)
        for number, upstreams in enumerate(graph.upstreams):
            self.package(f"{dir}/packages/t{number}", number, upstreams, graph.texts[number])

    def package(self, dir, number, upstreams, text):
        about = {"name": f"t{number}", "version": "1.0.0", "private": True, "scripts": {"build": "sh ./build.sh"}}
        about["dependencies"] = {f"t{upstream}": "*" for upstream in upstreams}
        replace(f"{dir}/package.json", json.dumps(about))
        replace(f"{dir}/build.sh", f"echo {text} > out/t{number}")
        os.makedirs(f"{dir}/out", exist_ok=True)

    def command(self, dir, cached):
        cache = [] if cached else ["--cache=local:,remote:"]
        quiet = ["--output-logs=none", "--ui=stream", "--no-update-notifier"]
        return [self.path, "run", "build", f"--concurrency={JOBS}", *quiet, *cache]

    def env(self, dir):
        return {"PATH": f"{dir}/bin:{os.environ['PATH']}", "TURBO_TELEMETRY_DISABLED": "1", "DO_NOT_TRACK": "1"}

    def output(self, dir, number):
        return f"{dir}/packages/t{number}/out/t{number}"

    def outputs(self, dir, graph):
        return [f"{dir}/packages/t{number}/out" for number in range(len(graph))]


class Bazel(Peer):
    """Bazel, with its server started before it is timed, and without sandboxes. All the work is the server's."""

    name = program = "bazel"
    caches = True
    largest = 1_000
    has_server = True

    def describe(self, dir, graph, cached):
        rules = []
        for number, upstreams in enumerate(graph.upstreams):
            inputs = ", ".join(f'":t{upstream}"' for upstream in upstreams)
            step = f"echo {graph.texts[number]} > $@"
            rules.append(f'genrule(name = "t{number}", srcs = [{inputs}], outs = ["t{number}.txt"], cmd = "{step}")')
        write(f"{dir}/WORKSPACE", [])
        write(f"{dir}/BUILD", rules)

    def command(self, dir, cached):
        cache = [f"--disk_cache={dir}.cache"] if cached else []
        quiet = ["--noshow_progress", "--show_result=0"]
        return [*self.client(dir), "build", "--spawn_strategy=local", f"--jobs={JOBS}", *quiet, *cache, "//:all"]

    def start(self, dir):
        return [*self.client(dir), "info", "release"]

    def stop(self, dir):
        return [*self.client(dir), "shutdown"]

    def clear(self, dir):
        return [*self.client(dir), "clean"]

    def client(self, dir):
        return [self.path, f"--output_user_root={dir}.bazel"]

    def output(self, dir, number):
        return f"{dir}/bazel-bin/t{number}.txt"

    def outputs(self, dir, graph):
        return []


class Cortado(Peer):
    caches = True

    def trees(self, dir):
        return [f"{dir}/work"]


class Lua(Cortado):
    """The binary, with a recipe that says every task in full."""

    name = "cortado Lua"

    def describe(self, dir, graph, cached):
        settings = f'install_dir = "{dir}/out", work_dir = "{dir}/work", cache = {str(cached).lower()}'
        lines = [f'local peers = project "peers" {{ {settings} }}']
        for number, upstreams in enumerate(graph.upstreams):
            needs = ", ".join(f'"t{upstream}"' for upstream in upstreams)
            step = f't:command "echo {graph.texts[number]} > @{{stage_install_dir}}/t{number}"'
            build = f"build = function(t) {step} end"
            lines.append(f'peers:task "t{number}" {{ version = "1", depends_on = {{ {needs} }}, {build} }}')
        write(f"{dir}/cortado.lua", lines)

    def command(self, dir, cached):
        return [f"{self.path}/cortado", "build", "--quiet", "--cache-dir", f"{dir}/cache"]

    def env(self, dir):
        """What it shares with other runs goes to the same file system as all else."""
        return {"XDG_CACHE_HOME": f"{dir}.home"}


class Rust(Cortado):
    """The library, in a program of its own."""

    name = "cortado Rust"

    def describe(self, dir, graph, cached):
        needs = ["".join(f" t{upstream}" for upstream in upstreams) for upstreams in graph.upstreams]
        write(f"{dir}/graph", [f"t{number} {graph.texts[number]}{needs[number]}" for number in range(len(graph))])

    def command(self, dir, cached):
        return [f"{self.path}/examples/embedded", "graph", dir, *([] if cached else ["uncached"])]


PEERS = [Ninja, Make, Shell, Turbo, Bazel, Lua, Rust]


def write(path, lines):
    with open(path, "w") as file:
        file.write("".join(f"{line}\n" for line in lines))


def replace(path, text):
    """Writes a file unless it says that already, so that its time tells of changes."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path) or open(path).read() != text + "\n":
        write(path, [text])
