"""The part of the audit that asks for whom outcomes are worse, with its checks and sentences."""

import polars as pl

from iesoresearch.analyses.fairness import Params, captions, planted, sentences
from iesoresearch.analyses.fairness.adjusted import adjusted, n_services
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.derive import HIGHER, LOWER
from iesoresearch.analyses.fairness.outcomes import (
    WORDS,
    gaps,
    outcomes,
    stages,
    truth_known,
)
from iesoresearch.analyses.fairness.pathway import (
    DEPRIVATION,
    deprivation,
    indices,
    pathway,
)
from iesoresearch.analyses.fairness.services import services, spread, trends, years
from iesoresearch.data.groups import NOT_RECORDED
from iesoresearch.models import case_mix, inequality
from iesoresearch.results import Check, Number, Result, Table

UNKNOWN_SHARE = 0.2  # of referrals without a group, above which a grouping is marked
ONE_SERVICE = "There are not two services to set beside each other."
NO_FIFTHS = "Deprivation is not recorded, or not audited here."


def audit(data: Audited, params: Params) -> Result:
    """Stages, outcomes, gaps, adjusted gaps, pathway, gradient, services and years.

    Raises
    ------
    ParameterError
        A reference level that a grouping does not have.
    """
    tables: dict[str, Table] = {
        "stages": stages(data),
        "outcomes": outcomes(data),
        "gaps": gaps(data, params),
        "adjusted": adjusted(data, params),
        "pathway": pathway(data, params),
    }
    absent = {}
    numbers = _numbers(data) | sentences.numbers(data, params.outcome) | sentences.findings()
    if data.no_years:
        absent |= dict.fromkeys(("years", "trends"), data.no_years)
    else:
        tables |= {"years": years(data, params), "trends": trends(data, params)}
    if DEPRIVATION in data.groupings:
        tables["deprivation"] = deprivation(data, params.outcome)
        numbers |= indices(params.outcome)
    else:
        absent["deprivation"] = NO_FIFTHS
    if n_services(data.closed) > 1:
        tables["services"] = services(data, params)
        numbers |= spread(data, params)
    else:
        absent["services"] = ONE_SERVICE
    if truth_known(data, params):
        numbers |= planted.numbers()
    figures = captions.outcomes(data, params)
    return Result(
        tables=tables,
        numbers=numbers,
        checks=_checks(data, params, tables["gaps"]),
        text=_text(data, params, tables),
        figures={name: spec for name, spec in figures.items() if spec.table in tables},
        not_applicable=absent,
    )


def _numbers(data: Audited) -> dict[str, Number]:
    closed = data.closed
    counts = {
        "n_referrals": closed.height,
        "n_open": data.rows.height - closed.height,
        "n_patients": closed["patient"].n_unique(),
        "n_started": int(closed["started"].sum()),
        "n_finished": int(closed["finished"].sum()),
        "n_judged": int(closed["judged"].sum()),
        "n_at_caseness": int(closed["at_caseness"].sum()),
    }
    return {
        name: Number(n, n, kind="count", sensitivity=data.sensitivity) for name, n in counts.items()
    }


def _checks(data: Audited, params: Params, table: Table) -> list[Check]:
    return [
        planted.check(table, truth_known(data, params)),
        _recorded(data),
        _direction(data),
        _judged(data),
        _differ(table, params),
    ]


def _recorded(data: Audited) -> Check:
    name = "groups are recorded for most"
    shares = {g: (data.closed[g] == NOT_RECORDED).mean() for g in data.groupings}
    often = [g for g, share in shares.items() if share > UNKNOWN_SHARE]
    absent = [f"{g} ({why})" for g, why in data.left_out.items()]
    sentence = "Every grouping is recorded for at least four referrals in five."
    if often:
        sentence = (
            f"Not recorded for more than one referral in five: {', '.join(often)}. Their gaps are "
            "those of people who were asked and answered."
        )
    if absent:
        sentence += f" Not audited: {', '.join(absent)}."
    return Check(name, "inconclusive" if often or absent else "passed", sentence)


def _direction(data: Audited) -> Check:
    """Whether deprivation runs as it does in England, or its labels may be turned round."""
    name = "deprivation runs the way it does in England"
    if DEPRIVATION not in data.groupings:
        return Check(name, "not applicable", NO_FIFTHS)
    fifths = data.closed.filter(pl.col(DEPRIVATION) != NOT_RECORDED)
    against = [
        heading
        for event, whole, heading in (
            ("finished", "referred", "finish more often"),
            ("reliable_recovery", "at_caseness", "recover more often"),
        )
        if _rises(fifths, event, whole)
    ]
    if not against:
        return Check(
            name,
            "passed",
            "Patients of more deprived areas do not both finish and recover more often.",
        )
    sentence = (
        f"Patients of areas labelled more deprived {' and '.join(against)}; in the published "
        "figures of England they do so less often. "
    )
    if len(against) == 1:
        return Check(name, "inconclusive", f"{sentence}One of two signs is turned round.")
    return Check(
        name,
        "failed",
        f"{sentence}Is the label reversed? Here decile 1 is the most deprived; some published "
        "tables count the other way.",
    )


def _rises(fifths: pl.DataFrame, event: str, whole: str) -> bool:
    """Whether an event becomes more frequent with deprivation, beyond chance."""
    counts = fifths.group_by(DEPRIVATION).agg(pl.col(event, whole).sum()).sort(DEPRIVATION)
    if counts.height < 3 or not 0 < counts[event].sum() < counts[whole].sum():
        return False
    return inequality.slope_index(counts[event].to_numpy(), counts[whole].to_numpy()).sii.low > 0


def _judged(data: Audited) -> Check:
    """Whether enough of those who finished can be judged."""
    finished = int(data.closed["finished"].sum())
    share = int(data.closed["judged"].sum()) / max(finished, 1)
    return Check(
        "most who finished can be judged",
        "passed" if share >= 0.5 else "failed",
        "Of {n_finished} referrals that finished, {n_judged} are judged by the official rules; "
        "for the others the thresholds of their measure are not sourced.",
    )


def _differ(table: Table, params: Params) -> Check:
    named = table.frame.filter(pl.col("level") != NOT_RECORDED)
    found = named["finding"].is_in([LOWER, HIGHER]).any()
    return Check(
        "claim: outcomes differ between groups",
        "passed" if found else "inconclusive",
        f"Of {{n_compared}} groups compared by who {WORDS[params.outcome]}, {{n_lower}} are found "
        "lower and {n_higher} higher than their reference, by intervals that hold together within "
        "a grouping in 95 of 100 audits (Bonferroni). Patients whose group is not recorded are "
        "counted apart: found to differ in {n_unrecorded_apart} of {n_unrecorded} comparisons.",
    )


def _text(data: Audited, params: Params, tables: dict[str, Table]) -> dict[str, str]:
    whose = "Drawn by a program with known gaps: " if data.planted else ""
    plain = [
        f"{whose}{{n_referrals}} referrals that have ended, of {{n_patients}} patients; "
        "{n_started} started treatment, {n_finished} finished a course, {n_at_caseness} of them "
        "at caseness at the start by rules that can be applied here.",
        *(f"{{told_{sentences.slug(grouping)}}}" for grouping in data.groupings),
    ]
    if "deprivation" in tables:
        plain += ["{told_pathway}", "{told_gradient}"]
    plain += ["{told_trends}"] if "trends" in tables else []
    if "services" in tables:
        plain.append(
            "Services outside the 95 % limits of the funnel, which allow for differences beyond "
            "chance: {services_outside} of {services_shown}; about {services_chance} would be if "
            "none stood out."
        )
    return {
        "plain": "\n\n".join(plain),
        "reading": _reading(params),
        "limits": _limits(data, params),
    }


def _reading(params: Params) -> str:
    return (
        "Counted are referrals that have ended, each in one group of every grouping; 'not "
        "recorded' is a group too. Outcomes and denominators are the official ones: who finished "
        "and was not below caseness, with a missing last score counted as not recovered. Rates "
        "have Wilson's interval, gaps Newcombe's, ratios Koopman's, all worked out from counts as "
        "they are shown (rounded). Rounding to 5, as in the policy of the package, moves a rate "
        "by less than 1 point where 500 patients stand behind it, but by up to 8 where 50 do, and "
        "by more below 50: there a rate and its gap are rough, and their intervals, which are of "
        "the rounded counts, do not contain this. Each 95 % interval is by itself; a finding rests "
        "on joint intervals, whose level is divided by the number of comparisons within the "
        "grouping, so that in 95 of 100 audits none of a grouping is wrong. Over all groupings "
        "together more than one audit in twenty finds something by chance.\n\n"
        f"{case_mix.CAUTION} Adjusted gaps are standardised over everybody's case mix; intervals "
        "are those of whole services, and the last step compares patients within a service. What "
        "remains is not the unjust part, and what disappears is not the just one.\n\n"
        "Parts of a gap along the way are those of one cohort followed from referral; each is what "
        "changing that step alone changes, averaged over the orders of changing them, and they add "
        "up. Who finished and cannot be judged is not known to have recovered: shares of all "
        "referred are too low, and a gap in them is in part one in who can be judged. Funnel "
        "limits allow for services that differ beyond chance (random effects). Years are those of "
        "the referral; whether gaps change is told by the first and the last, jointly over all "
        "groups."
    )


def _limits(data: Audited, params: Params) -> str:
    start = "" if not data.planted else (
        "SIMULATED: gaps were planted; finding them shows that the method works and says nothing "
        "about patients. "
    )  # fmt: skip
    return start + (
        "Groups are shown by one outcome: from two, such as recovery and reliable recovery, or "
        "from two releases of the same data, the few patients between them could be worked out. "
        "A gap says that outcomes differ, never why: groups differ in what brings them, in what "
        "they are offered, in how the questionnaires work for them, and in who is referred at all. "
        "Severity and problem are measured by the same service that is audited, at a first session "
        "which not everybody reaches. A group that is not shown to differ is not shown to be "
        "equal: look at the width of its interval. Groups too small, or withheld to protect a "
        "small one, are not fine, they are unknown. Patients still in care are not counted, so the "
        "latest referrals are those with short courses. One patient may be behind several "
        "referrals."
    )
