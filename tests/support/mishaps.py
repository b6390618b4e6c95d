"""What happens to a capture: packets missing, twice, out of order, or of one direction only."""

import random
import struct


def middle(frames, chance):
    """It began late."""
    return frames[len(frames) * chance.randint(15, 45) // 100 :]


def one_way(frames, chance):
    """Of each connection one direction only."""
    return [frame for frame in frames if (lambda p: p[0] < p[1])(struct.unpack_from("!HH", frame[1], 34))]


def other_way(frames, chance):
    """The other direction."""
    return [frame for frame in frames if (lambda p: p[0] > p[1])(struct.unpack_from("!HH", frame[1], 34))]


def swapped(frames, chance):
    """One in twenty stands where the next one was, with its time."""
    data = [frame[1] for frame in frames]
    for n in range(len(data) - 1):
        if chance.random() < 0.05:
            data[n], data[n + 1] = data[n + 1], data[n]
    return [(frame[0], each) for frame, each in zip(frames, data, strict=True)]


def misplaced(frames, chance):
    """One in twenty stands up to thirty places from its own, with its own time."""
    placed = [
        (n + (chance.randint(-30, 30) if chance.random() < 0.05 else 0), n, frame)
        for n, frame in enumerate(frames)
    ]
    return [frame for _, _, frame in sorted(placed, key=lambda each: each[:2])]


def doubled(frames, chance):
    """One in four was captured twice."""
    return [each for frame in frames for each in [frame] * (1 + (chance.random() < 0.25))]


def dropped(frames, chance):
    """One in a hundred is missing."""
    return [frame for frame in frames if chance.random() >= 0.01]


def untouched(frames, chance):
    """As it was."""
    return frames


ALL = [untouched, middle, one_way, other_way, swapped, misplaced, doubled, dropped]


def chance(*seed):
    """The same for the same seed."""
    return random.Random(repr(seed))
