"""The joint posteriors as a file, for models that apply the effect of therapy."""

from pathlib import Path

import numpy as np
import yaml

from iesoresearch.analyses.waiting_effect.cases import BASE, CASES, CONTROLS, Case, comparisons
from iesoresearch.data import metapsy
from iesoresearch.files import write_text
from iesoresearch.models.evidence_synthesis import Posterior, Priors, Synthesis, diagnose
from iesoresearch.models.evidence_synthesis.posterior import SCALE
from iesoresearch.seeds import derive

DIGITS = 4
SEED = 20261123
HEAD = """\
# Effect of psychotherapy for depression on symptoms at the end of treatment, Hedges' g against each
# kind of control: joint posteriors of a three-level synthesis of published trials. Written by the
# command under made_by; do not edit by hand. At the top and in every case: mu, the mean effect
# (positive: therapy is better); tau, the standard deviation of true effects over all comparisons,
# sqrt(between^2 + within^2); correlation, between mu and log(tau). At the top is the case "base".
# joint: mean, standard deviation and correlation of joint_parameters.
"""
REASON = (
    "All comparisons, as published. Small trials report larger effects, so that this is likely too "
    "large: see the other cases."
)


def fits(
    trials: metapsy.Trials, n_jobs: int, draws: int = 2000, cases: tuple[Case, ...] = CASES
) -> dict[str, Posterior]:
    """The posterior of every case."""
    model = Synthesis(draws=draws)
    return {
        case.name: model.fit(
            comparisons(trials.table, case),
            small_study=case.small_study,
            correlation=case.correlation,
            seed=derive(SEED, case.name),
            n_jobs=n_jobs,
        )
        for case in cases
    }


def content(trials: metapsy.Trials, posteriors: dict[str, Posterior], command: str) -> dict:
    """What the file says, as plain values."""
    years = trials.table["year"]
    base = _moments(posteriors[BASE.name])
    return {
        "version": 1,
        **base,
        "status": "derived",
        "source": f"{metapsy.LICENCE} Three-level synthesis of {posteriors[BASE.name].data.n} "
        f"comparisons with a waiting list in {posteriors[BASE.name].data.n_trials} trials.",
        "reason": REASON,
        "made_by": command,
        "data": {
            "file": "depression_rct_effects.csv",
            "commit": metapsy.COMMIT,
            "sha256": trials.fingerprint,
            "comparisons": trials.table.height,
            "trials": trials.table["trial"].n_unique(),
            "published": f"{years.min()} to {years.max()}",
            "release": "not established",
        },
        "model": {
            "what": "three-level random effects, effects integrated out (PyMC, NUTS)",
            "priors": vars(Priors()) | {"share_between": "uniform(0, 1)"},
            "seed": SEED,
        },
        "joint_parameters": list(SCALE),
        "cases": {case.name: _case(case, posteriors[case.name]) for case in CASES},
    }


def write(path: Path, found: dict) -> None:
    """Write what `content` gave."""
    text = yaml.safe_dump(found, sort_keys=False, allow_unicode=True, default_flow_style=None,
                          width=100)  # fmt: skip
    write_text(path, HEAD + text)


def _moments(fit: Posterior) -> dict:
    """Mean effect, spread of true effects over all comparisons, and how they go together."""
    mean, tau = fit.flat("mean"), fit.total
    return {
        "mu": {"mean": _round(mean.mean()), "sd": _round(mean.std(ddof=1))},
        "tau": {"mean": _round(tau.mean()), "sd": _round(tau.std(ddof=1))},
        "correlation": _round(np.corrcoef(mean, np.log(tau))[0, 1]),
    }


def _case(case: Case, fit: Posterior) -> dict:
    joint, checked = fit.joint(), diagnose(fit)
    ess = float(min(checked.ess_bulk.min(), checked.ess_tail.min()))
    return {
        "label": case.label,
        "control": CONTROLS[case.control].lower(),
        "comparisons": fit.data.n,
        "trials": fit.data.n_trials,
        "small_study": case.small_study,
        "error_correlation": case.correlation,
        **_moments(fit),
        "joint": {
            "mean": [_round(x) for x in joint.mean],
            "sd": [_round(x) for x in joint.sd],
            "correlation": [[_round(x) for x in row] for row in joint.correlation],
        },
        "mean_and_95_interval": {
            name: [_round(x) for x in (e.x, e.x_low, e.x_high)] for name, e in fit.summary().items()
        },
        "least_ess": int(round(ess, -2)),
        "converged": checked.passed,
    }


def _round(x: float) -> float:
    return round(float(x), DIGITS)
