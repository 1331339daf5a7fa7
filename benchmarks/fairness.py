"""Six metrics of twelve groups with a bootstrap, beside fairlearn, aequitas and numpy.

    python benchmarks/fairness.py [--n ROWS ...] [--resamples N] [--peer N]

Ours is everything from rows to a table with intervals, warm, on one thread, by the clock. Peers
run a few resamples; their time for all is extrapolated from processor seconds, which a busy machine
does not lengthen. Nothing is reported unless the metrics agree.
"""

import argparse
import json
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from iesoresearch.models.group_metrics import audit
from iesoresearch.seeds import rng

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
SEED, GROUPS, REPETITIONS = 1, 12, 7
NAMES = np.array([f"group {i:02}" for i in range(GROUPS)])
METRICS = ("selection_rate", "tpr", "fpr", "ppv", "npv", "accuracy")


def draw(n: int):
    """Outcomes, decisions and codes of twelve groups, the smallest with 1 % of the rows."""
    random = rng(SEED, "benchmark", "fairness", n)
    share = np.linspace(1, 15.7, GROUPS)
    group = random.choice(GROUPS, size=n, p=share / share.sum()).astype(np.uint8)[patients(n)]
    y = random.random(n) < 0.3 + 0.02 * group
    return y, random.random(n) < np.where(y, 0.7, 0.2), group


def patients(n: int) -> np.ndarray:
    """Whose row it is: every other patient has two."""
    return np.arange(n) * 2 // 3


def ways(group: np.ndarray) -> dict[str, dict]:
    """How the groups, and what else there is, may be handed over."""
    enum = pl.Series(NAMES[group], dtype=pl.Enum(NAMES))
    three = {"two": group % 2, "four": group % 4, "six": group % 6}
    patient = patients(len(group))
    return {
        "codes of 8 bits": {"groups": {"group": group}},
        "polars Enum": {"groups": {"group": enum}},
        "polars strings": {"groups": {"group": enum.cast(pl.String)}},
        "three groupings of 12 groups": {"groups": three},
        "codes, within groups": {"groups": {"group": group}, "strata": group},
        "codes, 150 services": {"groups": {"group": group}, "clusters": patient % 150},
        "codes, by patient": {"groups": {"group": group}, "clusters": patient},
    }


def ours(y, decision, resamples: int, **how):
    """Least seconds of the repetitions, and what came out."""
    took = []
    for _ in range(REPETITIONS):
        began = time.perf_counter()
        found = audit(
            y, decision, metrics=METRICS, n_boot=resamples, random_state=SEED, **how
        )  # fmt: skip
        frame = found.to_frame()
        took.append(time.perf_counter() - began)
    began = time.perf_counter()
    found.differences()
    return min(took), time.perf_counter() - began, found, frame


def by_rows(y, decision, group) -> np.ndarray:
    """(metrics, groups) in numpy."""
    cells = np.bincount(4 * group.astype(np.int64) + 2 * y + decision, minlength=4 * GROUPS)
    tn, fp, fn, tp = cells.reshape(GROUPS, 4).T
    n = tn + fp + fn + tp
    return np.array(
        [
            *((tp + fp) / n, tp / (tp + fn), fp / (fp + tn), tp / (tp + fp), tn / (tn + fn)),
            (tp + tn) / n,
        ]
    )


def numpy_peer(y, decision, group, few: int):
    """Seconds per resample of drawn rows, and the metrics of all."""
    random, began = rng(SEED, "peer"), time.process_time()
    for _ in range(few):
        rows = random.integers(0, len(y), len(y))
        by_rows(y[rows], decision[rows], group[rows])
    return (time.process_time() - began) / few, by_rows(y, decision, group)


def fairlearn_peer(y, decision, group, few: int):
    from fairlearn.metrics import (
        MetricFrame,
        false_positive_rate,
        selection_rate,
        true_positive_rate,
    )
    from sklearn.metrics import accuracy_score, precision_score

    metrics = {
        "selection_rate": selection_rate,
        "tpr": true_positive_rate,
        "fpr": false_positive_rate,
        "ppv": precision_score,
        "npv": lambda y, d: precision_score(y, d, pos_label=0),
        "accuracy": accuracy_score,
    }
    given = {"metrics": metrics, "sensitive_features": NAMES[group]}
    given |= {"y_true": y.astype(int), "y_pred": decision.astype(int)}
    began = time.process_time()
    plain = MetricFrame(**given)
    once = time.process_time() - began
    began = time.process_time()
    MetricFrame(**given, n_boot=few, ci_quantiles=[0.025, 0.975], random_state=SEED)
    each = (time.process_time() - began - once) / few
    return each, plain.by_group.sort_index()[list(METRICS)].to_numpy(dtype=float).T


def aequitas_peer(y, decision, group, few: int):
    from aequitas.group import Group

    frame = pd.DataFrame(
        {"label_value": y.astype(int), "score": decision.astype(int), "group": NAMES[group]}
    )
    random, began = rng(SEED, "peer"), time.process_time()
    for _ in range(few):
        drawn = frame.iloc[random.integers(0, len(y), len(y))].reset_index(drop=True)
        Group().get_crosstabs(drawn, attr_cols=["group"])
    each = (time.process_time() - began) / few
    found = Group().get_crosstabs(frame, attr_cols=["group"])[0].sort_values("attribute_value")
    size = found["group_size"]
    columns = [found["pp"] / size, found["tpr"], found["fpr"], found["precision"], found["npv"]]
    right = found["tp"] + found["tn"]
    return each, np.array([*columns, right / size], dtype=float)


PEERS = {"numpy, rows": numpy_peer, "fairlearn": fairlearn_peer, "aequitas": aequitas_peer}


def measure(n: int, resamples: int, few: int) -> dict:
    y, decision, group = draw(n)
    seconds, gaps = {}, {}
    for name, how in ways(group).items():
        seconds[name], gaps[name], found, frame = ours(y, decision, resamples, **how)
        if name == "codes of 8 bits":
            table = frame.filter(grouping="group")["value"].to_numpy()
            values = table.reshape(GROUPS, len(METRICS)).T
            spread = np.array([found.estimates[m].replicates[:, 1:].std(axis=0) for m in METRICS])
    peers = {}
    for name, peer in PEERS.items():
        if name in ("fairlearn", "aequitas") and find_spec(name) is None:
            continue
        each, expected = peer(y, decision, group, few)
        if not np.allclose(values, expected, rtol=1e-12, atol=1e-12):
            raise SystemExit(f"{name} does not agree, so nothing is reported.")
        peers[name] = each * resamples
    check_spread(y, decision, group, spread)
    return {
        **{"rows": n, "resamples": resamples, "peer_resamples": few, "seconds": seconds},
        **{"seconds_of_differences": gaps, "peers_extrapolated": peers},
        "ratio": {name: took / seconds["codes of 8 bits"] for name, took in peers.items()},
        "versions": {p: found for p in ("iesoresearch", "fairlearn", "aequitas", "numpy", "polars")
                     if (found := installed(p))},
        **{"python": platform.python_version(), "machine": platform.machine()},
        **{"cores": os.cpu_count(), "load": os.getloadavg()[0]},
    }  # fmt: skip


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_spread(y, decision, group, spread, times: int = 40) -> None:
    """Stop unless a few resamples of rows spread as ours do, within 5 standard errors."""
    random = rng(SEED, "check")
    drawn = []
    for _ in range(times):
        rows = random.integers(0, len(y), len(y))
        drawn.append(by_rows(y[rows], decision[rows], group[rows]))
    off = np.log(np.std(drawn, axis=0, ddof=1) / spread) * np.sqrt(2 * (times - 1))
    if np.abs(off).max() > 5:
        raise SystemExit("Resampled counts and rows do not spread alike; nothing is reported.")


def table(result: dict) -> str:
    lines = [
        f"{result['rows']:,} rows, {result['resamples']:,} resamples, {len(METRICS)} metrics of "
        f"{GROUPS} groups, load {result['load']:.1f}; metrics agree to 1e-12",
        "",
    ]
    for name, took in result["seconds"].items():
        gaps = result["seconds_of_differences"][name]
        lines.append(f"iesoresearch, {name}: {took:.3f} s (and {gaps:.3f} s for the differences)")
    for name in PEERS:
        took = result["peers_extrapolated"].get(name)
        if took is None:
            lines.append(f"{name}: not installed")
            continue
        lines.append(
            f"{name}: {took:.1f} s, extrapolated from {result['peer_resamples']} resamples, "
            f"ratio {result['ratio'][name]:.0f}"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, nargs="+", default=[100_000, 1_000_000], help="rows")
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--peer", type=int, default=5, help="resamples of the peers")
    arguments = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    for n in arguments.n:
        result = measure(n, arguments.resamples, arguments.peer)
        print(table(result))
        file = OUT / f"fairness_{n}.json"
        file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(f"\nWritten to {file.relative_to(OUT.parents[2])}\n")


if __name__ == "__main__":
    main()
