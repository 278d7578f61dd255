"""The time of a visit, and each part's share of it."""

import time

FOREVER = float("inf")


class Clock:
    """Parts have weights: each gets its weight's share of what is left when it begins,
    so that what one doesn't need goes to those after it."""

    def __init__(self, deadline=None, now=time.monotonic):
        self.now = now
        self.began = now()
        # The end of all is for writing down what came out.
        self.reserve = 0 if deadline is None else min(12, deadline / 10)
        self.end = FOREVER if deadline is None else self.began + deadline - self.reserve
        self.part_end = self.end
        self.is_stopped = False

    def begin(self, weights):
        """Begins the first of the parts that are left, whose weights these are."""
        self.part_end = self.now() + self.left() * weights[0] / sum(weights) if self.end < FOREVER else FOREVER

    def stop(self):
        """Nothing is begun any more, and what is at work ends."""
        self.is_stopped = True

    def left(self):
        """Seconds of the whole visit."""
        return 0 if self.is_stopped else max(0, self.end - self.now())

    def part_left(self):
        return 0 if self.is_stopped else max(0, self.part_end - self.now())

    def seconds(self):
        """Since the beginning."""
        return self.now() - self.began
