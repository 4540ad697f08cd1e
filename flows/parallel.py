"""Work shared out over the processors, where there is enough of it to pay for a second process."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import TypeVar

_THREADS = Path("/proc/self/task")  # those of libraries too, which Python's `threading` doesn't know

Item = TypeVar("Item")
Result = TypeVar("Result")


def processors() -> int:
    """Return how many processes may share work: one where a copy of this process isn't safe to go on.

    That is beside other threads, whose locks the copy would hold for ever, and on systems other than Linux, whose
    libraries don't bear it (Python's documentation of `multiprocessing`, "Contexts and start methods", 3.11).
    """
    alone = sys.platform == "linux" and len([*_THREADS.iterdir()]) == 1 and _is_no_copy()
    return len(os.sched_getaffinity(0)) if alone else 1


def _is_no_copy() -> bool:
    process = sys.modules.get("multiprocessing.process")
    return process is None or process.parent_process() is None


def shared_out(work: Callable[[Sequence[Item]], Result], items: Sequence[Item], weights: Sequence[int]) -> list[Result]:
    """Return `work` of each consecutive share of `items`, in their order; one share for each processor.

    `weights` say how much work each item is. The first share is done here, the others in copies of this process; a
    copy that fails leaves its share to this one, so an error is raised here as it would be without copies.
    """
    first, *others = _shares(items, weights, processors())
    started = [(*_copy(work, share), share) for share in others]
    results = [work(first)]
    for process, pipe, share in started:
        with open(pipe, "rb") as stream:  # noqa: PTH123  a pipe has no path
            told = stream.read()
        _, status = os.waitpid(process, 0)
        results.append(pickle.loads(told) if status == 0 else work(share))  # noqa: S301  a copy of this process wrote it
    return results


def _copy(work: Callable[[Sequence[Item]], Result], share: Sequence[Item]) -> tuple[int, int]:
    """Do `work` of a share in a copy of this process; return the copy's number, and the pipe that brings the result.

    Without `multiprocessing`, which takes as long to load as some hundreds of files to convert.
    """
    receiver, sender = os.pipe()
    if process := os.fork():
        os.close(sender)
        return process, receiver
    try:
        with open(sender, "wb") as stream:  # noqa: PTH123
            pickle.dump(work(share), stream, pickle.HIGHEST_PROTOCOL)
    except BaseException:  # what went wrong shows when the share is done again
        os._exit(1)
    os._exit(0)  # not this process's clean-up: what it inherited belongs to its parent


def _shares(items: Sequence[Item], weights: Sequence[int], number: int) -> list[Sequence[Item]]:
    """Return the items in at most `number` consecutive shares of about the same weight."""
    total, cuts = sum(weights), [0]
    for position, done in enumerate(accumulate(weights), start=1):
        if done * number >= total * len(cuts) and len(cuts) < number:
            cuts.append(position)
    cuts.append(len(items))
    return [items[start:end] for start, end in pairwise(cuts) if end > start] or [items]
