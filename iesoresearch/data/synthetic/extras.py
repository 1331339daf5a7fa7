"""Circumstances of a referral, disorder measures and content of typed sessions."""

import numpy as np
import polars as pl

from iesoresearch.data import codes
from iesoresearch.data.synthetic import columns
from iesoresearch.data.synthetic.answers import anxiety, severity_of_states
from iesoresearch.data.synthetic.care import chosen
from iesoresearch.data.synthetic.people import expit
from iesoresearch.data.synthetic.profile import Profile
from iesoresearch.measures import SCALES
from iesoresearch.measures.problems import PROBLEMS
from iesoresearch.seeds import rng


def circumstances(people, care, treated: np.ndarray, profile: Profile, seed: int) -> dict:
    """Who referred, employment and medication of every referral; null for those not treated."""
    n = len(people.age)
    random = rng(seed, "synthetic", "circumstances")
    jobs = _employment(people, care, profile, random)
    found = (jobs == codes.EMPLOYMENT.index("unemployed and seeking work")) & (
        random.random(n) < profile["finds_work"]
    )
    jobs_last = np.where(found, codes.EMPLOYMENT.index("employed"), jobs)
    logit = profile["medicated"] + profile["medicated_by_severity"] * care.alpha
    logit = logit + profile["medicated_ill"] * people.ill
    taking = random.random(n) < expit(logit)
    other = np.where(random.random(n) < profile["not_taken"], 0, 2)
    medication = np.where(taking, 1, other)
    medication = np.where(random.random(n) < profile["medication_not_stated"], 3, medication)
    stopped = (medication == 1) & (random.random(n) < profile["stops_medication"])
    sources = profile["source_shares"]
    source = random.choice(len(sources), size=n, p=np.array(list(sources.values())))
    return {
        "source": columns.words(list(sources), source, codes.REFERRAL_SOURCES),
        "employment_first": columns.words(codes.EMPLOYMENT, np.where(treated, jobs, -1)),
        "employment_last": columns.words(codes.EMPLOYMENT, np.where(treated, jobs_last, -1)),
        "medication_first": columns.words(codes.MEDICATION, np.where(treated, medication, -1)),
        "medication_last": columns.words(
            codes.MEDICATION, np.where(treated, np.where(stopped, 2, medication), -1)
        ),
    }


def _employment(people, care, profile: Profile, random) -> np.ndarray:
    """Index into `codes.EMPLOYMENT`: retired with age, unfit with illness and deprivation."""
    n = len(people.age)
    logits = np.tile(np.log(np.array(profile["employment_shares"])), (n, 1))
    characteristics = {
        "years beyond 64": people.age - 64.0,
        "below 26": people.age < 26,
        "from 26": people.age >= 26,
        "long-term condition": people.ill,
        "disability": people.disabled,
        "deprivation": people.deprivation,
        "severity": care.alpha - profile["severity"],
    }
    for status, characteristic, effect in profile["employment_effects"]:
        logits[:, codes.EMPLOYMENT.index(status)] += effect * characteristics[characteristic]
    return chosen(logits, random)


def draw(contacts: pl.DataFrame, courses, care, profile: Profile, seed: int) -> dict:
    """The tables `scores` and `content`."""
    return {
        "scores": _disorder_measures(contacts, courses, care, profile, seed),
        "content": _content(contacts, courses, care, profile, seed),
    }


def _disorder_measures(contacts, courses, care, profile: Profile, seed: int) -> pl.DataFrame:
    """Totals of the measure paired with the problem, for some of those who have one of their own.

    No published figures were used: a total follows severity and anxiety within the range.
    """
    codes_of = [p.anxiety_scale if p.anxiety_scale in SCALES else "" for p in PROBLEMS.values()]
    specific = np.array([code not in ("", "gad7") for code in codes_of])
    random = rng(seed, "synthetic", "disorder measure")
    used = specific[care.problem] & (random.random(len(care.problem)) < profile["disorder_measure"])
    answered = contacts["gad7_1"].is_not_null().to_numpy()
    rows = np.flatnonzero(used[courses.owner] & answered)
    owner = courses.owner[rows]
    level = severity_of_states(profile)[courses.state[rows]]
    level = level + anxiety(care, owner, courses.session[rows], profile)
    slope, noise = profile["disorder_scale"]
    share = expit(slope * level + noise * random.normal(size=len(rows)))
    low = np.array([SCALES[c].low if c else 0.0 for c in codes_of])[care.problem[owner]]
    high = np.array([SCALES[c].high if c else 0.0 for c in codes_of])[care.problem[owner]]
    names = pl.Series(codes_of).gather(pl.Series(care.problem[owner]))
    return contacts.select("referral_id", "patient_id", "date", "session")[rows].with_columns(
        instrument=names,
        item=pl.lit(0, pl.UInt16),
        value=pl.Series(np.round(low + share * (high - low), 0)),
    )


def _content(contacts, courses, care, profile: Profile, seed: int) -> pl.DataFrame:
    """Words of the therapist per element, of every typed session attended.

    The higher a therapist's `skill`, the more change methods and the less that is no therapy.
    """
    typed = care.mechanism == codes.MECHANISMS.index("typed, live")
    rows = np.flatnonzero(typed[courses.owner] & courses.treatment & courses.attended)
    skill = care.skill[care.therapist[courses.owner[rows], courses.step[rows]]]
    elements, words, lean = zip(*profile["content"], strict=True)
    random = rng(seed, "synthetic", "content")
    spread = profile["content_sd"] * random.normal(size=(len(rows), len(words)))
    logs = np.log(words) + skill[:, None] * np.array(lean) + spread
    keys = contacts.select("referral_id", "session")[np.repeat(rows, len(words))]
    return keys.with_columns(
        element=pl.Series(elements).gather(pl.Series(np.tile(np.arange(len(words)), len(rows)))),
        words=pl.Series(np.round(np.exp(logs)).astype(np.uint32).ravel()),
    )
