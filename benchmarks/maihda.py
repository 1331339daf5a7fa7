"""Intersections of 400 strata and 100,000 patients, beside the same models on rows of patients.

    python benchmarks/maihda.py [--patients N] [--jobs CORES] [--peer PATIENTS] [--draws N]

Both models of `maihda.fit` with 4 chains of 1,000 draws. Beside it the main-effects model as it is
usually written, non-centred with a row per patient, in PyMC with nutpie; and statsmodels'
variational fit of the same rows. Both peers see fewer patients (`--peer`), and PyMC draws less
(`--draws`), extrapolated to the same number of draws of one model. Nothing is reported unless rates
of strata agree within 2 percentage points on average.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("PYTENSOR_FLAGS", "numba__fastmath=False")

import argparse
import itertools
import json
import platform
import time
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import expit

from iesoresearch.models import maihda
from iesoresearch.models.maihda.strata import Strata
from iesoresearch.seeds import rng

OUT = Path(__file__).resolve().parents[1] / "reports" / "out" / "benchmarks"
LEVELS = {"gender": 2, "age": 5, "ethnicity": 8, "deprivation": 5}
DRAWS, TUNE, CHAINS = 1000, 400, 4
CLOSE = 0.02


def draw(people: int):
    """Events, people and strata: sizes as unequal as they are, half of the variance additive."""
    random = rng(1, "benchmark", "maihda")
    rows = np.array(list(itertools.product(*map(range, LEVELS.values()))))
    n = random.multinomial(people, random.dirichlet(np.full(len(rows), 0.8)))
    logit = sum(
        random.normal(0, 0.15, k)[level] for k, level in zip(LEVELS.values(), rows.T, strict=True)
    )
    logit = logit + random.normal(0, 0.15, len(rows))
    strata = pl.DataFrame(rows, schema=list(LEVELS), orient="row").cast(pl.String)
    return random.binomial(n, expit(logit)), n, strata


def rows_of(events, n):
    """Outcome and stratum of every patient."""
    y = np.concatenate([np.repeat([1, 0], [k, m - k]) for k, m in zip(events, n, strict=True)])
    return y, np.repeat(np.arange(len(n)), n)


def by_pymc(y, stratum, design, draws: int) -> tuple[np.ndarray, float]:
    """Rates of strata, and seconds of one chain of `draws` and as many of warm-up."""
    import nutpie
    import pymc as pm

    with pm.Model() as model:
        sd = np.r_[2.5, np.ones(design.shape[1] - 1)]
        beta = pm.Normal("beta", 0, sd, shape=len(sd))
        spread = pm.HalfNormal("spread", 0.5)
        z = pm.Normal("z", 0, 1, shape=len(design))
        logit = pm.Deterministic("logit", pm.math.dot(design, beta) + spread * z)
        pm.Bernoulli("y", logit_p=logit[stratum], observed=y)
    compiled = nutpie.compile_pymc_model(model)
    began = time.perf_counter()
    tree = nutpie.sample(
        compiled, draws=draws, tune=draws, chains=1, cores=1, seed=1, progress_bar=False
    )
    took = time.perf_counter() - began
    return expit(tree["posterior"]["logit"].to_numpy()).mean(axis=(0, 1)), took


def by_statsmodels(y, stratum, design) -> tuple[np.ndarray, float]:
    """Rates of strata, and seconds of the variational fit."""
    from scipy import sparse
    from statsmodels.genmod.bayes_mixed_glm import BinomialBayesMixedGLM

    shape = (len(y), len(design))
    member = sparse.csr_matrix((np.ones(len(y)), (np.arange(len(y)), stratum)), shape=shape)
    began = time.perf_counter()
    model = BinomialBayesMixedGLM(y, design[stratum], member, np.zeros(len(design), dtype=int))
    found = model.fit_vb()
    took = time.perf_counter() - began
    return expit(design @ found.fe_mean + found.vc_mean), took


def agree(name: str, ours: np.ndarray, theirs: np.ndarray, n: np.ndarray) -> float:
    """Mean distance of rates of strata, by patients; stops where it is too large."""
    apart = float(np.average(np.abs(ours - theirs), weights=n))
    if apart > CLOSE:
        raise SystemExit(f"{name} is {apart:.3f} apart on average, so nothing is reported.")
    return apart


def timed_fit(events, n, strata, jobs: int):
    began = time.perf_counter()
    fitted = maihda.fit(
        events, n, strata, draws=DRAWS, tune=TUNE, chains=CHAINS, random_state=1, n_jobs=jobs
    )
    return fitted, time.perf_counter() - began


def measure(patients: int, jobs: int, fewer: int, draws: int) -> dict:
    fitted, first = timed_fit(*draw(patients), jobs)
    _, again = timed_fit(*draw(patients), jobs)
    failures = [x for found in fitted.diagnostics().values() for x in found.failures()]
    events, n, strata = draw(fewer)
    ours, _ = timed_fit(events, n, strata, jobs)
    _, one = timed_fit(events, n, strata, 1)
    rates = expit(ours.main.flat("logit")).mean(axis=0)
    y, stratum = rows_of(events, n)
    design = Strata.of(events, n, strata).design
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, took = by_pymc(y, stratum, design, draws)
        variational, variational_took = by_statsmodels(y, stratum, design)
    whole = took / (2 * draws) * CHAINS * (DRAWS + TUNE)
    return {
        **{"patients": patients, "strata": len(n), "jobs": jobs, "seconds_with_compiling": first},
        **{"seconds": again, "failures": failures, "peer_patients": fewer, "one_job": one},
        **{"pymc_rows": whole, "pymc_ratio": whole / (one / 2), "pymc_draws": draws},
        **{"statsmodels": variational_took},
        "apart": {
            "pymc": agree("PyMC on rows", rates, theirs, n),
            "statsmodels": agree("statsmodels", rates, variational, n),
        },
        "versions": {p: version(p) for p in ("iesoresearch", "pymc", "nutpie", "statsmodels")},
        **{"python": platform.python_version(), "machine": platform.machine()},
        **{"cores": os.cpu_count(), "load": os.getloadavg()[0]},
    }


def table(r: dict) -> str:
    return "\n".join(
        [
            f"{r['patients']:,} patients, {r['strata']} strata, both models, {CHAINS} chains of "
            f"{DRAWS:,} draws, {r['jobs']} job(s), load {r['load']:.1f}: "
            f"{r['seconds_with_compiling']:.1f} s, {r['seconds']:.1f} s where it is compiled",
            f"chains: {' '.join(r['failures']) or 'passed'}",
            "",
            f"{r['peer_patients']:,} patients, one job:",
            f"both models on counts: {r['one_job']:.1f} s",
            f"one model on rows in PyMC: {r['pymc_rows']:.0f} s, extrapolated from a chain of "
            f"{2 * r['pymc_draws']}; ratio for one model {r['pymc_ratio']:.0f}",
            f"one model on rows in statsmodels, variational: {r['statsmodels']:.1f} s",
            "rates of strata apart by "
            + ", ".join(f"{100 * x:.2f} points ({name})" for name, x in r["apart"].items()),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=100_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--peer", type=int, default=20_000, help="patients of the peers")
    parser.add_argument("--draws", type=int, default=150, help="draws of PyMC on rows")
    given = parser.parse_args()
    result = measure(given.patients, given.jobs, given.peer, given.draws)
    print(table(result))
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / f"maihda_{given.patients}.json"
    file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
