"""What `recovery_transfer` computes once, and its tables and sentences read."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery.described import Described, described
from iesoresearch.analyses.recovery.times import quarters
from iesoresearch.analyses.recovery_transfer import Params
from iesoresearch.analyses.recovery_transfer.local import Few, few
from iesoresearch.analyses.recovery_transfer.site import N_INNER, N_OUTER, Site
from iesoresearch.errors import DataError
from iesoresearch.models.drift import Drift, calibration_drift
from iesoresearch.models.evaluation import Evaluation, evaluate
from iesoresearch.models.evaluation.metrics import row_log_loss
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.prediction.nested import Tuned, nested, patient_folds
from iesoresearch.models.updating import CLOSED_TEST, Update, recalibrate
from iesoresearch.seeds import derive, rng

FEWEST = 50  # with, and without the outcome, to make a model here; the project's own
PERIODS = 2  # fewer with anybody in them are no course of time
YEAR = "referral_year"  # stored where dates are shifted
Z95 = 1.959964


@dataclass(frozen=True)
class Own:
    """A model of the same kind that is made here.

    Attributes
    ----------
    everybody
        (rows,) each predicted by a model that did not know the patient.
    judged
        (rows,) predictions of a model of the half that updates are learnt from; NaN in that half.
    """

    everybody: np.ndarray
    judged: np.ndarray


@dataclass(frozen=True)
class Fitted:
    """All that is computed, each part when it is first asked for."""

    site: Site
    params: Params

    @property
    def sensitivity(self) -> str:
        """Of the patients of the site."""
        return self.site.cohort.sensitivity

    @cached_property
    def outside(self) -> dict[str, np.ndarray]:
        """Why the model refuses, in words, with (referrals,) whom."""
        return self.site.model.schema.outside(self.site.X)

    @cached_property
    def p_all(self) -> np.ndarray:
        """(referrals,) predictions of the model as shipped; NaN where it refuses."""
        asked = {"outcome": self.params.outcome, "landmark": self.params.landmark}
        return self.site.model.predict(self.site.X, **asked).p

    @cached_property
    def rows(self) -> np.ndarray:
        """(rows,) places of the referrals that are predicted.

        Raises
        ------
        DataError
            The model refuses everybody.
        """
        rows = np.flatnonzero(np.isfinite(self.p_all))
        if not len(rows):
            raise DataError(
                f"{self.site.cohort.name}: the model refuses all {self.site.at.n} referrals: "
                f"{'; '.join(self.outside)}. Compare the coding of the site with the features in "
                "the model’s file."
            )
        return rows

    @property
    def p(self) -> np.ndarray:
        """(rows,) predictions as shipped."""
        return self.p_all[self.rows]

    @cached_property
    def y(self) -> np.ndarray:
        """(rows,) outcomes."""
        return self.site.at.y(self.params.outcome)[self.rows]

    @cached_property
    def patient(self) -> np.ndarray:
        """(rows,) whose row it is."""
        return self.site.at.patient[self.rows]

    @cached_property
    def first(self) -> np.ndarray:
        """(rows,) bool: the first row of its patient by day, for what takes rows as independent."""
        order = np.argsort(self.day.to_numpy(), kind="stable")
        found = np.zeros(len(self.y), dtype=bool)
        found[order[np.unique(self.patient[order], return_index=True)[1]]] = True
        return found

    @property
    def day(self) -> pl.Series:
        """(rows,) of the landmark."""
        return self.site.at.rows["day"][self.rows]

    @property
    def days_shifted(self) -> int:
        """By how many days dates may be shifted; 0: they are true."""
        return self.site.cohort.days_shifted

    @cached_property
    def period(self) -> pl.Series:
        """(rows,) quarter of the landmark, or financial year of the referral if dates are shifted.

        Null where no year was stored.
        """
        if self.days_shifted:
            return self.site.at.rows[YEAR][self.rows]
        return pl.Series(quarters(self.day))

    @cached_property
    def described(self) -> Described:
        """Patients of the site, those refused as well."""
        y = self.site.at.y(self.params.outcome)
        return described(self.site.model.schema, self.site.X, y, self.p_all, self.site.at.patient)

    @property
    def absent(self) -> list[str]:
        """Meanings of predictors that are recorded for nobody here."""
        schema, X = self.site.model.schema, self.site.X
        named = {f.name: f.meaning for f in (*schema.numeric, *schema.categorical)}
        return [meaning for name, meaning in named.items() if X[name].is_null().all()]

    def evaluate(self, rows: np.ndarray, p: np.ndarray, *, groups=None) -> Evaluation:
        """Predictions `p` (rows,) of some of the rows, judged."""
        return evaluate(
            self.y[rows], p, clusters=self.patient[rows], groups=groups,
            n_boot=self.params.n_bootstrap, random_state=derive(self.params.seed, "evaluate"),
            n_jobs=self.site.n_jobs,
        )  # fmt: skip

    @cached_property
    def shipped(self) -> Evaluation:
        """The model as shipped, on everybody and by group."""
        groups = {name: level[self.rows] for name, level in self.site.at.groups.items()}
        return self.evaluate(np.arange(len(self.y)), self.p, groups=groups)

    @cached_property
    def learning(self) -> np.ndarray:
        """(rows,) bool: in the half of the patients that the update is learnt from."""
        return patient_folds(self.patient, 2, rng(self.params.seed, "halves")) == 0

    @property
    def judging(self) -> np.ndarray:
        """Rows of the other half, on which the update is judged."""
        return np.flatnonzero(~self.learning)

    @cached_property
    def update(self) -> Update | None:
        """What the closed test chooses; None where there are too few patients to ask it."""
        rows = self.learning & self.first
        try:
            return recalibrate(self.y[rows], self.p[rows]) if len(self.judging) else None
        except DataError:
            return None

    @cached_property
    def updated(self) -> np.ndarray:
        """(judging,) predictions after the update; needs one."""
        return self.update.apply(self.p[self.judging])

    @cached_property
    def before(self) -> Evaluation:
        """The model as shipped, on the judging half."""
        return self.evaluate(self.judging, self.p[self.judging])

    @cached_property
    def after(self) -> Evaluation:
        """The updated model, on the judging half."""
        return self.evaluate(self.judging, self.updated)

    @cached_property
    def own(self) -> Own | None:
        """A new model of this site; None where there are too few patients to make one."""
        learns = self.y[self.learning]
        if min(learns.sum(), len(learns) - learns.sum()) < FEWEST:
            return None
        model, X = self.site.model, self.site.X[self.rows]
        X = model.schema.encode(X)
        service = self.site.at.service
        found = nested(
            model.kind, model.schema, X, self.y, self.patient,
            None if service is None else service[self.rows], n_outer=N_OUTER, n_inner=N_INNER,
            random_state=derive(self.params.seed, "own"), n_jobs=self.site.n_jobs,
        )  # fmt: skip
        seed = derive(self.params.seed, "own", "half") % 2**31
        half = Tuned(model.kind, model.schema, N_INNER, seed)
        half.fit(X[self.learning], learns, self.patient[self.learning])
        p = np.full(len(self.y), np.nan)
        p[self.judging] = half.predict_proba(X[self.judging])[:, 1]
        return Own(found.p, p)

    @cached_property
    def own_everybody(self) -> Evaluation | None:
        """The new model, on everybody who could be left out of it."""
        if self.own is None:
            return None
        there = np.flatnonzero(np.isfinite(self.own.everybody))
        return self.evaluate(there, self.own.everybody[there]) if len(there) else None

    @cached_property
    def own_judged(self) -> Evaluation | None:
        """The new model of the learning half, on the judging half."""
        if self.own is None:
            return None
        return self.evaluate(self.judging, self.own.judged[self.judging])

    def gain(self, first: np.ndarray, second: np.ndarray) -> Estimate:
        """Log-loss of the first minus that of the second predictions, (judging,) each.

        Thousandths per referral; the interval is normal, over patients.
        """
        y = self.y[self.judging]
        each = 1000 * (row_log_loss(y, first) - row_log_loss(y, second))
        mean = float(each.mean())
        patient = np.unique(self.patient[self.judging], return_inverse=True)[1]
        error = float(np.sqrt((np.bincount(patient, each - mean) ** 2).sum())) / len(each)
        return Estimate(mean, mean - Z95 * error, mean + Z95 * error)

    @cached_property
    def gained(self) -> Estimate:
        """What the update gains over the model as shipped."""
        return self.gain(self.p[self.judging], self.updated)

    @cached_property
    def over_own(self) -> Estimate:
        """What the updated model gains over a new one of the same half."""
        return self.gain(self.own.judged[self.judging], self.updated)

    @cached_property
    def few(self) -> list[Few]:
        """Updates with few local patients."""
        seed = derive(self.params.seed, "few")
        y, p = self.y[self.first], self.p[self.first]
        return few(y, p, self.params.n_local, self.params.n_draws, seed)

    @property
    def enough(self) -> int | None:
        """Fewest patients tried with which the closed test does good in 97.5 % of the draws."""
        sizes = [f.size for f in self.few if f.method == CLOSED_TEST and f.spread[0] > 0]
        return min(sizes, default=None)

    @cached_property
    def drift(self) -> dict[str, Drift]:
        """Calibration by `period`, as shipped (everybody) and updated (the judging half)."""
        if self.period.null_count() == len(self.period):
            return {}
        found = {SHIPPED: self._drift(np.arange(len(self.y)), self.p)}
        if self.update is not None:
            found[UPDATED] = self._drift(self.judging, self.updated)
        return {name: d for name, d in found.items() if len(d.period) >= PERIODS}

    def _drift(self, rows: np.ndarray, p: np.ndarray) -> Drift:
        kept = self.first[rows] & self.period[rows].is_not_null().to_numpy()
        p, rows = p[kept], rows[kept]
        made = self.period if self.days_shifted else self.day
        order = np.argsort(made[rows].to_numpy(), kind="stable")
        return calibration_drift(
            self.y[rows][order], p[order], self.period[rows[order]].to_numpy(),
            random_state=derive(self.params.seed, "drift"),
        )  # fmt: skip


SHIPPED, UPDATED = "as shipped", "updated"
