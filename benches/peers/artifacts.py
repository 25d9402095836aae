"""The workload of artifacts: trees made from this machine's own files, and what each tool does with them.

A tool packs a tree into a file, or unpacks that file into a fresh directory, which is compared with the tree.
"""

import os
import random
import shutil
import subprocess

import clock

PLACES = ["/usr/bin", "/usr/include", "/usr/lib", "/usr/share"]
PACK, UNPACK = "pack", "unpack"


class Tree:
    """A directory to pack, made with a fixed seed."""

    def __init__(self, name, dir):
        self.name, self.dir = name, dir

    def mixed(self, size):
        """About `size` bytes of large and small files, sampled from /usr."""
        files = [os.path.join(dir, name) for place in PLACES for dir, _, names in os.walk(place) for name in names]
        files = sorted(path for path in files if os.path.isfile(path) and not os.path.islink(path))
        random.Random(1).shuffle(files)
        for path in files:
            size -= os.path.getsize(path)
            target = self.dir + path
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.copy2(path, target)
            # Capabilities and the like cannot be in an artifact.
            for attribute in os.listxattr(target):
                os.removexattr(target, attribute)
            if size < 0:
                break
        return self

    def small(self, count, text):
        """Files of 1 to 8 KB in directories of 50, cut out of a text."""
        dice = random.Random(2)
        for number in range(count):
            dir = f"{self.dir}/{number // 2500}/{number // 50 % 50}"
            os.makedirs(dir, exist_ok=True)
            size, start = dice.randint(1 << 10, 8 << 10), dice.randrange(len(text) - (8 << 10))
            with open(f"{dir}/{number}", "wb") as file:
                file.write(text[start : start + size])
        return self


def text():
    """What small files are cut out of: headers and a program."""
    paths = sorted(os.path.join(dir, name) for dir, _, names in os.walk("/usr/include") for name in names)[:2000]
    return b"".join(open(path, "rb").read() for path in ["/bin/sh", *paths] if os.path.isfile(path))


class Tool:
    """Commands for a shell. `{tree}`, `{file}` and `{out}` (an empty directory) are replaced."""

    def __init__(self, name, pack=None, unpack=None, programs=()):
        self.name, self.commands, self.programs = name, {PACK: pack, UNPACK: unpack}, programs

    def run(self, verb, tree, file, dir):
        """Runs one command. Returns its cost, with the peak memory of its largest process."""
        out = f"{dir}/out"
        if os.path.exists(dir):
            # An artifact holds the path that it is installed to: both verbs need the same directory.
            os.rename(dir, f"{dir}.packed")
        os.makedirs(out)
        # Nothing written earlier should have to reach the disk on this one's time.
        os.sync()
        line = self.commands[verb].format(tree=tree.dir, file=file, out=out, dir=dir)
        cost = clock.run(["time", "--format=%M", f"--output={dir}/peak", "sh", "-c", line], dir)
        with open(f"{dir}/peak") as peak:
            cost.memory = int(peak.read()) / 1024
        if os.path.getsize(f"{dir}.log"):
            # It says itself how long the part took that counts.
            cost.wall = float(open(f"{dir}.log").read())
        if verb == PACK:
            cost.size = os.path.getsize(file) / 1e6
        else:
            subprocess.run(["diff", "--recursive", "--no-dereference", "--brief", tree.dir, out], check=True)
        return cost


def tools(binaries):
    """Everything that is compared."""
    ours = f"{binaries}/examples/artifact"
    return [
        Tool(
            "cortado",
            f"exec {ours} pack {{tree}} {{dir}} {{file}}",
            f"exec {ours} unpack {{tree}} {{dir}} {{file}}",
        ),
        Tool(
            "tar and pigz -1",
            "tar -C {tree} -cf - . | pigz -1 -p2 > {file}",
            "pigz -d < {file} | tar -C {out} -xf -",
            ["tar", "pigz"],
        ),
        Tool("tar", "tar -C {tree} -cf {file} .", "tar -C {out} -xf {file}", ["tar"]),
        Tool("cp -a", unpack="cp -a {tree}/. {out}"),
    ]
