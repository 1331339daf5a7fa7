"""What every study shares: its plan, its command line and its JSON file.

A study is a file of this folder with a function of one replicate, a plan and a `Study`::

    def replicate(seed: int, design: str, draw: int) -> dict: ...

    PLAN = [{"design": d, "draw": i} for d in ("null", "planted") for i in range(200)]
    STUDY = Study(__file__, __doc__, PLAN, replicate)

    if __name__ == "__main__":
        STUDY.main()

It writes ``reports/studies/<name>.json``: every replicate with its seed, in the order of the plan.
No study may have the name of a package (coverage.py), whose place it would take.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from iesoresearch import hashes
from iesoresearch.execution.cache import versions
from iesoresearch.files import write_text
from iesoresearch.seeds import derive

SEED = 20261122
DIGITS = 9  # of numbers in the file: what differs beyond them differs between machines


@dataclass(frozen=True)
class Study:
    """Replicates of one simulation.

    Attributes
    ----------
    file, about
        ``__file__`` and ``__doc__`` of the study.
    plan
        Arguments of every replicate but its seed, each a plain value; no two alike. The seed is
        made of them, so that a longer plan leaves the replicates of a shorter one as they were.
    replicate
        Called as ``replicate(seed, **arguments)``; returns numbers, texts and arrays by name.
    """

    file: str
    about: str
    plan: list[dict[str, Any]]
    replicate: Callable[..., dict[str, Any]]

    @property
    def name(self) -> str:
        return Path(self.file).stem

    @property
    def path(self) -> Path:
        return Path(self.file).resolve().parents[1] / "reports" / "studies" / f"{self.name}.json"

    def seed(self, number: int) -> int:
        """Seed of a replicate: 32 bits, which every reader of JSON keeps."""
        return derive(SEED, self.name, json.dumps(self.plan[number], sort_keys=True)) % 2**32

    def record(self, number: int) -> dict[str, Any]:
        """Compute one replicate: its seed, its arguments and what came out, as plain values."""
        seed, arguments = self.seed(number), self.plan[number]
        return {"seed": seed, **arguments, **_plain(self.replicate(seed, **arguments))}

    def records(self, numbers: list[int], jobs: int = 1) -> Iterator[dict[str, Any]]:
        """Compute replicates, in order, whatever the number of processes."""
        if jobs == 1:
            yield from map(self.record, numbers)
        else:
            with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
                yield from pool.map(self.record, numbers)

    def main(self, words: list[str] | None = None) -> None:
        """The command line of the study."""
        parser = argparse.ArgumentParser(description=self.about.partition("\n")[0])
        parser.add_argument("--jobs", type=int, default=1, help="processes side by side")
        parser.add_argument("--only", help="i,j: print these replicates, and write nothing")
        options = parser.parse_args(words)
        if options.only:
            for record in self.records([int(i) for i in options.only.split(",")], options.jobs):
                print(json.dumps(record))
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        head, lines = self._head(), []  # of the code that runs, not of what it is in the end
        for record in self.records(list(range(len(self.plan))), options.jobs):
            lines.append(json.dumps(record))
            print(f"\r{self.name}: {len(lines)} of {len(self.plan)}", end="", file=sys.stderr)
        replicates = ',\n "replicates": [\n  ' + ",\n  ".join(lines) + "\n ]\n}\n"
        write_text(self.path, head[:-2] + replicates)
        print(f"\n{self.path}")

    def _head(self) -> str:
        made = {"file": hashes.file_hash(Path(self.file)), "code": hashes.code_hash()}
        about = {"study": self.name, "about": self.about.strip(), "seed": SEED}
        return json.dumps(about | made | {"versions": versions()}, indent=1)


def _plain(value: Any) -> Any:
    """As JSON has it: arrays as lists, numbers to `DIGITS` digits, what is no number as null."""
    if isinstance(value, dict):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
