"""The graph of a workload: which task depends on which, and the text that each task writes."""

WIDTH = 50


class Graph:
    """Tasks by number, each with the numbers of its upstreams and a text."""

    def __init__(self, shape, count):
        self.shape = shape
        self.upstreams = [SHAPES[shape](number) for number in range(count)]
        self.texts = [str(number) for number in range(count)]

    def __len__(self):
        return len(self.texts)

    def changed(self, number):
        """The same graph with another text for one task."""
        other = Graph(self.shape, len(self))
        other.texts[number] += "-changed"
        return other

    def leaf(self):
        """A task that no task depends on."""
        return len(self) - 1

    def root(self):
        """A task that depends on none and that most depend on."""
        return 0


def chain(number):
    """Each task depends on the one before it."""
    return [number - 1] if number else []


def wide(number):
    """All tasks depend on the first."""
    return [0] if number else []


def layered(number):
    """Layers of 50 tasks; each task depends on three of the layer below."""
    layer, place = divmod(number, WIDTH)
    return [(layer - 1) * WIDTH + (place + step) % WIDTH for step in (0, 1, 7)] if layer else []


SHAPES = {"chain": chain, "wide": wide, "layered": layered}
