"""What would have become of a referral from some appointment on: its future, drawn again and again.

The share of futures in which something happens is its true probability, given all that holds in
truth up to and including that appointment: the latent state, the person's response to therapy, the
therapist's effect, the treatment planned. No predictor can see any of these; it sees answers to
questionnaires. So the discrimination and the Brier score of these probabilities are an UPPER LIMIT
of what a model can reach on a synthetic cohort, and lie above the best that is attainable from what
is recorded.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from iesoresearch.data.cohort import Cohort
from iesoresearch.data.synthetic import answers, care, courses, people, redraw
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.errors import DataError, ParameterError
from iesoresearch.measures import GAD7, PHQ9
from iesoresearch.measures.outcomes import OFFICIAL
from iesoresearch.measures.outcomes.flags import flags
from iesoresearch.measures.scoring import total_and_status
from iesoresearch.seeds import derive

#: What `Futures.probability` holds.
OUTCOMES = (
    *("reliable_recovery", "reliable_improvement", "reliable_deterioration"),
    *("drop_out", "later_score"),
)
BLOCK = 1_000_000  # futures drawn at once, to bound memory
#: How a treatment ended, in the order of the codes of `kernels`.
ENDS = ("completed", "by patient", "by professional")
_SHARED = ("key", "severity", "transition", "chances")  # by all landmarks
_MEASURES = {"phq9": PHQ9, "anxiety": GAD7}  # by what the rules call them


@dataclass(frozen=True)
class Futures:
    """True probabilities at landmarks.

    Attributes
    ----------
    probability : dict
        Per outcome of `OUTCOMES` the share of futures: (landmarks,). Its Monte Carlo standard
        error is the square root of p (1 - p) / `n_futures`.
    n_futures
        Of every landmark.
    """

    probability: dict[str, np.ndarray]
    n_futures: int


def futures(cohort: Cohort, referral, appointment, *, n_futures: int = 200, seed: int) -> Futures:
    """True probabilities of what becomes of referrals from an appointment on.

    The past stays as it is, up to the state at the landmark and the answers given there. Drawn
    again is everything after it: whether the patient goes on or leaves after this appointment,
    starts treatment after the assessment, misses appointments, how her state changes, which forms
    are missing and what she answers.

    Outcomes are the official rules at the last score of the referral; who has no second score has
    neither recovered nor changed. That referrals may still be open is left out of account, as it
    has to do with nothing else.

    Parameters
    ----------
    cohort
        As `make` returns it, with all its rows.
    referral, appointment
        Landmarks: row of `cohort.referrals` and number of the appointment (``session``), (n,) each.
    n_futures
        Drawn per landmark. The error of the shares lowers their AUC in proportion to one over
        this number: on England's population, for recovery seen from the assessment, 0.725 with 50,
        0.738 with 200 and 0.742 with 1000.
    seed
        Of the futures; they differ from the one that came true even with the cohort's own seed.

    Returns
    -------
    Futures
        ``drop_out``: the patient ended treatment. ``later_score``: a PHQ-9 total after the
        landmark.

    Raises
    ------
    ParameterError
        Fewer than one future, or landmarks that are no two columns of equal length.
    DataError
        The cohort is not a drawn one or was changed, or a referral has no such appointment.
    """
    past, given, measures = _start(cohort, referral, appointment, n_futures)
    size = max(1, BLOCK // n_futures)
    parts = []
    for start in range(0, past.height, size):
        here = slice(start, start + size)
        frame = _judged(_ends(past[here], _part(given, here), measures, n_futures, seed))
        parts.append(frame.to_numpy().reshape(-1, n_futures, len(OUTCOMES)))
    shares = [part.mean(axis=1) for part in parts] or [np.empty((0, len(OUTCOMES)))]
    return Futures(dict(zip(OUTCOMES, np.concatenate(shares).T, strict=True)), n_futures)


def ends(cohort: Cohort, referral, appointment, *, n_futures: int, seed: int) -> pl.DataFrame:
    """The futures themselves; arguments as of `futures`.

    Returns
    -------
    polars.DataFrame
        One row per landmark and future: ``landmark`` and ``future`` (counted from 0),
        ``n_appointments`` and ``n_attended`` (after the landmark; all are treatments),
        ``n_treatment`` (attended, of the whole referral), ``ended`` (of `ENDS`), ``later_score``
        (whether a PHQ-9 total follows), ``phq9_first``, ``phq9_last``, ``anxiety_first``,
        ``anxiety_last`` (GAD-7) as the outcome rules take them: over the whole referral, last
        scores null unless there are two.

    Raises
    ------
    ParameterError, DataError
        As `futures`.
    """
    return _ends(*_start(cohort, referral, appointment, n_futures), n_futures, seed)


def _start(cohort: Cohort, referral, appointment, n_futures: int):
    """Scores up to the landmarks, and all that the kernel takes."""
    referral, appointment = (np.asarray(a) for a in (referral, appointment))
    if n_futures < 1:
        raise ParameterError(f"n_futures={n_futures}: at least one future must be drawn.")
    if referral.shape != appointment.shape or referral.ndim != 1:
        raise ParameterError(
            f"Landmarks: referral has the shape {referral.shape}, appointment {appointment.shape}. "
            "Hand over two columns of equal length."
        )
    if not {"seed", "population", "profile", "states"} <= cohort.truth.keys():
        raise DataError(
            f"{cohort.name}: futures can be drawn only for a cohort of "
            "iesoresearch.data.synthetic.make, which knows the truth it was drawn from."
        )
    past = _past(cohort, referral.astype(np.int64), appointment.astype(np.int64))
    given, measures = _given(cohort, past)
    states = np.empty(past.height, dtype=np.int64)
    redraw.states_at_landmarks(given, states)
    if not np.array_equal(states, cohort.truth["states"][past["row"].to_numpy()]):
        raise _changed(cohort)
    return past, given, measures


def _changed(cohort: Cohort) -> DataError:
    return DataError(
        f"{cohort.name}: its courses are not those of its seed, so their futures cannot be drawn. "
        "Draw the cohort again with this version of iesoresearch and leave it unchanged."
    )


def _past(cohort: Cohort, referral: np.ndarray, appointment: np.ndarray) -> pl.DataFrame:
    """Per landmark its row of `contacts`, and the first, last and number of scores by then."""
    totals = {name: total_and_status(i)[0].cast(pl.Float64) for name, i in _MEASURES.items()}
    rows = cohort.contacts.with_row_index("row").select(
        "referral_id", "row", number=pl.col("session").cast(pl.Int64), **totals
    )
    ids = cohort.referrals.select("referral_id").with_row_index("referral")
    marks = pl.DataFrame({"referral": referral, "appointment": appointment})
    marks = marks.with_row_index("landmark")
    known = (
        marks.join(ids.with_columns(pl.col("referral").cast(pl.Int64)), on="referral")
        .join(rows, on="referral_id")
        .filter(pl.col("number") <= pl.col("appointment"))
        .sort("landmark", "number")
        .group_by("landmark", maintain_order=True)
        .agg(
            pl.col("row").filter(pl.col("number") == pl.col("appointment")).first(),
            *(pl.col(m).drop_nulls().first().alias(f"{m}_from") for m in totals),
            *(pl.col(m).drop_nulls().last().alias(f"{m}_to") for m in totals),
            *(pl.col(m).count().alias(f"{m}_n") for m in totals),
        )
    )
    marks = marks.join(known, on="landmark", how="left", maintain_order="left")
    if absent := marks["row"].null_count():
        raise DataError(
            f"{cohort.name}: {absent} of {marks.height} landmarks are appointments that the "
            "referral does not have. Take rows and sessions from the cohort's own tables."
        )
    return marks


def _given(cohort: Cohort, past: pl.DataFrame) -> tuple[redraw.Given, tuple[redraw.Measure, ...]]:
    """The truth about the landmarks, drawn again from the seed of the cohort."""
    seed, n = cohort.truth["seed"], cohort.referrals.height
    profile = Profile.load(cohort.truth["population"]).with_values(cohort.truth["profile"])
    cared = care.draw(people.draw(n, profile, seed), profile, seed)
    plans = courses.plans(cared, profile, seed)
    # arrays of one kind, or the kernel would be compiled for each
    referral, appointment = (past[c].to_numpy(writable=True) for c in ("referral", "appointment"))
    counts = np.ascontiguousarray(past.select(f"{m}_n" for m in _MEASURES).to_numpy())
    if len(cohort.truth["states"]) != cohort.contacts.height or not set(referral) <= set(
        plans.seen
    ):
        raise _changed(cohort)
    place = np.searchsorted(plans.seen, referral)
    # whether treatment starts after an assessment is drawn again, given that there was one
    kept = (1 - profile["seen_only"]) * (1 - profile["turned_away"] * plans.well[place])
    assessed = kept * profile["separate_assessment"]
    per_landmark = {
        name: getattr(plans, name)[place] for name in courses.Plans.__dataclass_fields__
        if name in redraw.Given._fields and name not in _SHARED
    }  # fmt: skip
    given = redraw.Given(
        **{name: getattr(plans, name) for name in _SHARED},
        **per_landmark,
        no_form=answers.without_form(plans.severity, profile),
        item_missing=float(profile["item_missing"]),
        person=referral,
        appointment=appointment,
        starts=assessed / np.maximum(assessed + 1 - kept, 1e-300),
        silent=answers.silent(n, profile, seed)[referral],
        adds=np.column_stack([np.zeros(len(referral)), cared.anxiety[referral]]),
        unscored=counts == 0,
    )
    return given, _measures(profile)


def _measures(profile: Profile) -> tuple[redraw.Measure, ...]:
    found, place = [], redraw.ITEMS
    for instrument in _MEASURES.values():
        scale = answers.item_scale(instrument, profile)
        fades = float(profile["anxiety_fades"])
        found.append(redraw.Measure(*scale, instrument.max_missing, fades, place))
        place += 2 * len(instrument.items)
    return tuple(found)


def _part(given: redraw.Given, here: slice) -> redraw.Given:
    """The same for some of the landmarks."""
    n_shared = redraw.Given._fields.index("person")
    return redraw.Given(*given[:n_shared], *(values[here] for values in given[n_shared:]))


def _ends(past: pl.DataFrame, given: redraw.Given, measures, n_futures: int, seed: int):
    """Draw; see `ends`."""
    keys = np.array([derive(seed, "futures", f) for f in range(n_futures)], dtype=np.uint64)
    visits = np.empty((past.height, n_futures, redraw.N_VISITS), dtype=np.int32)
    scores = np.empty((past.height, n_futures, len(measures), 2))
    redraw.draw_futures(keys, given, measures, visits, scores)
    owner = np.repeat(np.arange(past.height), n_futures)
    after, attended, treatments, ended = visits.reshape(-1, redraw.N_VISITS).T
    drawn = pl.DataFrame(
        {
            "landmark": owner,
            "future": np.tile(np.arange(n_futures), past.height),
            "n_appointments": after,
            "n_attended": attended,
            "n_treatment": treatments,
            "ended": pl.Series(ENDS, dtype=pl.Enum(ENDS)).gather(pl.Series(ended)),
            "later_score": (~np.isnan(scores[:, :, 0])).any(axis=2).ravel(),
        }
    )
    before = past.drop("landmark", "referral", "appointment", "row")[owner]
    for m, name in enumerate(_MEASURES):
        first, last = (pl.Series(scores[:, :, m, k].ravel()).fill_nan(None) for k in (0, 1))
        until = before.select(pl.when(pl.col(f"{name}_n") >= 2).then(f"{name}_to")).to_series()
        drawn = drawn.with_columns(
            before[f"{name}_from"].fill_null(first).alias(f"{name}_first"),
            last.fill_null(until).alias(f"{name}_last"),
        )
    return drawn


def _judged(drawn: pl.DataFrame) -> pl.DataFrame:
    """Outcomes by the official rules; what cannot be judged did not happen."""
    official = {row.scale: row for row in OFFICIAL.rows}
    rules = {
        f"{name}_{field}": pl.lit(float(getattr(official[instrument.code], field)))
        for name, instrument in _MEASURES.items()
        for field in ("caseness", "reliable_change")
    }
    judged = drawn.with_columns(**rules).with_columns(
        **{name: flag.fill_null(False) for name, flag in flags().items() if name in OUTCOMES},
        drop_out=pl.col("ended") == "by patient",
    )
    return judged.select(OUTCOMES)
