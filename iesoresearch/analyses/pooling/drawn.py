"""Drawn sites with a known truth, each analysed by itself and released, as bundles are.

The odds of reliable recovery at a site are those of the population times a factor of its own, drawn
from a log-normal distribution: patients at caseness with one outcome are left out at random. So the
average, the spread between sites and the odds ratios within sites are known exactly.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from iesoresearch.analyses import fairness
from iesoresearch.analyses.fairness import data as referrals
from iesoresearch.analyses.fairness import outcomes, planted
from iesoresearch.analyses.pooling import Params, light, site
from iesoresearch.analyses.pooling.sites import (
    ANONYMOUS,
    COUNTS,
    FEWEST_HIDDEN,
    HIDDEN,
    MODEL,
    NAMED,
    REGRESSION,
    STATES,
    Site,
)
from iesoresearch.analyses.recovery_transfer.site import at_risk
from iesoresearch.data import synthetic
from iesoresearch.data.cohort import Cohort
from iesoresearch.disclosure import Policy, release
from iesoresearch.errors import DataError
from iesoresearch.results import Result
from iesoresearch.seeds import derive, rng

PROFILE = "england"
OUTCOME, DENOMINATOR = "reliable_recovery", "at_caseness"
#: Sizes of the sites, as shares of the largest, again and again.
SIZES = (1.0, 0.7, 0.4, 0.85, 0.5, 0.3, 0.9, 0.6)
#: Policies of the sites: the project's; one without rounding; one that is stricter.
POLICIES = (Policy(), Policy(round_to=1), Policy(min_count=15, round_to=10))
N_STATES = 3
N_MODEL = 3000  # referrals the model that is judged at every site was made of


@dataclass(frozen=True)
class Drawn:
    """Sites with their truth.

    Attributes
    ----------
    params
        Of the run.
    cohorts
        Of each site.
    shifts
        (sites,) planted log odds of each site against the population.
    """

    params: Params
    cohorts: tuple[Cohort, ...]
    shifts: np.ndarray

    @cached_property
    def audited(self) -> tuple[referrals.Audited, ...]:
        """Referrals of each site with their outcomes."""
        return tuple(referrals.of_cohort(cohort, _ASKED) for cohort in self.cohorts)

    @property
    def records(self) -> dict[str, referrals.Audited]:
        """The same by name of the site."""
        return {name_of(i): data for i, data in enumerate(self.audited)}

    @cached_property
    def sites(self) -> list[Site]:
        """What the sites release."""
        model = light.model_of(at_risk(_drawn(N_MODEL, self.params.seed, "model"), light.LANDMARK))
        return [self._site(i, model) for i in range(len(self.cohorts))]

    def _site(self, i: int, model: light.Model) -> Site:
        cohort, data, policy = self.cohorts[i], self.audited[i], POLICIES[i % len(POLICIES)]
        states = N_STATES - (i == len(self.cohorts) - 1)  # the last one finds a state fewer
        seed = derive(self.params.seed, "site", i)
        found = {
            COUNTS: counts_of(data),
            REGRESSION: site.of_site(data),
            STATES: light.states(cohort, states, seed),
        }
        with suppress(DataError):  # a site without patients at the landmark judges no model
            found[MODEL] = light.judged(at_risk(cohort, light.LANDMARK), model, cohort, seed)
        released = {run: release(result, policy) for run, result in found.items()}
        asked = {COUNTS: _ASKED.model_dump(), MODEL: {"landmark": light.LANDMARK}}
        return Site(
            name_of(i), released, _sharing(i, self.params), asked,
            {"iesoresearch": "as here"},
        )  # fmt: skip

    @property
    def mean(self) -> float:
        """Planted log odds of reliable recovery of the average site."""
        expected = planted.expected(PROFILE).filter(grouping="Gender")
        events, n = expected[OUTCOME].sum(), expected[DENOMINATOR].sum()
        return float(np.log(events / (n - events)))

    def exact(self, column: str, sites: Sequence[str]) -> list[int]:
        """Patients of each of `sites` with something, as no one outside of them knows them."""
        records = self.records
        return [int(records[name].closed[column].sum()) for name in sites]


_ASKED = fairness.Params()


def name_of(i: int) -> str:
    """Of a drawn site."""
    return f"Site {i + 1}"


def draw(params: Params) -> Drawn:
    """The sites that `params` name."""
    normal = rng(params.seed, "shifts").normal(0.0, params.spread, params.n_sites)
    cohorts = []
    for i, shift in enumerate(normal):
        n = max(int(params.n_referrals * SIZES[i % len(SIZES)]), 600)
        cohort = _drawn(n, params.seed, "cohort", i)
        cohorts.append(thinned(cohort, float(shift), derive(params.seed, "thinned", i)))
    return Drawn(params, tuple(cohorts), normal)


def _drawn(n: int, seed: int, *names) -> Cohort:
    return synthetic.make(n, derive(seed, *names), PROFILE)


def thinned(cohort: Cohort, shift: float, seed: int) -> Cohort:
    """A cohort whose odds of reliable recovery are `exp(shift)` times those it was drawn with."""
    rows = referrals.of_cohort(cohort, _ASKED).rows
    event = rows[OUTCOME].fill_null(False).to_numpy()
    judged = rows[OUTCOME].is_not_null().to_numpy()
    too_many = judged & (event if shift < 0 else ~event)
    gone = too_many & (rng(seed, "left out").random(len(event)) > np.exp(-abs(shift)))
    kept = cohort.referrals[np.setdiff1d(rows["ref"].to_numpy(), rows["ref"].to_numpy()[gone])]
    ids = kept.select("referral_id")
    return replace(
        cohort,
        referrals=kept,
        patients=cohort.patients.join(kept.select("patient_id"), on="patient_id", how="semi"),
        contacts=cohort.contacts.join(ids, on="referral_id", how="semi"),
        scores=cohort.scores.join(ids, on="referral_id", how="semi"),
        fingerprint=f"{cohort.fingerprint} thinned:{shift:.12g}:{seed}",
        truth={},
    )


def counts_of(data: referrals.Audited) -> Result:
    """Outcomes and gaps as `fairness` counts them."""
    tables = {"outcomes": outcomes.outcomes(data), "gaps": outcomes.gaps(data, _ASKED)}
    return Result(
        tables=tables,
        provenance={
            "data_fingerprint": data.cohort.fingerprint,
            "sensitivity": data.sensitivity,
        },
    )


def _sharing(i: int, params: Params) -> str:
    if params.sharing == "named":
        return NAMED
    if i >= params.n_sites - FEWEST_HIDDEN:
        return HIDDEN
    return ANONYMOUS if i == 1 else NAMED
