"""All draws and waits of the waiting model, beside a loop over draws and waits in numpy.

    python benchmarks/waiting.py [--n DRAWS] [--jobs THREADS] [--peer DRAWS]

By default 100,000 draws of all inputs, 53 waits and four starting bands over five years: the claim
is less than 60 seconds on two cores. The loop takes a few draws and its time is extrapolated.
Nothing is reported unless every total agrees. CPU seconds say what a busy machine hides.
"""

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

from iesoresearch.data.health_economics import load_inputs
from iesoresearch.models.waiting import WaitingModel, draw_inputs
from iesoresearch.models.waiting.cohort import natural_matrix

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
SEED = 1
WAITS = range(53)
#: The base case of `waiting`.
MODEL = WaitingModel()  # the base case


def by_numpy(draws: dict, d: int) -> np.ndarray:
    """(rewards + 1, starting bands, waits): people in phases carried from week to week."""
    a = MODEL.arrays({name: values[[d]] for name, values in draws.items()})
    horizon, n_bands = MODEL.horizon_weeks, a.values.shape[2]
    weights = np.ones(horizon + 1)
    weights[[0, -1]] = 0.5
    discounts = a.factor[0] ** np.arange(horizon + 1)
    found = np.zeros((len(a.names) + 1, n_bands - 1, len(WAITS)))
    seconds, length = a.second_weeks[0], a.treatment_weeks[0]
    for s in range(n_bands - 1):
        weeks = [natural_matrix(a, s, t) for t in range(horizon)]
        for wait in WAITS:
            waiting, other = np.eye(n_bands)[s + 1], np.zeros(n_bands)
            treated = np.zeros((len(seconds), n_bands))
            for t in range(horizon + 1):
                if t == wait and t < horizon:
                    found[-1, s, wait] += discounts[t] * waiting @ a.first[0]
                    on = waiting * a.engaged[0]
                    treated = a.second_shares[0][:, None] * on
                    other, waiting = other + waiting - on, waiting * 0
                for g, second in enumerate(seconds):
                    if t == wait + second and t < horizon:
                        found[-1, s, wait] += discounts[t] * treated[g] @ a.rest[0]
                    if t == wait + second + length:
                        other, treated[g] = other + treated[g] @ a.effect[0], 0
                here = waiting + other + treated.sum(0)
                found[:-1, s, wait] += weights[t] * discounts[t] * (a.values[0] @ here)
                if t < horizon:
                    leaves = a.dropout[0] * waiting
                    other = (other + leaves) @ weeks[t]
                    waiting = (waiting - leaves) @ weeks[t]
                    for g, second in enumerate(seconds):
                        gone = treated[g] * (a.dropout[0] if t < wait + second else 0)
                        treated[g], other = (treated[g] - gone) @ weeks[t], other + gone @ weeks[t]
    return found


def ours(outcome, d: int) -> np.ndarray:
    """The same numbers of one draw."""
    parts = [outcome.background, *outcome.qaly.values(), outcome.productivity_weeks]
    return np.stack([part[d] for part in (*parts, outcome.therapy)])


def timed(what, *args, **kwargs) -> tuple[object, dict[str, float]]:
    """Result, with wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = what(*args, **kwargs)
    return found, {"s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}


def measure(n: int, jobs: int, few: int) -> dict:
    inputs = load_inputs()
    MODEL.evaluate(draw_inputs(inputs, 2, SEED, MODEL.condition))  # compiled the first time
    times = {}
    draws, times["drawing"] = timed(draw_inputs, inputs, n, SEED, MODEL.condition)
    for threads in sorted({1, jobs}):
        found = timed(MODEL.evaluate, draws, WAITS, n_jobs=threads)
        outcome, times[f"{threads} thread{'s' * (threads > 1)}"] = found
    expected, loop = timed(lambda: [by_numpy(draws, d) for d in range(few)])
    times["numpy, extrapolated"] = {name: value * n / few for name, value in loop.items()}
    for d, numbers in enumerate(expected):
        if not np.allclose(ours(outcome, d), numbers, rtol=0, atol=1e-9):
            raise SystemExit("The two do not agree, so nothing is reported.")
    return {"draws": n, "waits": len(WAITS), "peer_draws": few, "times": times}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--peer", type=int, default=5)
    args = parser.parse_args()
    result = measure(args.n, args.jobs, args.peer)
    result["machine"] = {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "numba": version("numba"),
        "numpy": version("numpy"),
    }
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "waiting.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    loop = result["times"]["numpy, extrapolated"]
    print(f"{'':22} {'s':>10} {'CPU s':>10} {'ratio of CPU':>14}")
    for name, one in result["times"].items():
        ratio = "" if name == "drawing" else f"{loop['cpu_s'] / one['cpu_s']:14.0f}"
        print(f"{name:22} {one['s']:10.1f} {one['cpu_s']:10.1f} {ratio}")


if __name__ == "__main__":
    main()
