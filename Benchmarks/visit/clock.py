"""The time of a visit, and each part's share of it."""

import time

FOREVER = float("inf")


class Clock:
    """A clock of parts with weights: each gets its weight's share of the time that is left when
    it begins, so that time which one doesn't need goes to later parts."""

    def __init__(self, deadline=None, now=time.monotonic):
        self.now = now
        self.began = now()
        # The end of the visit is reserved for writing the results.
        self.reserve = 0 if deadline is None else min(12, deadline / 10)
        self.end = FOREVER if deadline is None else self.began + deadline - self.reserve
        self.part_end = self.end
        self.is_stopped = False

    def begin(self, weights):
        """Begins the first of the remaining parts, given the weights of all of these."""
        self.part_end = self.now() + self.left() * weights[0] / sum(weights) if self.end < FOREVER else FOREVER

    def stop(self):
        """Lets nothing more begin, and ends what is running."""
        self.is_stopped = True

    def left(self):
        """Returns the remaining seconds of the whole visit."""
        return 0 if self.is_stopped else max(0, self.end - self.now())

    def part_left(self):
        return 0 if self.is_stopped else max(0, self.part_end - self.now())

    def seconds(self):
        """Returns the seconds since the beginning."""
        return self.now() - self.began
