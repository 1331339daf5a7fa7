"""Who is flagged as not on track, by three rules, on patients whom no model was fitted to."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.analyses.recovery.data import AtLandmark
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery_paths.patients import Patients
from iesoresearch.errors import DataError
from iesoresearch.models import signals
from iesoresearch.models.growth import GrowthFit
from iesoresearch.models.growth.prediction import off_track
from iesoresearch.models.prediction.nested import nested
from iesoresearch.seeds import derive

MODEL, BAND, CURRENT = "landmark model", "expected-response band", "current scores"
RULES = (MODEL, BAND, CURRENT)
#: Rules that rest on a predicted chance -> the kind of model.
KINDS = {MODEL: "logistic", CURRENT: "current score"}
FEWEST = 50  # patients to be judged at a landmark


@dataclass(frozen=True)
class Flags:
    """Patients in treatment whom every rule can judge, and whom it flags.

    Attributes
    ----------
    rows
        One row per patient and landmark: ``person``, ``landmark``, ``inside`` (whether the current
        score is within the band, on both sides), ``flag: <rule>`` and ``risk: <rule>`` (the higher,
        the sooner the patient is flagged).
    treated
        The same rows for `signals`; the bad outcome is that the outcome was not reached.
    not_judged
        Landmark -> patients at risk there, not fitted to, without a second score or a prediction.
    """

    rows: pl.DataFrame
    treated: signals.InTreatment
    not_judged: dict[int, int]

    def flag(self, rule: str) -> np.ndarray:
        """(rows,) whom a rule flags."""
        return self.rows[f"flag: {rule}"].to_numpy()

    def like(self, rule: str, other: str, seed: int) -> np.ndarray:
        """(rows,) whom a rule flags if it flags as many at each landmark as the `other` does."""
        risk = self.rows[f"risk: {rule}"].to_numpy()
        return signals.flags_like(self.treated, risk, self.flag(other), random_state=seed)


def flagged(patients: Patients, fit: GrowthFit, fitted_to: np.ndarray, params) -> Flags:
    """Flag the patients whom `fit` was not fitted to.

    Raises
    ------
    DataError
        Too few patients can be judged at a landmark.
    """
    parts, not_judged = [], {}
    for landmark in params.landmarks:
        found = _at(patients, landmark, fit, params)
        found = found.filter(~pl.Series(fitted_to).gather(found["person"]))
        judged = found.drop_nulls()
        not_judged[landmark] = found.height - judged.height
        if judged.height < FEWEST:
            raise DataError(
                f"{patients.cohort.name}: after session {landmark}, {judged.height} patients whom "
                f"the growth model was not fitted to can be judged by every rule; {FEWEST} are "
                "needed. Bring more data, or leave the landmark out (landmarks)."
            )
        parts.append(judged)
    rows = pl.concat(parts)
    who = patients.people[rows["person"]]
    treated = signals.InTreatment.of(
        rows["person"].to_numpy(),
        rows["landmark"].to_numpy(),
        ~who[params.outcome].to_numpy(),
        last_session=who["n_treatment"].to_numpy(),
        groups={name: level[rows["person"]] for name, level in patients.groups.items()},
    )
    return Flags(rows, treated, not_judged)


def _at(patients: Patients, landmark: int, fit: GrowthFit, params) -> pl.DataFrame:
    """Risk and flag of everybody at risk at a landmark by every rule; null where not judged."""
    at = patients.at(landmark)
    frame = at.rows.select("ref").join(
        patients.people.select("ref", "person"), on="ref", how="left", maintain_order="left"
    )
    frame = frame.select("person").with_columns(landmark=pl.lit(landmark))
    for rule, kind in KINDS.items():
        chance = pl.Series(predictions(at, kind, params, patients.courses.n_jobs))
        frame = frame.with_columns(
            **{f"risk: {rule}": 1 - chance, f"flag: {rule}": chance < params.flag_below}
        )
    strayed = beyond(patients.known_at(landmark), fit, params.band)
    frame = frame.join(strayed, on="person", how="left", maintain_order="left")
    return frame.with_columns(pl.selectors.float().fill_nan(None))


def beyond(known: pl.DataFrame, fit: GrowthFit, band: float) -> pl.DataFrame:
    """Whose latest score is above the band that the first one let expect, as columns of `Flags`.

    Risk is the distance from the expected score, the upper half of the band being 1.
    """
    found = off_track(
        fit, known["phq9"].to_numpy(), known["time"].to_numpy(), known["person"].to_numpy(),
        level=band,
    )  # fmt: skip
    score, half = known["phq9"].to_numpy(), found.high - found.mean
    columns = {
        "judged": found.judged,
        f"risk: {BAND}": (score - found.mean) / half,
        f"flag: {BAND}": found.flagged,
        "inside": (score >= found.low) & (score <= found.high),
    }
    rows = known.select("person").with_columns(**columns)
    return rows.group_by("person", maintain_order=True).last().filter("judged").drop("judged")


def predictions(at: AtLandmark, kind: str, params, n_jobs: int) -> np.ndarray:
    """(rows,) chance of the outcome by models that saw neither service nor patient."""
    found = nested(
        kind, schema(at.landmark, params.outcome), at.features(params.outcome),
        at.y(params.outcome), at.patient, at.service, n_outer=params.n_outer,
        n_inner=params.n_inner, random_state=derive(params.seed, "flags", at.landmark),
        n_jobs=n_jobs,
    )  # fmt: skip
    return found.p
