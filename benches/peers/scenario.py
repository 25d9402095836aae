"""What a tool is put through: each step prepares a directory, runs the tool once, and looks at all outputs.

Nothing is ever deleted and made again in the same place: what has to go is renamed away, because ext4 creates files
up to fifteen times slower in a directory that has just lost many.
"""

import itertools
import os

import clock

COLD = "cold"
CACHED = "cold, caching"
NO_OP = "no-op"
OUTPUTS = "outputs deleted"
TREES = "outputs and trees deleted"
LEAF = "one leaf changed"
ROOT = "root changed"
SCENARIOS = [COLD, CACHED, NO_OP, OUTPUTS, TREES, LEAF, ROOT]


class Life:
    """One tool, one graph, one fresh directory."""

    def __init__(self, peer, dir, cached):
        self.peer, self.dir, self.cached = peer, dir, cached
        self.aside = (f"{dir}.aside/{number}" for number in itertools.count())
        os.makedirs(f"{dir}.aside")
        os.makedirs(dir)

    def build(self, graph):
        """Runs the tool once, checks all outputs, and returns the cost."""
        cost = self.run(self.peer.command(self.dir, self.cached))
        if self.peer.has_server:
            cost.processor = None
        for number, text in enumerate(graph.texts):
            path = self.peer.output(self.dir, number)
            with open(path) as output:
                if output.read() != text + "\n":
                    raise SystemExit(f"{self.peer.name}: `{path}` is wrong")
        return cost

    def run(self, command):
        """Runs a command of the tool, if there is one."""
        return clock.run(command, self.dir, self.peer.env(self.dir)) if command else None

    def begin(self, graph):
        """Describes a graph, starts what has to be running, and runs the tool for the first time."""
        self.peer.describe(self.dir, graph, self.cached)
        self.run(self.peer.start(self.dir))
        return self.build(graph)

    def rebuild(self, graph):
        """Describes a graph, and runs the tool once."""
        self.peer.describe(self.dir, graph, self.cached)
        return self.build(graph)

    def delete_outputs(self, graph):
        self.run(self.peer.clear(self.dir))
        self.move_away(self.peer.outputs(self.dir, graph), self.peer.outputs(self.dir, graph))

    def end(self):
        self.run(self.peer.stop(self.dir))

    def move_away(self, paths, again=()):
        for path in paths:
            os.rename(path, next(self.aside))
        for path in again:
            os.makedirs(path)


def live(peer, graph, dir, wanted):
    """Puts a tool through the wanted scenarios. Returns pairs of scenario and cost."""
    lives = []
    try:
        yield from scenarios(lives, peer, graph, dir, wanted)
    finally:
        for life in lives:
            life.end()


def scenarios(lives, peer, graph, dir, wanted):
    if COLD in wanted:
        lives.append(Life(peer, f"{dir}-cold", False))
        yield COLD, lives[-1].begin(graph)
    if peer.name == "sh" or not set(wanted) - {COLD}:
        return
    life = Life(peer, dir, peer.caches)
    lives.append(life)
    cold = life.begin(graph)
    if peer.caches:
        yield CACHED, cold
    if NO_OP in wanted:
        yield NO_OP, life.build(graph)
    if OUTPUTS in wanted:
        life.delete_outputs(graph)
        yield OUTPUTS, life.build(graph)
    if TREES in wanted and peer.trees(life.dir):
        life.move_away([*peer.outputs(life.dir, graph), *peer.trees(life.dir)])
        yield TREES, life.build(graph)
    if LEAF in wanted:
        yield LEAF, life.rebuild(graph.changed(graph.leaf()))
    if ROOT in wanted:
        yield ROOT, life.rebuild(graph.changed(graph.root()))
