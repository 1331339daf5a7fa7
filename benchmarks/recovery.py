"""Nested cross-validation of one outcome at every landmark, beside a plain loop in scikit-learn.

    python benchmarks/recovery.py [--n REFERRALS] [--jobs THREADS] [--landmark S]

Both models, tuned (6 configurations × 3 inner folds of patients) in 5 outer folds of services. The
peer is scikit-learn's GridSearchCV around the same pipelines in a loop over the same folds, at one
landmark. Nothing is reported unless both choose the same and predict the same.
"""

import argparse
import json
import os
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.model_selection import GridSearchCV

from iesoresearch.models.prediction.nested import nested, patient_folds
from iesoresearch.models.prediction.pipelines import build, configurations
from iesoresearch.models.prediction.schema import Categorical, Numeric, Schema
from iesoresearch.seeds import derive, rng

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
SEED = 1
MODELS = ("logistic", "xgboost")
#: Share of the referrals that are there after each session: 11,000 to 4,000 of 20,000.
SHARES = (0.55, 0.52, 0.46, 0.41, 0.36, 0.31, 0.27, 0.23, 0.20)
SCHEMA = Schema(
    tuple(Numeric(f"x{i}", -8, 8, "drawn", -1 if i < 2 else 0, spline=i < 3) for i in range(20)),
    tuple(Categorical(f"c{i}", tuple("abcdefghij"[: 3 + i % 6]), "drawn") for i in range(10)),
    ("x0", "x1"),
)


def draw(n: int, landmark: int):
    """Features, outcomes, patients and services: two scores that matter, and weak others."""
    random = rng(SEED, "benchmark", landmark)
    numbers = random.normal(size=(n, 20)).clip(-8, 8)
    numbers[:, 1] = 0.7 * numbers[:, 0] + 0.7 * numbers[:, 1]
    numbers = numbers.round(1)
    letters = [random.choice(f.categories, n) for f in SCHEMA.categorical]
    log_odds = -0.7 * numbers[:, 0] - 0.3 * numbers[:, 1] + 0.1 * numbers[:, 2:8].sum(axis=1)
    log_odds += 0.3 * (letters[0] == "a") - 0.3 * (letters[1] == "b")
    y = random.random(n) < 1 / (1 + np.exp(-log_odds))
    columns = dict(zip(SCHEMA.names, [*numbers.T, *letters], strict=True))
    X = pl.DataFrame(columns).with_columns(
        pl.when(pl.Series(random.random(n) > 0.1)).then(pl.col(name)).alias(name)
        for name in SCHEMA.names
    )
    return X, y, random.integers(0, n, n), random.integers(0, 15, n)


def ours(kind: str, data, jobs: int):
    began = time.perf_counter()
    found = nested(kind, SCHEMA, *data, random_state=SEED, n_jobs=jobs)
    return found, time.perf_counter() - began


def peer(kind: str, data, fold, jobs: int):
    """The loop that one would write: a grid search in every outer fold."""
    X, y, patient, _ = data
    grid = [{f"model__{k}": [v] for k, v in c.items()} for c in configurations(kind)]
    p, chosen = np.empty(len(y)), []
    began = time.perf_counter()
    for k in range(fold.max() + 1):
        test = fold == k
        train = np.flatnonzero(~np.isin(patient, patient[test]))
        inner = patient_folds(patient[train], 3, rng(derive(SEED, "outer", k), "inner"))
        splits = [(np.flatnonzero(inner != i), np.flatnonzero(inner == i)) for i in range(3)]
        search = GridSearchCV(
            build(kind, SCHEMA), grid, scoring="neg_log_loss", cv=splits, n_jobs=jobs
        )
        search.fit(X[train], y[train])
        p[test] = search.predict_proba(X.filter(test))[:, 1]
        chosen.append({name[7:]: v for name, v in search.best_params_.items()})
    return p, chosen, time.perf_counter() - began


def compare(kind: str, data, jobs: int) -> dict:
    found, took = ours(kind, data, jobs)
    p, chosen, theirs = peer(kind, data, found.fold, jobs)
    if list(found.chosen) != chosen or not np.allclose(found.p, p, rtol=0, atol=1e-6):
        raise SystemExit(f"{kind}: the two do not agree, so nothing is reported.")
    return {"ours": took, "peer": theirs, "ratio": theirs / took}


def measure(n: int, jobs: int, landmark: int) -> dict:
    rows = [int(n * share) for share in SHARES]
    ours(MODELS[0], draw(300, 0), jobs)  # whatever is loaded the first time
    ours(MODELS[1], draw(300, 0), jobs)
    seconds = {kind: [] for kind in MODELS}
    for s, count in enumerate(rows):
        data = draw(count, s)
        for kind in MODELS:
            seconds[kind].append(ours(kind, data, jobs)[1])
    beside = {kind: compare(kind, draw(rows[landmark], landmark), jobs) for kind in MODELS}
    total = sum(map(sum, seconds.values()))
    scale = sum(rows) / rows[landmark]
    return {
        **{"referrals": n, "rows": rows, "features": len(SCHEMA.names), "jobs": jobs},
        **{"seconds": seconds, "total_seconds": total, "landmark": landmark, "beside": beside},
        "peer_total_extrapolated": scale * sum(b["peer"] for b in beside.values()),
        "versions": {
            p: version(p) for p in ("iesoresearch", "numpy", "polars", "scikit-learn", "xgboost")
        },
        **{"python": platform.python_version(), "machine": platform.machine()},
        **{"cores": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def table(result: dict) -> str:
    s = result["landmark"]
    lines = [
        f"{result['referrals']:,} referrals, {result['features']} features, {result['jobs']} "
        f"threads, load {result['load']:.1f}; same choices, same predictions as the peer",
        "",
        f"{'landmark':>9}{'rows':>9}" + "".join(f"{kind:>12}" for kind in MODELS),
    ]
    for i, rows in enumerate(result["rows"]):
        each = "".join(f"{result['seconds'][kind][i]:12.1f}" for kind in MODELS)
        lines.append(f"{i:9}{rows:9,}{each}")
    lines.append(f"all landmarks, both models: {result['total_seconds']:.0f} s")
    for kind, b in result["beside"].items():
        lines.append(
            f"landmark {s}, {kind}: ours {b['ours']:.1f} s, GridSearchCV {b['peer']:.1f} s, "
            f"ratio {b['ratio']:.1f}"
        )
    lines.append(
        f"GridSearchCV, all landmarks: {result['peer_total_extrapolated']:.0f} s, extrapolated "
        f"from landmark {s} by rows"
    )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=20_000, help="referrals")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--landmark", type=int, default=4, help="where the peer runs")
    arguments = parser.parse_args()
    result = measure(arguments.n, arguments.jobs, arguments.landmark)
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"recovery_{arguments.n}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(f"\nWritten to {file.relative_to(OUT.parents[2])}")


if __name__ == "__main__":
    main()
