"""The table of results: medians for people, and everything as TSV for programs."""

import statistics
from collections import defaultdict

import machine


MEASURES = {
    "wall s": ("wall", ".3f"),
    "cpu s": ("processor", ".3f"),
    "peak MB": ("memory", ".0f"),
    "size MB": ("size", ".1f"),
}


class Table:
    """Costs by row and peer. A row says what was done: its words, such as shape, tasks and scenario."""

    def __init__(self, *columns):
        self.columns = columns
        self.costs = defaultdict(lambda: defaultdict(list))
        self.bases = {}
        self.busy = machine.Load()

    def order(self, rows):
        """Says in which order rows are shown; others come when they are first added to."""
        for row in rows:
            self.costs[row]

    def add(self, row, peer, cost):
        self.costs[row][peer].append(cost)
        self.busy.look()

    def compare(self, row, peer, base):
        """Has a row compared with what `peer` took for another."""
        self.bases[row, peer] = base

    def median(self, row, peer, what="wall"):
        values = [getattr(cost, what) for cost in self.costs.get(row, {}).get(peer, [])]
        values = [value for value in values if value is not None]
        return statistics.median(values) if values else None

    def ratio(self, row, peer, other):
        """How many times what `other` took."""
        ours, theirs = self.median(row, peer), self.median(self.bases.get((row, other), row), other)
        return ours / theirs if ours and theirs else None

    def text(self, others):
        """The table with the medians in seconds, and the ratios to some of the peers."""
        heads = [*self.columns, "", *self.measures(), *(f"x {other}" for other in others)]
        lines = [[*map(str, row), peer, *self.cells(row, peer, others)] for row, peer in self.pairs()]
        widths = [max(map(len, column)) for column in zip(heads, *lines)]
        said = [f"{machine.name()}, {machine.today()}, {self.busy}"]
        return "\n".join(said + ["  ".join(map(str.ljust, line, widths)).rstrip() for line in [heads, *lines]])

    def cells(self, row, peer, others):
        measures = [MEASURES[head] for head in self.measures()]
        medians = [shown(self.median(row, peer, what), form) for what, form in measures]
        return medians + [shown(self.ratio(row, peer, other), ".3g") for other in others]

    def measures(self):
        """The heads of what was measured of any run."""
        pairs = self.pairs()
        return [head for head, (what, _) in MEASURES.items() if any(self.median(*pair, what) is not None for pair in pairs)]

    def tsv(self, others):
        """A line for each row and peer, after a line with the names of the columns."""
        ratios = [f"x {other}" for other in others]
        lines = [[*self.columns, "peer", "runs", "least wall s", *self.measures(), *ratios, "machine", "date", "load"]]
        about = [machine.name(), machine.today(), str(self.busy)]
        for row, peer in self.pairs():
            walls = [cost.wall for cost in self.costs[row][peer]]
            least = [str(len(walls)), f"{min(walls):.3f}"]
            lines.append([*map(str, row), peer, *least, *self.cells(row, peer, others), *about])
        return "".join("\t".join(line) + "\n" for line in lines)

    def pairs(self):
        return [(row, peer) for row in self.costs for peer in self.costs[row]]


def shown(value, form):
    return "-" if value is None else format(value, form)
