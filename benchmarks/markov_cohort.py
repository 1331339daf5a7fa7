"""Draws per second of a cohort model, beside numpy and heormodel in one run on one thread.

    python benchmarks/markov_cohort.py [--draws N] [--peer-draws N] [--repetitions R]

The reference problem: 10 states, 260 weekly cycles, 3 strategies; every draw has transitions of
its own in each strategy, costs and utilities; both counted by trapezoid and discounted at 3.5 % a
year. Nothing is reported unless all contenders give the same totals.
"""

import argparse
import json
import os
import platform
import resource
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from heormodel.models.markov import CohortSpec, MarkovModel
from threadpoolctl import threadpool_limits

from iesoresearch.models.markov_cohort import (
    CohortModel,
    Duration,
    Reward,
    discount,
    evaluate_in_chunks,
    weights,
)
from iesoresearch.seeds import rng

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
SEED = 1
STATES, CYCLES, STRATEGIES = 10, 260, ("usual", "shorter wait", "no wait")
WEEK = Duration(1, "week")
RATE = 0.035
COUNTING, FACTORS = weights("trapezoid", CYCLES), discount(RATE, CYCLES, WEEK)
START = np.eye(STATES)[0]
NAMES = tuple(f"state {i}" for i in range(STATES))
CHUNK = 1024
AGREEMENT = 1e-9  # relative


def draw(n: int, first: int = 0):
    """Transitions (n, 3, 10, 10) with Dirichlet rows, costs and utilities (n, 10)."""
    random = rng(SEED, "benchmark", "markov_cohort", first)
    shapes = 1.0 + np.arange(STATES) % 3 + 20 * np.eye(STATES)
    gamma = random.standard_gamma(shapes, (n, len(STRATEGIES), STATES, STATES))
    p = gamma / gamma.sum(-1, keepdims=True)
    costs = random.gamma(25, 4, (n, STATES))
    return p, costs, random.beta(20, 10, (n, STATES)) * WEEK.years


def model(p, costs, utilities) -> CohortModel:
    rewards = (
        Reward("cost", costs[:, None, None], COUNTING, FACTORS),
        Reward("qaly", utilities[:, None, None], COUNTING, FACTORS, utility=True),
    )
    return CohortModel(
        NAMES, STRATEGIES, START, p[:, :, None], rewards, n_cycles=CYCLES, cycle=WEEK
    )


def ours(p, costs, utilities) -> np.ndarray:
    """(2, n, 3): cost and QALY, the check of every input included."""
    found = evaluate_in_chunks(
        lambda rows: model(p[rows], costs[rows], utilities[rows]), len(p), CHUNK
    )
    return np.array([found["cost"], found["qaly"]])


def ours_with_drawing(n: int) -> np.ndarray:
    """The same with every chunk drawn when it is needed, and forgotten."""
    found = evaluate_in_chunks(
        lambda rows: model(*draw(rows.stop - rows.start, rows.start)), n, CHUNK
    )
    return np.array([found["cost"], found["qaly"]])


def loop(p, costs, utilities) -> np.ndarray:
    """Numpy, one draw and strategy after the other."""
    found = np.empty((2, len(p), len(STRATEGIES)))
    both = COUNTING * FACTORS
    for d, k in np.ndindex(found.shape[1:]):
        trace = np.empty((CYCLES + 1, STATES))
        trace[0] = START
        for t in range(CYCLES):
            trace[t + 1] = trace[t] @ p[d, k]
        found[:, d, k] = both @ (trace @ costs[d]), both @ (trace @ utilities[d])
    return found


def chunked(p, costs, utilities, chunk: int = 128) -> np.ndarray:
    """Numpy, all strategies of a chunk of draws at once, by einsum; no trace is kept."""
    found = np.zeros((2, len(p), len(STRATEGIES)))
    both = COUNTING * FACTORS
    for first in range(0, len(p), chunk):
        rows = slice(first, first + chunk)
        m = np.broadcast_to(START, p[rows].shape[:3])
        for t in range(CYCLES + 1):
            found[0, rows] += both[t] * np.einsum("dks,ds->dk", m, costs[rows])
            found[1, rows] += both[t] * np.einsum("dks,ds->dk", m, utilities[rows])
            m = np.einsum("dki,dkij->dkj", m, p[rows])
    return found


def matmul(p, costs, utilities, chunk: int = 128) -> np.ndarray:
    """The same by matmul, with costs and utilities as further columns of the matrix."""
    found = np.zeros((2, len(p), len(STRATEGIES)))
    both = COUNTING * FACTORS
    for first in range(0, len(p), chunk):
        rows = slice(first, first + chunk)
        worth = np.stack([costs[rows], utilities[rows]], axis=-1)[:, None]
        table = np.concatenate([p[rows], np.broadcast_to(worth, (*p[rows].shape[:3], 2))], axis=-1)
        m = np.broadcast_to(START, (*p[rows].shape[:2], 1, STATES))
        for t in range(CYCLES + 1):
            after = m @ table
            found[:, rows] += both[t] * after[:, :, 0, STATES:].transpose(2, 0, 1)
            m = after[..., :STATES]
    return found


def heormodel(p, costs, utilities) -> np.ndarray:
    """Its Markov engine, with a function that looks the drawn arrays up."""

    def look_up(params, strategy):
        d = int(params["draw"])
        return CohortSpec(p[d, STRATEGIES.index(strategy)], costs[d], utilities[d])

    engine = MarkovModel(
        states=NAMES,
        interventions=STRATEGIES,
        transitions_and_rewards=look_up,
        n_cycles=CYCLES,
        cycle_length=WEEK.years,
        discount_rate=RATE,
        cycle_correction="half_cycle",
    )
    index = pd.RangeIndex(len(p), name="iteration")
    found = engine.evaluate(pd.DataFrame({"draw": np.arange(len(p))}, index=index))
    order = list(STRATEGIES)
    return np.array([found.costs_wide()[order], found.effects_wide()[order]])


PEERS = {
    "numpy, a chunk by einsum": chunked,
    "numpy, a chunk by matmul": matmul,
    "numpy, a draw at a time": loop,
    "heormodel": heormodel,
}


def check(drawn) -> None:
    """Stop unless all contenders agree."""
    few = [array[:40] for array in drawn]
    expected = loop(*few)
    for name, contender in {"iesoresearch": ours, **PEERS}.items():
        if not np.allclose(contender(*few), expected, rtol=AGREEMENT, atol=0):
            raise SystemExit(f"{name} gives other totals, so nothing is reported.")


def seconds(call, *arguments) -> np.ndarray:
    """Of the processor and of the clock: with one thread the first says what others hide."""
    clock, processor = time.perf_counter(), time.process_time()
    call(*arguments)
    return np.array([time.process_time() - processor, time.perf_counter() - clock])


def measure(n: int, peer_draws: int, repetitions: int) -> dict:
    drawn = draw(n)
    check(drawn)
    ours_with_drawing(64)
    slow = max(peer_draws // 20, 1)
    sizes = {name: peer_draws if "chunk" in name else slow for name in PEERS}
    best = {name: np.full(2, np.inf) for name in ("core", "with drawing", *PEERS)}
    for _ in range(repetitions):  # in turns: other work on the machine falls on all of them
        best["core"] = np.minimum(best["core"], seconds(ours, *drawn) / n)
        took = seconds(ours_with_drawing, n) / n
        best["with drawing"] = np.minimum(best["with drawing"], took)
        for name, contender in PEERS.items():
            few = [array[: sizes[name]] for array in drawn]
            best[name] = np.minimum(best[name], seconds(contender, *few) / sizes[name])
    return {
        **{"states": STATES, "cycles": CYCLES, "strategies": len(STRATEGIES), "draws": n},
        "draws_per_cpu_second": {name: 1 / each[0] for name, each in best.items()},
        "draws_per_second": {name: 1 / each[1] for name, each in best.items()},
        "ratio": {name: best[name][0] / best["core"][0] for name in PEERS},
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
        "versions": {p: version(p) for p in ("iesoresearch", "numba", "numpy", "heormodel")},
        **{"python": platform.python_version(), "machine": platform.machine()},
        **{"cores": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def table(result: dict) -> str:
    by_processor, by_clock = result["draws_per_cpu_second"], result["draws_per_second"]
    lines = [
        f"{STATES} states, {CYCLES} cycles, {len(STRATEGIES)} strategies, {result['draws']:,} "
        f"draws, one thread, load {result['load']:.1f}; the same totals from all",
        "",
        f"{'draws a second':28}{'processor':>12}{'clock':>12}{'ratio':>8}",
    ]
    for name, rate in by_processor.items():
        label = name if name in PEERS else f"iesoresearch, {name}"
        ratio = f"{result['ratio'][name]:8,.0f}" if name in PEERS else ""
        lines.append(f"{label:28}{rate:12,.0f}{by_clock[name]:12,.0f}{ratio}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--peer-draws", type=int, default=1_000, help="of numpy by chunks")
    parser.add_argument("--repetitions", type=int, default=5)
    arguments = parser.parse_args()
    with threadpool_limits(1):
        result = measure(arguments.draws, arguments.peer_draws, arguments.repetitions)
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"markov_cohort_{arguments.draws}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file.relative_to(OUT.parents[2])}")


if __name__ == "__main__":
    main()
