"""Predictions to audit: made here by models that never saw service and patient, or in a file.

What one acts on is the risk of *not* reaching the outcome: 1 minus the predicted chance of it.
"""

import weakref
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from iesoresearch.analyses.fairness import HERE, Params
from iesoresearch.analyses.fairness.data import ETHNICITIES, UNKNOWN, Audited, levels_of
from iesoresearch.analyses.recovery.schemas import schema
from iesoresearch.analyses.recovery.tables import OUTCOME_NAMES, landmark_name
from iesoresearch.analyses.recovery_transfer.site import N_INNER, N_OUTER, at_risk
from iesoresearch.data import locate
from iesoresearch.data.groups import NOT_RECORDED, QUINTILES
from iesoresearch.errors import DataError, NotApplicable, ParameterError
from iesoresearch.models.evaluation.inputs import checked
from iesoresearch.models.prediction.nested import codes, nested
from iesoresearch.seeds import derive

KIND = "logistic"  # of the model that is made here
FEWEST = 40  # patients with, and without, the outcome, to make a model of
MOST_LEVELS = 40  # a column of words with more of them is no grouping
#: Columns of a file that are no groupings: what a run of `recovery` writes beside them.
NO_GROUPS = (
    *("referral_id", "patient_id", "service_id", "landmark", "outcome", "model", "fold", "y", "p"),
    *("ethnicity", "orientation", "deprivation_decile", "age_at_referral"),
)


@dataclass(frozen=True)
class Predictions:
    """Predictions with what came, one row per referral.

    Attributes
    ----------
    y
        (rows,) 1.0 where the outcome was not reached.
    risk
        (rows,) predicted risk of that.
    patient
        (rows,) number of the patient; None where it is not known who is who.
    groups
        Grouping -> (rows,) level, `NOT_RECORDED` where it is not known.
    left_out
        Grouping -> why it is not audited.
    source
        Where they come from, in words.
    predicted
        What is predicted, in words.
    """

    y: np.ndarray
    risk: np.ndarray
    patient: np.ndarray | None
    groups: dict[str, np.ndarray]
    left_out: dict[str, str]
    source: str
    predicted: str

    def levels(self, grouping: str) -> list[str]:
        """Levels that there are, in order, the unknown last."""
        there = set(self.groups[grouping])
        named = [x for x in levels_of().get(grouping, ()) if x in there]
        rest = sorted(there.difference(named, (NOT_RECORDED,)))
        return [*named, *rest, *([NOT_RECORDED] if NOT_RECORDED in there else [])]

    def references(self, wanted: list[str]) -> dict[str, str]:
        """Grouping -> the level that others are compared with.

        As asked for, else the least deprived, else the largest group that is known.

        Raises
        ------
        ParameterError
            Nobody is in the level asked for.
        """
        asked = dict(text.split("=", 1) for text in wanted)
        found = {}
        for name, column in self.groups.items():
            there = self.levels(name)
            if asked.get(name, there[0]) not in there:
                raise ParameterError(
                    f"reference: {name}={asked[name]}: nobody with a prediction is in it. The "
                    f"levels of {name} are {', '.join(there)}: name one of them."
                )
            levels, counts = np.unique(column[column != NOT_RECORDED], return_counts=True)
            usual = QUINTILES[-1] if QUINTILES[-1] in there else levels[np.argmax(counts)]
            found[name] = asked.get(name, str(usual))
        return found


_last: tuple | None = None


def of(data: Audited, params: Params) -> Predictions:
    """The predictions that `params` name; those of the last call again if it asked for the same.

    Raises
    ------
    NotApplicable
        Too few patients to make a model of.
    DataError
        A file that is absent or unusable, or of predictions that nobody could compare.
    """
    global _last  # two parts of the audit ask for them, and a model takes seconds
    if _last is None or _last[0]() is not data or _last[1] != params:
        found = made(data, params) if params.predictions == HERE else read(data, params)
        _last = (weakref.ref(data), params, found)
    return _last[2]


def made(data: Audited, params: Params) -> Predictions:
    """Cross-validated predictions of a penalised logistic regression, at the landmark.

    Whole services are left out, or patients where there is one service, as `recovery` does.

    Raises
    ------
    NotApplicable
        Fewer than `FEWEST` patients at risk with, or without, the outcome.
    """
    try:
        at = at_risk(data.cohort, params.landmark, params.stand_in)
    except DataError as error:
        raise NotApplicable(str(error)) from None
    y = at.y(params.outcome)
    fewer = int(min(y.sum(), len(y) - y.sum()))
    if fewer < FEWEST:
        raise NotApplicable(
            f"{data.name}: fewer than {FEWEST} of the patients at risk at: "
            f"{landmark_name(params.landmark)} have the outcome, or have not; so many are needed "
            "to make a model whose predictions can be audited. Bring more data, an earlier "
            "landmark, or a file of predictions."
        )
    found = nested(
        KIND, schema(params.landmark, params.outcome), at.features(params.outcome), y, at.patient,
        at.service, n_outer=N_OUTER, n_inner=N_INNER,
        random_state=derive(params.seed, "fairness", "predictions"), n_jobs=data.n_jobs,
    )  # fmt: skip
    there = np.flatnonzero(np.isfinite(found.p))
    rows = at.rows.select("ref", "patient")[there].join(
        data.rows.select("ref", *data.groupings), on="ref", how="left", maintain_order="left"
    )
    source = f"{KIND} regression made here, each service predicted by models that never saw it"
    if at.service is None:
        source = f"{KIND} regression made here, each patient predicted by models that saw others"
    grouped = _grouped(
        y[there], found.p[there], rows["patient"].to_numpy(), rows, list(data.groupings), source,
        _in_words(params, "outcome", "landmark"),
    )  # fmt: skip
    return replace(grouped, left_out=data.left_out | grouped.left_out)


def _in_words(params: Params, *known: str) -> str:
    """Outcome and landmark, where they are known."""
    words = OUTCOME_NAMES[params.outcome] if "outcome" in known else "the outcome"
    if "landmark" in known:
        words += f" at the landmark “{landmark_name(params.landmark)}”"
    return words


def read(data: Audited, params: Params) -> Predictions:
    """Predictions of a file: columns y and p, groupings, perhaps patient_id, model, landmark.

    Raises
    ------
    DataError
        No such file; it is damaged or lacks y, p or any grouping; values out of range; rows of
        another model, landmark or outcome only; a referral twice; patients of which some are
        missing; nothing to compare.
    """
    path = locate.file_beside(params.predictions, data.search_path)
    frame = _rows(path)
    lacking = [name for name in ("y", "p") if name not in frame.columns]
    if lacking:
        raise DataError(
            f"{path.name} has no column {' and no column '.join(lacking)}; its columns are "
            f"{', '.join(frame.columns)}. Needed are y (1 = the outcome was reached, else 0), p "
            "(its predicted chance) and at least one column with groups of patients."
        )
    frame = _decoded(_chosen(frame, params, path.name))
    groupings = _groupings(frame, params)
    if not groupings:
        raise DataError(
            f"{path.name} has no column with groups of patients; its columns are "
            f"{', '.join(frame.columns)}. Add one of {', '.join(params.grouped)}, or any other "
            f"column of words with at most {MOST_LEVELS} of them."
        )
    try:
        found = checked(frame["y"].to_numpy(), frame["p"].to_numpy(), None, None)
    except DataError as error:
        raise DataError(f"{path.name}: {error}") from None
    return _grouped(
        found.y, found.p, _patients(frame, path.name), frame, groupings, f"file {path.name}",
        _in_words(params, *frame.columns),
    )  # fmt: skip


def _decoded(frame: pl.DataFrame) -> pl.DataFrame:
    """With the groupings that a run of `recovery` writes as codes."""
    words = {
        "Ethnicity": ("ethnicity", pl.col("ethnicity").cast(pl.String).replace_strict(
            ETHNICITIES, default=None, return_dtype=pl.String)),
        "Orientation": ("orientation", pl.col("orientation").cast(pl.String)),
    }  # fmt: skip
    return frame.with_columns(
        expression.alias(name)
        for name, (code, expression) in words.items()
        if code in frame.columns and name not in frame.columns
    )


def _rows(path: Path) -> pl.DataFrame:
    reader = {".parquet": pl.read_parquet, ".csv": pl.read_csv}.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path.name} is neither .parquet nor .csv, so it cannot be read.")
    try:
        return reader(path)
    except (OSError, pl.exceptions.PolarsError):  # what polars says may quote a cell
        raise DataError(
            f"{path.name} cannot be read as a table. Write it again as .parquet, or as .csv with "
            "commas, a heading and a point in numbers."
        ) from None


def _chosen(frame: pl.DataFrame, params: Params, file: str) -> pl.DataFrame:
    """Rows of the landmark, outcome and model that are asked for."""
    wanted = {"landmark": params.landmark, "outcome": params.outcome, "model": params.model}
    for column, value in wanted.items():
        if column not in frame.columns:
            continue
        there = frame[column].unique(maintain_order=True)
        if column == "model" and len(there) == 1:  # nothing to choose
            continue
        kept = frame.filter(pl.col(column).cast(pl.String) == str(value))
        if kept.is_empty():
            names = ", ".join(str(x) for x in sorted(there.drop_nulls())) or "nothing"
            raise DataError(
                f"{file} holds no predictions of {column} {value}; it holds {names}. Ask for one "
                f"of them with -p {column}=…"
            )
        frame = kept
    twice = frame.height - frame["referral_id"].n_unique() if "referral_id" in frame.columns else 0
    if twice:
        raise DataError(
            f"{file}: {twice} of {frame.height} rows repeat a referral_id. Every referral is "
            "judged once: keep one prediction of each, or name model and landmark in columns."
        )
    return frame


def _groupings(frame: pl.DataFrame, params: Params) -> list[str]:
    """Those asked for that there are, and any other column of words."""
    known = [name for name in params.grouped if name in frame.columns]
    skipped = (*NO_GROUPS, *levels_of())
    others = [
        name
        for name, kind in frame.schema.items()
        if name not in skipped
        and isinstance(kind, pl.String | pl.Categorical | pl.Enum | pl.Boolean)
        and frame[name].n_unique() <= MOST_LEVELS
    ]
    return [*known, *others]


def _patients(frame: pl.DataFrame, file: str) -> np.ndarray | None:
    if "patient_id" not in frame.columns:
        return None
    missing = frame["patient_id"].null_count()
    if missing:
        raise DataError(
            f"{file}: {missing} of {frame.height} rows have no patient_id. Fill it in, or leave "
            "the whole column out: each row then counts as a patient."
        )
    return codes(frame["patient_id"].to_numpy(), frame.height, "patient")


def _grouped(
    y, p, patient, frame: pl.DataFrame, names: list[str], source: str, predicted: str
) -> Predictions:
    """With the groupings that have something to compare.

    Raises
    ------
    DataError
        None has.
    """
    groups, left_out = {}, {}
    for name in names:
        column = frame[name].cast(pl.String).fill_null(NOT_RECORDED)
        column = column.replace(dict.fromkeys(UNKNOWN, NOT_RECORDED))
        known = column.filter(column != NOT_RECORDED).n_unique()
        if known < 2:
            left_out[name] = "one group only" if known else "recorded for nobody"
        else:
            groups[name] = column.to_numpy()
    if not groups:
        whys = "; ".join(f"{name}: {why}" for name, why in left_out.items())
        raise DataError(
            f"Among those with predictions ({source}) there are no groups to compare: {whys}. "
            "Bring a grouping with two groups or more."
        )
    return Predictions(1.0 - y, 1.0 - p, patient, groups, left_out, source, predicted)
