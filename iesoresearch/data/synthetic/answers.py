"""How states become answers, and which forms are missing."""

import numpy as np
import polars as pl

from iesoresearch.data.synthetic import kernels
from iesoresearch.data.synthetic.people import expit
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.measures import GAD7, PHQ9, WSAS
from iesoresearch.measures.instruments import Instrument
from iesoresearch.measures.outcomes import OFFICIAL
from iesoresearch.seeds import derive, rng

CASENESS = {row.scale: row.caseness for row in OFFICIAL.rows}
#: Which states lean towards somatic (+) or cognitive-affective (-) symptoms.
LEANING = np.array([0.0, 0.0, 1.0, -1.0, 1.0, -1.0, 0.0])


def severity_of_states(profile: Profile) -> np.ndarray:
    """Positions of the states on the latent scale."""
    return np.array(profile["severity_of_states"])


def item_scale(instrument: Instrument, profile: Profile) -> tuple[np.ndarray, np.ndarray]:
    """Position of every state on every item, and the cuts between the answers of every item."""
    severity = severity_of_states(profile)[:, None]
    n_cuts = instrument.n_categories - 1
    if instrument is PHQ9:
        slope = np.array(profile["phq9_slope"])
        lean = profile["lean"] * LEANING[:, None] * np.array(profile["phq9_lean"])
        base = severity * slope + lean + profile["phq9_shift"]
        first = slope * np.array(profile["phq9_threshold"])
    else:
        code = instrument.code
        base = severity * profile[f"{code}_slope"] + profile[f"{code}_shift"]
        base = np.repeat(base, len(instrument.items), axis=1)
        first = np.array(profile[f"{code}_thresholds"])
    step = profile[f"{instrument.code}_step"]
    return base, first[:, None] + step * np.arange(n_cuts)


def item_probs(instrument: Instrument, profile: Profile) -> np.ndarray:
    """Probability of each answer in each state: (states, items, levels).

    Cumulative logits (Samejima 1969, doi:10.1007/BF03372160); for GAD-7 and WSAS that of a person
    who adds nothing of her own.
    """
    base, cuts = item_scale(instrument, profile)
    above = expit(base[:, :, None] - cuts)
    edges = np.concatenate([np.ones_like(above[..., :1]), above, np.zeros_like(above[..., :1])], -1)
    return edges[..., :-1] - edges[..., 1:]


def anxiety(care, owner, session, profile: Profile) -> np.ndarray:
    """Anxiety apart from depression, at every appointment: it is what changes first."""
    return care.anxiety[owner] * np.exp((1.0 - session) / profile["anxiety_fades"])


def without_form(severity: np.ndarray, profile: Profile) -> np.ndarray:
    """Chance that an appointment after the first one is without questionnaires."""
    logit = np.log(profile["form_missing"] / (1 - profile["form_missing"]))
    return expit(logit + profile["form_missing_by_severity"] * severity)


def silent(n: int, profile: Profile, seed: int) -> np.ndarray:
    """Who never answers a questionnaire."""
    return rng(seed, "synthetic", "silent").random(n) < profile["never_answers"]


def draw(courses, care, people, profile: Profile, seed: int) -> pl.DataFrame:
    """Items of all questionnaires at every appointment, null where missing."""
    states, owner, n = courses.state, courses.owner, len(courses.state)
    chance = without_form(severity_of_states(profile)[states], profile)
    random = rng(seed, "synthetic", "forms")
    no_form = ~courses.attended | ((random.random(n) < chance) & (courses.session > 1))
    no_form |= silent(len(care.alpha), profile, seed)[owner]
    columns = {}
    for instrument in (PHQ9, GAD7, WSAS):
        gone = no_form
        offset = np.zeros(n)
        if instrument is GAD7:
            offset = anxiety(care, owner, courses.session, profile)
        elif instrument is WSAS:
            offset = care.impairment[owner]
            extra = rng(seed, "synthetic", "wsas forms").random(n) < profile["wsas_missing"]
            gone = no_form | extra
        items = _items(instrument, owner, courses.session, states, offset, profile, seed)
        lost = rng(seed, "synthetic", instrument.code, "missing").random(items.shape)
        lost = (lost < profile["item_missing"]) | gone[:, None]
        if instrument is WSAS:
            items[_without_work(people, profile, seed)[owner], 0] = 9
        for column, values, missing in zip(instrument.columns, items.T, lost.T, strict=True):
            columns[column] = pl.Series(values).set(pl.Series(missing), None)
    return pl.DataFrame(columns)


def _items(instrument, people, appointments, states, offset, profile, seed) -> np.ndarray:
    base, cuts = item_scale(instrument, profile)
    out = np.empty((len(states), base.shape[1]), dtype=np.int8)
    key = np.uint64(derive(seed, "synthetic", instrument.code))
    kernels.draw_items(key, people, appointments, states, base, offset, cuts, out)
    return out


def below_caseness_at_first(people, states, care, profile: Profile, seed: int) -> np.ndarray:
    """Who will score below caseness on PHQ-9 and GAD-7 at the first appointment.

    Every answer has a place of its own among the draws, so these are the answers that `draw` gives.
    """
    ones = np.ones_like(people)
    offsets = {PHQ9: np.zeros(len(people)), GAD7: care.anxiety[people]}
    below = np.ones(len(people), dtype=bool)
    for instrument, offset in offsets.items():
        items = _items(instrument, people, ones, states, offset, profile, seed)
        below &= items.sum(axis=1) < CASENESS[instrument.code]
    return below


def _without_work(people, profile: Profile, seed: int) -> np.ndarray:
    """Whom the WSAS item on work does not apply to."""
    younger, older = profile["work_not_applicable"]
    chance = np.where(people.age < 65, younger, older)
    return rng(seed, "synthetic", "work").random(len(chance)) < chance
