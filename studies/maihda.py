"""How well the multilevel analysis of intersections finds what was planted, and what it invents.

About fifteen minutes on one core. 96 strata of four dimensions, most patients in few of them. There
are no differences at all, main effects only, or differences of strata beside them: of 1 to 2
percentage points (a standard deviation of 0.06 on the scale of logits), or of 5. In two designs
patients are those of 40 services, in each of which other groups are common and results are better
or worse by a standard deviation of 0.2, which the models know nothing of. The rule by which an
interval begins at zero was chosen on draws 0 to 39 of the designs without services; the others
are its test.
"""

import itertools

import numpy as np
import polars as pl
from _study import Study
from scipy.special import expit

from iesoresearch.models.maihda import fit
from iesoresearch.models.maihda.posterior import LOGISTIC
from iesoresearch.seeds import rng

REPLICATES = 200
#: Share of patients by level, of each dimension.
SHARES = {
    "gender": (0.67, 0.33),
    "age": (0.2, 0.7, 0.1),
    "ethnicity": (0.75, 0.12, 0.08, 0.05),
    "deprivation": (0.3, 0.27, 0.23, 0.2),
}
SMALL = 30  # patients of a stratum that is called small
AVERAGE = -0.05  # logit of 49 %
MAIN = 0.26  # levels of each dimension lie from - to + this, in an order of their own
SERVICES, BETWEEN = 40, 0.2  # how many, and standard deviation of their logits
#: Main effects, standard deviation of strata beside them, patients, whether services differ.
DESIGNS = {
    "nothing": (0.0, 0.0, 12_000, False),
    "main effects only": (MAIN, 0.0, 12_000, False),
    "1 to 2 points": (MAIN, 0.06, 12_000, False),
    "1 to 2 points, many patients": (MAIN, 0.06, 100_000, False),
    "5 points": (MAIN, 0.2, 12_000, False),
    "main effects only, services": (MAIN, 0.0, 12_000, True),
    "main effects only, services, many patients": (MAIN, 0.0, 100_000, True),
}
LEVELS = np.array(list(itertools.product(*(range(len(s)) for s in SHARES.values()))))
STRATA = pl.DataFrame(LEVELS, schema=list(SHARES), orient="row").cast(pl.String)
DRAWS = {"draws": 700, "tune": 250, "chains": 2}


def drawn(seed: int, design: str):
    """Additive logits, logits (of an average service), people and events of strata."""
    main, spread, people, services = DESIGNS[design]
    random = rng(seed, "strata")
    additive, share = np.full(len(LEVELS), AVERAGE), np.ones(len(LEVELS))
    for levels, shares in zip(LEVELS.T, SHARES.values(), strict=True):
        additive += random.permutation(np.linspace(-main, main, len(shares)))[levels]
        share *= np.array(shares)[levels]
    logit = additive + spread * random.standard_normal(len(LEVELS))
    if not services:
        n = random.multinomial(people, share)
        return additive, logit, n, random.binomial(n, expit(logit))
    n = random.multinomial(people, (_where(random) * share).ravel()).reshape(SERVICES, -1)
    better = BETWEEN * random.standard_normal((SERVICES, 1))
    return additive, logit, n.sum(axis=0), random.binomial(n, expit(logit + better)).sum(axis=0)


def _where(random) -> np.ndarray:
    """(services, strata) share of the patients of each stratum that a service has.

    Every level of every dimension is more or less common in a service, by a factor of e per
    standard deviation.
    """
    tilt = np.zeros((SERVICES, len(LEVELS)))
    for levels, shares in zip(LEVELS.T, SHARES.values(), strict=True):
        tilt += random.standard_normal((SERVICES, len(shares)))[:, levels]
    return np.exp(tilt) / np.exp(tilt).sum(axis=0)


def replicate(seed: int, design: str, draw: int) -> dict:
    """One set of patients: estimates, which intervals hold the truth, which strata are flagged."""
    additive, logit, n, events = drawn(seed, design)
    fitted = fit(events, n, STRATA, random_state=seed, **DRAWS)
    main, spread, *_ = DESIGNS[design]
    left = spread**2
    total = left + (additive.var(ddof=1) if main else 0.0)
    truth = {"vpc": total / (total + LOGISTIC), "vpc_interaction": left / (left + LOGISTIC)}
    truth["pcv"] = 1 - left / total if total else np.nan
    found, record = fitted.summary(), {}
    for name, true in truth.items():
        x = found[name]
        record |= {name: x.x, f"{name}_low": x.x_low, f"{name}_high": x.x_high}
        record |= {f"{name}_true": true, f"{name}_covered": int(x.x_low <= true <= x.x_high)}
    checks = fitted.diagnostics().values()
    record["r_hat"] = max(check.r_hat.max() for check in checks)
    record["divergences"] = sum(check.divergences for check in checks)
    return record | _strata(fitted, logit, additive)


def _strata(fitted, logit: np.ndarray, additive: np.ndarray) -> dict:
    """Rates of strata, raw and shrunken, and flags, against the truth."""
    frame = fitted.to_frame()
    use = frame["reason"].is_null().to_numpy()
    frame, p, effect = frame.filter(use), expit(logit)[use], (logit - additive)[use]
    low, high = frame["mean_low"].to_numpy(), frame["mean_high"].to_numpy()
    flagged, above = frame["flagged"].to_numpy(), frame["effect"].to_numpy() > 0
    covered = (low <= p) & (p <= high)
    found = {"strata": len(p), "means_covered": float(covered.mean())}
    few = frame["n"].to_numpy() < SMALL
    found |= {"small": int(few.sum()), "small_covered": int(covered[few].sum())}
    for name in ("raw", "mean", "null_mean"):
        error = frame[name].to_numpy() - p
        found[f"{name}_mse"] = 1e4 * float((error**2).mean())  # in squared percentage points
        found[f"{name}_bias"] = 100 * float(error.mean())
    found["flagged"] = int(flagged.sum())
    found["right"] = int((flagged & (above == (effect > 0)) & (effect != 0)).sum())
    found["wrong_expected"] = fitted.flags().wrong_sign
    raw_low, raw_high = (frame[f"raw_{end}"].to_numpy() for end in ("low", "high"))
    additive = frame["additive"].to_numpy()
    found["flagged_raw"] = int(((raw_low > additive) | (raw_high < additive)).sum())
    return found


PLAN = [{"design": name, "draw": i} for name in DESIGNS for i in range(REPLICATES)]
STUDY = Study(__file__, __doc__, PLAN, replicate)

if __name__ == "__main__":
    STUDY.main()
