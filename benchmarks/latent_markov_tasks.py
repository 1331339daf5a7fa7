"""Whole tasks with the latent Markov model: what a user waits for, and what it needs.

    python benchmarks/latent_markov_tasks.py [--patients N] [--many M] [--repetitions R]

A fit to the default tolerance, plain and accelerated; the choice among 1 to 9 states with 20
starts each; 200 refits of a bootstrap over patients, begun at the fitted solution; the same with
one session a patient; the first fit of a new process, whose compiled code is on disk; and memory
at many patients. Data as in `latent_markov.py`, where the peers are. Short tasks: fastest of the
repetitions.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from latent_markov import LEVELS, OUT, STATES, Data, simulate

from iesoresearch.models import LatentMarkov

STATES_TO_CHOOSE_FROM = range(1, 10)
STARTS = 20
REFITS = 200


def model(n_states: int = STATES, **settings) -> LatentMarkov:
    return LatentMarkov(n_states, n_categories=LEVELS, **{"random_state": 1} | settings)


def seconds(task: Callable[[], object], repetitions: int = 1) -> tuple[float, object]:
    """Fastest of the repetitions, and what the task returned."""
    fastest = np.inf
    for _ in range(repetitions):
        began = time.perf_counter()
        result = task()
        fastest = min(fastest, time.perf_counter() - began)
    return fastest, result


# ---- tasks, each a row of the report


def fits(data: Data, repetitions: int) -> list[dict]:
    rows = []
    for accelerate in (False, True):
        settings = {"n_starts": 1, "accelerate": accelerate}
        took, fitted = seconds(
            lambda s=settings: model(**s).fit(data.items, data.lengths), repetitions
        )
        name = f"one fit{', accelerated' if accelerate else ''}"
        note = f"{fitted.n_iter_} E-steps to {fitted.log_likelihood_:.3f}"
        rows.append({"task": name, "seconds": took, "note": note})
    return rows


def selection(data: Data) -> dict:
    def task():
        return [
            model(k, n_starts=STARTS).fit(data.items, data.lengths) for k in STATES_TO_CHOOSE_FROM
        ]

    took, fitted = seconds(task)
    e_steps = sum(int(m.starts_["n_iter"].sum()) for m in fitted)
    name = f"{STATES_TO_CHOOSE_FROM[0]} to {STATES_TO_CHOOSE_FROM[-1]} states, {STARTS} starts each"
    return {"task": name, "seconds": took, "note": f"{e_steps} E-steps"}


def bootstrap(data: Data) -> dict:
    fitted = model(n_starts=1).fit(data.items, data.lengths)
    names = ("initial_probs", "transition_matrix", "item_probs")
    init = {name: getattr(fitted, f"{name}_") for name in names}
    random = np.random.default_rng(1)
    n = len(data.lengths)

    def task():
        for _ in range(REFITS):
            times = np.bincount(random.integers(0, n, n), minlength=n)
            model(init=init).fit(data.items, data.lengths, weights=times)

    return {"task": f"{REFITS} refits of a bootstrap", "seconds": seconds(task)[0], "note": ""}


def latent_class(data: Data, repetitions: int) -> dict:
    """Of the first sessions, where many patients gave the same answers to few items."""
    items = np.ascontiguousarray(data.items[np.cumsum(data.lengths) - data.lengths])
    took, fitted = seconds(lambda: model(3, n_starts=1).fit(items), repetitions)
    return {
        "task": "one fit of first sessions",
        "seconds": took,
        "note": f"{fitted.n_iter_} E-steps",
    }


FIRST_CALL = """
import time
began = time.perf_counter()
import numpy as np
from iesoresearch.models import LatentMarkov
imported = time.perf_counter()
items = np.random.default_rng(0).integers(0, 4, (600, 9)).astype("int8")
LatentMarkov(7, n_categories=4, n_starts=1, random_state=0).fit(items, [6] * 100)
print(imported - began, time.perf_counter() - imported)
"""


def first_call(repetitions: int) -> dict:
    """Once more than asked, because the first may have to compile."""
    ran = [
        subprocess.run(
            [sys.executable, "-c", FIRST_CALL], capture_output=True, text=True, check=True
        )
        for _ in range(repetitions + 1)
    ]
    times = np.array([run.stdout.split() for run in ran], dtype=float)[1:]
    best = times[times.sum(axis=1).argmin()]
    note = f"{best[0]:.2f} s to import, {best[1]:.2f} s for the fit"
    return {"task": "first fit of a new process", "seconds": best.sum(), "note": note}


MEMORY = """
import resource, sys
import numpy as np
from iesoresearch.models import LatentMarkov
model = LatentMarkov(7, n_categories=4, n_starts=1, random_state=0, max_iter=3, tol=0)
model.fit(np.zeros((600, 9), "int8"), [6] * 100)  # what the compiled code takes is not counted
items, lengths = np.load(sys.argv[1]), np.load(sys.argv[2])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
model.fit(items, lengths)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, items.nbytes)
"""


def memory(n_patients: int) -> dict:
    """In a process of its own; has to be first, for a child begins with the peak of its parent."""
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, bytes
    with tempfile.TemporaryDirectory() as folder:
        files = [str(Path(folder) / f"{name}.npy") for name in ("items", "lengths")]
        code = (
            "import sys, numpy as np; from latent_markov import simulate; "
            "data = simulate(int(sys.argv[3])); "
            "np.save(sys.argv[1], data.items.astype('int8')); np.save(sys.argv[2], data.lengths)"
        )
        here = Path(__file__).parent
        subprocess.run([sys.executable, "-c", code, *files, str(n_patients)], cwd=here, check=True)
        ran = subprocess.run(
            [sys.executable, "-c", MEMORY, *files], capture_output=True, text=True, check=True
        )
    grown, answers = map(int, ran.stdout.split())
    megabytes = (grown * unit + answers) / 2**20
    note = f"{answers / 2**20:.0f} MB of it the answers themselves, as int8"
    return {"task": f"memory at {n_patients:,} patients", "megabytes": megabytes, "note": note}


def table(rows: list[dict]) -> str:
    lines = []
    for row in rows:
        amount = f"{row['seconds']:.3f} s" if "seconds" in row else f"{row['megabytes']:.0f} MB"
        lines.append(f"{row['task']:36}{amount:>12}  {row['note']}".rstrip())
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=10_000)
    parser.add_argument("--many", type=int, default=1_000_000, help="patients for memory")
    parser.add_argument("--repetitions", type=int, default=7)
    arguments = parser.parse_args()
    rows = [memory(arguments.many), first_call(arguments.repetitions)]
    data = simulate(arguments.patients)
    for k in STATES_TO_CHOOSE_FROM:  # compile for every width before anything is timed
        model(k, n_starts=1, max_iter=2, tol=0).fit(data.items[:5000], None)
    rows += fits(data, arguments.repetitions)
    rows += [latent_class(data, arguments.repetitions), bootstrap(data), selection(data)]
    print(f"{arguments.patients:,} patients, {len(data.items):,} sessions, one thread\n")
    print(table(rows))
    result = {"patients": arguments.patients, "cores": os.cpu_count(), "results": rows}
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"latent_markov_tasks_{arguments.patients}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file.relative_to(OUT.parents[2])}")


if __name__ == "__main__":
    main()
