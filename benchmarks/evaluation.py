"""Intervals of a million predictions, beside a loop around scikit-learn.

    python benchmarks/evaluation.py [--n PREDICTIONS] [--resamples N] [--jobs THREADS] [--peer N]

Everything `evaluate` gives, beside four of these numbers from resampled rows in a plain loop, whose
time is that of a few resamples, extrapolated. Nothing is reported unless the numbers agree.
"""

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from sklearn.metrics import brier_score_loss, roc_auc_score

from iesoresearch.models.evaluation import bootstrap, evaluate, views
from iesoresearch.seeds import rng

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
SEED = 1
THRESHOLDS = np.array([0.25, 0.5, 0.75])


def draw(n: int):
    """Outcomes and predictions that are slightly too extreme; no two are equal."""
    random = rng(SEED, "benchmark", "evaluation")
    x = random.normal(size=n)
    y = random.random(n) < 1 / (1 + np.exp(-0.9 * x))
    return y.astype(float), 1 / (1 + np.exp(-x))


def by_scikit_learn(y: np.ndarray, p: np.ndarray) -> np.ndarray:
    """AUC, Brier score, observed / expected, and net benefit at `THRESHOLDS`."""
    benefits = []
    for t in THRESHOLDS:
        treated = p >= t
        benefits.append((y[treated].sum() - t / (1 - t) * (1 - y[treated]).sum()) / len(y))
    return np.array([roc_auc_score(y, p), brier_score_loss(y, p), y.sum() / p.sum(), *benefits])


def peer(y, p, resamples: int) -> float:
    """Seconds per resample of the loop that one would write."""
    random, began = rng(SEED, "peer"), time.perf_counter()
    for _ in range(resamples):
        rows = random.integers(0, len(y), len(y))
        by_scikit_learn(y[rows], p[rows])
    return (time.perf_counter() - began) / resamples


def check(y, p, found) -> None:
    """Stop unless estimates, and a resample of the same rows, are those of scikit-learn."""
    names = ["auc", "brier", "observed_expected", *(f"net_benefit_{t:g}" for t in THRESHOLDS)]
    order = np.argsort(p, kind="stable")
    unit = np.empty(len(y), dtype=np.int64)
    unit[order] = np.arange(len(y))
    laid = views.layout([views.View(order, "no curve")], y, p, unit, len(y), THRESHOLDS)
    drawn = bootstrap.bootstrap(laid, THRESHOLDS, 1, SEED, 1)[0]
    rows = np.repeat(order, bootstrap.counts(SEED, 0, len(y)))
    once = [*(drawn.values[name][0] for name in names[:3]), *drawn.net_benefit[0]]
    whole = [found.overall[name].value for name in names]
    for ours, expected in (
        (whole, by_scikit_learn(y, p)),
        (once, by_scikit_learn(y[rows], p[rows])),
    ):
        if not np.allclose(ours, expected, rtol=1e-11, atol=1e-13):
            raise SystemExit("The two do not agree, so nothing is reported.")


def measure(n: int, resamples: int, jobs: int, few: int) -> dict:
    evaluate(*draw(500), n_boot=100)  # whatever is compiled or loaded the first time
    y, p = draw(n)
    seconds = {}
    for threads in sorted({1, jobs}):
        began = time.perf_counter()
        found = evaluate(
            y, p, thresholds=THRESHOLDS, n_boot=resamples, random_state=SEED, n_jobs=threads
        )
        seconds[threads] = time.perf_counter() - began
    check(y, p, found)
    each = peer(y, p, few)
    return {
        **{"predictions": n, "resamples": resamples, "jobs": jobs, "seconds": seconds},
        **{"estimates": len(found.overall.estimates), "peer_resamples": few},
        **{"peer_seconds_per_resample": each, "peer_extrapolated": each * resamples},
        "ratio": {threads: each * resamples / took for threads, took in seconds.items()},
        "versions": {p: version(p) for p in ("iesoresearch", "numba", "numpy", "scikit-learn")},
        **{"python": platform.python_version(), "machine": platform.machine()},
        **{"cores": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def table(result: dict) -> str:
    lines = [
        f"{result['predictions']:,} predictions, {result['resamples']:,} resamples, load "
        f"{result['load']:.1f}; the same numbers as scikit-learn, whole and in a resample",
        "",
    ]
    for threads, took in result["seconds"].items():
        lines.append(
            f"evaluate, {result['estimates']} estimates and two curves, {threads} thread(s): "
            f"{took:.1f} s, ratio {result['ratio'][threads]:.0f}"
        )
    lines.append(
        f"scikit-learn in a loop, 6 estimates: {result['peer_extrapolated']:.0f} s, extrapolated "
        f"from {result['peer_resamples']} resamples of {result['peer_seconds_per_resample']:.2f} s"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=1_000_000, help="predictions")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--peer", type=int, default=5, help="resamples of the peer")
    arguments = parser.parse_args()
    result = measure(arguments.n, arguments.resamples, arguments.jobs, arguments.peer)
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"evaluation_{arguments.n}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file.relative_to(OUT.parents[2])}")


if __name__ == "__main__":
    main()
