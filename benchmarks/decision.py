"""Acceptability curves and the value of information, beside heormodel.

    python benchmarks/decision.py [--draws D] [--strategies K] [--inputs P] [--wtps W] [--large]

Curves: probability, expected loss and EVPI at W values of willingness to pay; nothing is reported
unless both agree to 1e-9. Value of information: EVPPI of each of P inputs; both within 4 standard
errors of each other. A pair of inputs that matter only together has a known worth, 1/π: what each
makes of it is reported. `--large` adds curves of 100,000 draws, 53 strategies, 100 values, ours
only: heormodel's frame would have 5.3 million rows.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread each, before numpy is loaded

import argparse
import json
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from heormodel import cea, voi
from heormodel.models import Outcomes

from iesoresearch.models import decision
from iesoresearch.seeds import rng

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
WTP = 20_000.0


def timed(call, *arguments, **options):
    began = time.perf_counter()
    result = call(*arguments, **options)
    return result, time.perf_counter() - began


def draw(n: int, k: int, p: int):
    """Costs, effects and inputs: curved in the inputs, which fade in what they matter."""
    random = rng(1, "benchmark", "decision")
    x = random.gamma(3, size=(n, p))
    fade = 0.8 ** np.arange(p)[:, None]
    effects = 1 + 0.02 * np.log(x) @ (fade * random.normal(size=(p, k)))
    costs = 1000 + 200 * np.sqrt(x) @ (fade * random.normal(size=(p, k)))
    return costs - costs.mean(axis=0), effects - effects.mean(axis=0), x


def frames(costs, effects) -> Outcomes:
    names = [f"s{k}" for k in range(costs.shape[1])]
    return Outcomes.from_wide(
        pd.DataFrame(costs, columns=names), pd.DataFrame(effects, columns=names)
    )


def curves(costs, effects, outcomes, wtps) -> dict:
    ours, took = timed(decision.acceptability, costs, effects, wtps)

    def peer():
        return (
            cea.ceac(outcomes, wtps).to_numpy(),
            cea.expected_loss(outcomes, wtps).to_numpy(),
            voi.evpi(outcomes, wtps).to_numpy(),
        )

    theirs, their_time = timed(peer)
    mine = (ours.probability, ours.expected_loss, ours.evpi)
    if not all(np.allclose(a, b, rtol=1e-9, atol=1e-9) for a, b in zip(mine, theirs, strict=True)):
        raise SystemExit("The curves do not agree, so nothing is reported.")
    return {"ours": took, "peer": their_time, "ratio": their_time / took}


def information(costs, effects, x, outcomes) -> dict:
    names = [f"x{j}" for j in range(x.shape[1])]
    nb = decision.net_benefit(costs, effects, WTP)
    ours, took = timed(decision.evppi_all, nb, dict(zip(names, x.T, strict=True)))
    inputs = pd.DataFrame(x, columns=names, index=outcomes.iterations)
    theirs, their_time = timed(voi.evppi_ranking, outcomes, inputs, WTP)
    apart = max(
        abs(ours[name].value - theirs[name]) / (ours[name].standard_error + 1e-9) for name in names
    )
    if apart > 4:
        raise SystemExit(f"EVPPI differs by {apart:.1f} standard errors; nothing is reported.")
    return {
        **{"ours": took, "peer": their_time, "ratio": their_time / took},
        "most_apart_in_standard_errors": apart,
    }


def together(n: int) -> dict:
    """Worth of the pair in x1 x2 + noise: 1/π for the pair, nothing for one of them."""
    x = rng(2, "benchmark", "decision").normal(size=(n, 3))
    nb = np.column_stack([np.zeros(n), x[:, 0] * x[:, 1] + x[:, 2]])
    outcomes = frames(np.zeros_like(nb), nb)
    inputs = pd.DataFrame(x[:, :2], columns=["a", "b"], index=outcomes.iterations)
    found, took = timed(decision.evppi, nb, x[:, :2])
    result = {"truth": 1 / np.pi, "ours": found.value, "standard_error": found.standard_error}
    result["seconds"] = {"ours": took}
    for method in ("spline", "gp"):
        value, seconds = timed(voi.evppi, outcomes, inputs, ["a", "b"], 1.0, method=method, seed=1)
        result[f"heormodel_{method}"], result["seconds"][method] = value, seconds
    return result


def large() -> float:
    random = rng(3, "benchmark", "decision")
    costs, effects = random.normal(size=(2, 100_000, 53))
    return timed(decision.acceptability, costs, effects, np.linspace(0, 5, 100))[1]


def measure(n: int, k: int, p: int, w: int, *, big: bool) -> dict:
    costs, effects, x = draw(n, k, p)
    decision.acceptability(costs[:9], effects[:9], [WTP])  # compiled and loaded
    decision.evppi(decision.net_benefit(costs, effects, WTP), x[:, 0])
    outcomes, framing = timed(frames, costs, effects)
    return {
        **{"draws": n, "strategies": k, "inputs": p, "wtps": w, "peer_frame_seconds": framing},
        "curves": curves(costs, effects, outcomes, np.linspace(0, 50_000, w)),
        "evppi": information(costs, effects, x, outcomes),
        "pair": together(n),
        "large_curves_seconds": large() if big else None,
        "versions": {name: version(name) for name in ("iesoresearch", "heormodel", "numpy")},
        **{"python": platform.python_version(), "machine": platform.machine()},
        **{"cores": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def table(result: dict) -> str:
    rows = [
        (f"curves at {result['wtps']} wtp", result["curves"]),
        (f"EVPPI of {result['inputs']} inputs", result["evppi"]),
    ]
    pair, lines = result["pair"], ["| | ours, s | heormodel, s | ratio |", "|---|---|---|---|"]
    lines += [f"| {n} | {r['ours']:.3f} | {r['peer']:.3f} | {r['ratio']:.1f} |" for n, r in rows]
    lines += [
        "",
        f"{result['draws']:,} draws, {result['strategies']} strategies, one thread, load "
        f"{result['load']:.1f}; same curves, EVPPI at most "
        f"{result['evppi']['most_apart_in_standard_errors']:.1f} standard errors apart.",
        f"Pair worth {pair['truth']:.3f}: ours {pair['ours']:.3f} ± {pair['standard_error']:.3f}, "
        f"heormodel spline {pair['heormodel_spline']:.3f}, gp {pair['heormodel_gp']:.3f} "
        f"({', '.join(f'{k} {v:.2f} s' for k, v in pair['seconds'].items())}).",
    ]
    if result["large_curves_seconds"]:
        lines.append(f"100,000 draws × 53 × 100 wtp: {result['large_curves_seconds']:.2f} s.")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--strategies", type=int, default=6)
    parser.add_argument("--inputs", type=int, default=40)
    parser.add_argument("--wtps", type=int, default=100)
    parser.add_argument("--large", action="store_true")
    given = parser.parse_args()
    result = measure(given.draws, given.strategies, given.inputs, given.wtps, big=given.large)
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "decision.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
