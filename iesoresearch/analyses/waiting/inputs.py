"""Tables of what goes in: every input, and the assumptions among them apart."""

import polars as pl

from iesoresearch.analyses.waiting import Params
from iesoresearch.analyses.waiting.declared import count, words
from iesoresearch.data.health_economics import Input
from iesoresearch.results import Table

NONE = "none"
ASSUMED = "all assumptions"  # together, where one input or another is named
_SHOWN = {"relative_sd": "SD {:.0%} of the mean", "sd": "SD {:g}", "ci": "95 % {:g} to {:g}"}


def summary(inputs: tuple[Input, ...], n_trials: int) -> Table:
    """How many inputs there are, and what they rest on."""
    rows = {"inputs": len(inputs)}
    rows |= {
        f"… {status}": sum(x.status == status for x in inputs)
        for status in ("sourced", "derived", "assumption")
    }
    rows["sources that are cited"] = len({x.source for x in inputs if x.source})
    rows["trials behind the effect of therapy"] = n_trials
    rows["records of patients"] = 0
    frame = pl.DataFrame({"what": list(rows), "count": list(rows.values())})
    return Table("The data: published figures", frame, {"what": ""}, {"count": count("Number")})


def table(inputs: tuple[Input, ...]) -> Table:
    """Every input: value, distribution, range, year of prices, what it rests on."""
    rows = [
        {
            "condition": x.condition,
            "group": x.group,
            "label": x.label,
            "value": f"{x.value:g}",
            "unit": x.unit,
            "distribution": distribution(x),
            "range": f"{x.low:.3g} to {x.high:.3g}",
            "price_year": x.price_year or NONE,
            "rests_on": x.status,
            "source": source(x),
            "reason": x.reason,
        }
        for x in inputs
    ]
    keys = {"condition": "Condition", "group": "Group", "label": "Input"}
    labels = {
        "value": "Value",
        "unit": "Unit",
        "distribution": "Distribution",
        "range": "Range (95 %, or as assumed)",
        "price_year": "Prices of",
        "rests_on": "Rests on",
        "source": "Source",
        "reason": "Why so",
    }
    values = {name: words(label) for name, label in labels.items()}
    return Table("Every input of the model", pl.DataFrame(rows), keys, values)


def distribution(x: Input) -> str:
    """In words, with its parameters."""
    given = [
        _SHOWN[name].format(*v if isinstance(v, list | tuple) else [v])
        if name in _SHOWN
        else f"{name} {v:g}"
        for name, v in x.parameters.items()
    ]
    return ", ".join([x.distribution, *given])


def source(x: Input) -> str:
    """Citation with its DOI."""
    if x.source is None:
        return NONE
    return f"{x.source} (doi:{x.doi})" if x.doi else x.source


def assumptions(
    inputs: tuple[Input, ...], params: Params, worth: dict[str, dict[str, tuple[float, float]]]
) -> Table:
    """What is assumed, its range and reason, and its share of the value of information.

    The first row is about all of them together.

    Parameters
    ----------
    worth
        By condition and name of an input, percentage of EVPI that knowing it is worth, and of the
        variance of the cost of 18 weeks that it explains; `ASSUMED` is all assumptions together.
    """
    rows = [
        {
            "label": x.label,
            "condition": x.condition,
            "value": f"{x.value:g} {x.unit}",
            "range": f"{x.low:g} to {x.high:g}",
            "reason": x.reason,
        }
        | _worth(worth, x.name)
        for x in inputs
        if x.status == "assumption"
    ]
    together = {"label": "All that are drawn, together", "condition": "both"}
    together |= dict.fromkeys(("value", "range", "reason"), NONE) | _worth(worth, ASSUMED)
    columns = _worth(worth, ASSUMED)
    others = [row | dict.fromkeys(columns, "see scenarios") for row in _of_params(params)]
    rows = [together, *rows, *others]
    values = {"value": words("Value"), "range": words("Range"), "reason": words("Why so")}
    values |= {f"evppi_{name}": words(f"EVPPI, % of EVPI: {name}") for name in worth}
    values |= {f"share_{name}": words(f"% of the variance of cost: {name}") for name in worth}
    title = (
        "Assumptions, with their part of the value of perfect information (at once or the usual "
        "wait, NHS cash and health) and of the variance of the cost of 18 weeks, all parts"
    )
    keys = {"label": "Assumed", "condition": "Condition"}
    return Table(title, pl.DataFrame(rows), keys, values)


def _worth(worth: dict[str, dict[str, tuple[float, float]]], name: str) -> dict[str, str]:
    shown = {}
    for condition, found in worth.items():
        both = found.get(name)
        for i, column in enumerate(("evppi", "share")):
            text = "not in this model" if both is None else f"{both[i]:.0f}"
            shown[f"{column}_{condition}"] = text
    return shown


def _of_params(params: Params) -> list[dict[str, str]]:
    """What is assumed of the structure: parameters of the run, not drawn."""
    return [
        {
            "label": "Natural recovery while waiting",
            "condition": "both",
            "value": params.recovery,
            "range": "5 scenarios",
            "reason": "Published rates differ 2 to 6 times, of different people: not to be pooled.",
        },
        {
            "label": "Weeks from referral that are counted",
            "condition": "both",
            "value": f"{params.horizon_weeks} weeks",
            "range": "104 to 520",
            "reason": "Long enough that what therapy does after a late start is not cut off.",
        },
        {
            "label": "Price of clearing a week of waiting, shared by the referrals of",
            "condition": "both",
            "value": f"{params.spread_weeks:g} weeks",
            "range": "26 to 208",
            "reason": "A list is shortened by a week by a week's more courses, once. Not found: "
            "who bears that for how long.",
        },
    ]
