"""Tables of what flagging does: work, hits, warning, false reassurance, by rule and group.

A number of patients flagged, of them those who missed the outcome, and the same of the others are
four cells of which few people must not be told; `linked` says what else tells them.
"""

import polars as pl

from iesoresearch.analyses.recovery_paths.columns import count, ends, interval, rate, types
from iesoresearch.analyses.recovery_paths.fitted import Fitted
from iesoresearch.analyses.recovery_paths.flags import RULES
from iesoresearch.models import signals
from iesoresearch.models.evaluation.results import Estimate
from iesoresearch.models.signals import Measured
from iesoresearch.results import Table

EVER = "at any of them"
#: Measures of patients counted once, and of one landmark: flagged, hits, misses, reviews.
_EVER = ("ever_flagged", "ever_ppv", "false_reassurance", "ever_needed_to_review")
_THEN = ("workload", "ppv", "npv", "needed_to_review")
#: How many there are, missed the outcome, are flagged or not, and of these missed it.
CELLS = ("n", "bad", "flagged", "unflagged", "hits", "misses")
_COUNTED = {
    True: ("patients", "patients_bad", "ever", "never", "ever_bad", "never_bad"),
    False: ("sessions", "bad", "flagged", "unflagged", "flagged_bad"),
}


#: Rule -> its table by group.
BY_GROUP = dict(zip(RULES, ("groups", "groups_band", "groups_current"), strict=True))


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """Tables of the flags, by name."""
    return {
        "rules": rules(fitted),
        "equal_work": equal_work(fitted),
        "benefit": benefit(fitted),
        **{name: groups(fitted, rule) for rule, name in BY_GROUP.items()},
        "safety": safety(fitted),
        "safety_flags": safety_flags(fitted),
    }


def rules(fitted: Fitted) -> Table:
    """What each rule does after each landmark, and over all of them."""
    rows = []
    for rule, found in fitted.measured.items():
        rows += [
            {"when": f"after session {s}", "rule": rule} | _cells(m, ever=False)
            for s, m in found.sessions.items()
        ]
        rows.append({"when": EVER, "rule": rule} | _cells(found.overall, ever=True))
    order = {when: i for i, when in enumerate(dict.fromkeys(row["when"] for row in rows))}
    rows.sort(key=lambda row: order[row["when"]])
    keys = {"when": "Flagged", "rule": "Rule"}
    return _measures(fitted, "What each rule does", rows, keys)


def groups(fitted: Fitted, rule: str) -> Table:
    """What a rule does in each group of patients."""
    rows = [
        {"group": group, "level": str(level)} | _cells(found, ever=True)
        for group, levels in fitted.measured[rule].groups.items()
        for level, found in levels.items()
    ]
    keys = {"group": "Group", "level": "Level"}
    return _measures(fitted, f"Flags of the {rule} by group", rows, keys, ("group",))


def _cells(found: Measured, *, ever: bool) -> dict[str, float | None]:
    """Cells of one rule for some patients, counted once or at one landmark."""
    share, hits, others, review = (found[name] for name in (_EVER if ever else _THEN))
    share = Estimate(share.value / 100, share.low / 100, share.high / 100)
    if not ever:  # missed among those not flagged, instead of not missed
        others = Estimate(1 - others.value, 1 - others.high, 1 - others.low)
    estimates = {"share": share, "ppv": hits, "missed": others, "review": review}
    if ever:
        estimates["lead"] = found["lead_mean"]
    row = dict(zip(CELLS, map(found.counts.get, _COUNTED[ever]), strict=False))
    row.setdefault("misses", row["bad"] - row["hits"])
    for name, estimate in estimates.items():
        row |= ends(name, estimate)
    return row


def _measures(fitted: Fitted, title: str, rows, keys, whole=None) -> Table:
    """Declarations of what `_cells` gives; `whole` as `Value.parts_of`."""
    out = f"missed {fitted.outcome}"
    values = {
        "n": count(fitted, whole=whole),
        "bad": count(fitted, out.capitalize(), whole, within="n", follows="n"),
        "flagged": count(fitted, "Flagged", whole, within="n", follows="n"),
        "unflagged": count(fitted, "Not flagged", whole, within="n", follows="n"),
        "hits": count(fitted, f"Flagged, {out}", whole, within=("flagged", "bad"),
                      follows="flagged"),
        "misses": count(fitted, f"Not flagged, {out}", whole, within=("unflagged", "bad"),
                        follows="unflagged"),
        **rate(fitted, "share", "Share flagged", "n", follows="flagged"),
        **rate(fitted, "ppv", f"Of those flagged {out}", "flagged", follows="hits"),
        **rate(fitted, "missed", f"Of the others {out}", "unflagged", follows="misses"),
    }  # fmt: skip
    more = {"denominator": "flagged", "follows": "hits"}
    label = "Number needed to review"
    values |= interval(fitted, "review", label, 2, **more)
    if any("lead" in row for row in rows):
        label = "Sessions left at the flag, mean, if missed"
        values |= interval(fitted, "lead", label, 1, **more)
    return Table(title, pl.DataFrame(rows, schema=types(keys, values)), keys, values)


def equal_work(fitted: Fitted) -> Table:
    """The other rules, made to flag as many patients at each landmark as the landmark model."""
    rows = []
    for rule, (found, less) in fitted.equal_work.items():
        counts = found.overall.counts
        row = {"rule": rule, "n": counts["patients"], "flags": counts["flagged"]}
        row["flagged"] = counts["ever"]
        for name, measure in _COMPARED.items():
            row |= ends(name, found.overall[measure])
            row |= ends(f"{name}_less", less[measure] if less else None)
        rows.append(row)
    values = {
        "n": count(fitted, whole=None),
        "flags": count(fitted, "Flags", None),
        "flagged": count(fitted, "Patients flagged", None),
    }
    for name, label in _LABELS.items():
        values |= interval(fitted, name, label.format(out=fitted.outcome), 3)
        values |= interval(fitted, f"{name}_less", "Less that of the landmark model", 3)
    keys = {"rule": "Rule"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    title = "Rules at equal workload: as many flags after each session"
    return Table(title, frame, keys, values)


_COMPARED = {"ppv": "ppv", "found": "ever_sensitivity"}
_LABELS = {
    "ppv": "Share of flags before a missed {out}",
    "found": "Patients who missed it: ever flagged",
}


def benefit(fitted: Fitted) -> Table:
    """What would be gained if a review changed anything: an assumption."""
    rows = []
    for rule, found in fitted.measured.items():
        counts = found.overall.counts
        for gain in signals.benefit(found.overall, fitted.params.assumed_risk_ratios):
            row = {"rule": rule, "ratio": gain.assumed_risk_ratio}
            row |= ends("patients", gain.per_100_patients) | ends("reviews", gain.per_100_reviews)
            rows.append(row | {"n": counts["patients"], "flagged": counts["ever"]})
    values = {
        **interval(fitted, "patients", "More who reach it, per 100 patients", 1),
        **interval(fitted, "reviews", "Per 100 patients flagged", 1, "flagged"),
        "n": count(fitted, whole=None),
        "flagged": count(fitted, "Ever flagged", None),
    }
    keys = {"rule": "Rule", "ratio": "ASSUMED risk ratio of a review"}
    frame = pl.DataFrame(rows, schema=types(keys, values) | {"ratio": pl.Float64})
    title = "What flags would gain under ASSUMED effects of a review (not estimated here)"
    return Table(title, frame, keys, values)


def safety(fitted: Fitted) -> Table:
    """What must be watched in everybody, whatever a rule flags."""
    rows = [
        {"signal": found.signal, "group": found.grouping, "level": str(found.level), "n": found.n,
         "events": found.events, "without": found.n - found.events, **ends("rate", found.rate)}
        for found in fitted.safety
    ]  # fmt: skip
    whole = ("signal", "group")
    values = {
        "n": count(fitted, whole=whole),
        "events": count(fitted, "With it", whole, within="n", follows="n"),
        "without": count(fitted, "Without", whole, within="n", follows="n"),
        **rate(fitted, "rate", "Share", "n", follows="events"),
    }
    keys = {"signal": "Signal", "group": "Group", "level": "Level"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table("Safety: what must be watched whatever a rule flags", frame, keys, values)


def safety_flags(fitted: Fitted) -> Table:
    """How many of the patients with a safety signal a rule flags at any landmark."""
    rows = [
        {"signal": signal, "rule": rule, "n": found.n, "flagged": found.events,
         **ends("rate", found.rate)}
        for (signal, rule), found in fitted.safety_flagged.items()
    ]  # fmt: skip
    values = {
        "n": count(fitted, "Patients with it", None),
        "flagged": count(fitted, "Flagged", None, within="n", follows="n"),
        **rate(fitted, "rate", "Flagged at any landmark", "n", follows="flagged"),
    }
    keys = {"signal": "Signal", "rule": "Rule"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    return Table("Who of those with a safety signal is flagged", frame, keys, values)
