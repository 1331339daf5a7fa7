"""Tables of what flagging does: work, hits, warning, false reassurance, by rule and group.

A number of patients flagged, of them those who missed the outcome, and the same of the others are
four cells of which few people must not be told; what tells one of them is hidden with it.
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
_COUNTED = {True: ("patients", "ever", "never"), False: ("sessions", "flagged", "unflagged")}


def all_tables(fitted: Fitted) -> dict[str, Table]:
    """Tables of the flags, by name."""
    names = ("groups", "groups_band", "groups_current")
    return {
        "rules": rules(fitted),
        "equal_work": equal_work(fitted),
        "benefit": benefit(fitted),
        **{name: groups(fitted, rule) for name, rule in zip(names, RULES, strict=True)},
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
    row = dict(
        zip(("n", "flagged", "unflagged"), map(found.counts.get, _COUNTED[ever]), strict=True)
    )
    for name, estimate in estimates.items():
        row |= ends(name, estimate)
    return row


def _measures(fitted: Fitted, title: str, rows, keys, whole=None) -> Table:
    """Declarations of what `_cells` gives; `whole` as `Value.parts_of`.

    Every column is hidden with the one it follows, in this order, so that of a row whose hits are
    hidden the misses are, too: it can be known how many missed the outcome in all.
    """
    out = f"missed {fitted.outcome}"
    parts = {"parts_of": whole}
    values = {
        "n": count(fitted, whole=whole, follows="missed"),
        "flagged": count(fitted, "Flagged", whole, follows="n"),
        "unflagged": count(fitted, "Not flagged", whole, follows="flagged"),
        **rate(fitted, "share", "Share flagged", "n", follows="unflagged", **parts),
        **rate(fitted, "ppv", f"Of those flagged {out}", "flagged", follows="share", **parts),
        **rate(fitted, "missed", f"Of the others {out}", "unflagged", follows="ppv", **parts),
    }
    more = {"denominator": "flagged", "follows": "missed"}
    label = "Number needed to review"
    values |= interval(fitted, "review", label, 2, **more)
    if any("lead" in row for row in rows):
        label = "Sessions left at the flag, mean, if missed"
        values |= interval(fitted, "lead", label, 1, **more)
    # a share of nobody is hidden, and must be a number to be counted with the other parts
    frame = pl.DataFrame(rows, schema=types(keys, values)).with_columns(
        pl.col("share", "ppv", "missed").fill_null(0.0)
    )
    return Table(title, frame, keys, values)


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
         **ends("rate", found.rate)}
        for found in fitted.safety
    ]  # fmt: skip
    whole = ("signal", "group")
    values = {
        "n": count(fitted, whole=whole),
        **rate(fitted, "rate", "Share", "n", parts_of=whole, follows="n"),
    }
    keys = {"signal": "Signal", "group": "Group", "level": "Level"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    frame = frame.with_columns(pl.col("rate").fill_null(0.0))
    return Table("Safety: what must be watched whatever a rule flags", frame, keys, values)


def safety_flags(fitted: Fitted) -> Table:
    """How many of the patients with a safety signal a rule flags at any landmark."""
    rows = [
        {"signal": signal, "rule": rule, "n": n, **ends("rate", share)}
        for (signal, rule), (n, share) in fitted.safety_flagged.items()
    ]
    values = {
        "n": count(fitted, "Patients with it", None),
        **rate(fitted, "rate", "Flagged at any landmark", "n", follows="n"),
    }
    keys = {"signal": "Signal", "rule": "Rule"}
    frame = pl.DataFrame(rows, schema=types(keys, values))
    frame = frame.with_columns(pl.col("rate").fill_null(0.0))
    return Table("Who of those with a safety signal is flagged", frame, keys, values)
