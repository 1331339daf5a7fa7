"""The table of inputs: read strictly, every problem named with its place."""

import difflib
import importlib.resources
import math
import re
from dataclasses import dataclass
from typing import Any

import yaml

from iesoresearch.data.health_economics.distributions import Distribution
from iesoresearch.data.health_economics.effect import Effect, load_effect
from iesoresearch.errors import DataError

FILE = "inputs.yaml"
STATUS = ("sourced", "derived", "assumption")
CONDITIONS = ("depression", "anxiety", "both")
#: Units in which an input may be given, with the largest value that makes sense.
UNITS = {
    "utility": 1.0,
    "£ per month": math.inf,
    "£ per course": math.inf,
    "£ per week": math.inf,
    "share": 1.0,
    "probability": 1.0,
    "probability per week": 1.0,
    "probability per month": 1.0,
    "probability per year": 1.0,
    "rate per year": math.inf,
    "ratio": math.inf,
    "weeks": math.inf,
    "standard deviations": math.inf,
    "PHQ-9 points": 27.0,
    "GAD-7 points": 21.0,
    "share per PHQ-9 point": 1.0,
}
_FIELDS = (
    *("name", "label", "value", "unit", "distribution", "low", "high", "price_year"),
    *("status", "source", "reason", "together"),
)
_GROUP = ("group", "condition", "inputs")
_NEEDED = ("name", "label", "value", "unit", "distribution", "status", "reason")


@dataclass(frozen=True)
class Input:
    """One number of the model and the ground it stands on.

    Attributes
    ----------
    name
        As in the draws, such as "utility_sf6d_depression_mild".
    condition
        "depression", "anxiety" or "both".
    unit
        A key of `UNITS`.
    distribution, parameters
        Kind, and its parameters as given (see `Distribution`).
    low, high
        Range of a one-way analysis.
    price_year
        Of money; None otherwise.
    status
        "sourced" (printed there), "derived" (computed from what is printed) or "assumption".
    source, doi
        Where it comes from; None for an assumption that rests on nothing printed.
    together
        Name that is common to inputs which share one quantile, or one sum; None when independent.
    """

    name: str
    group: str
    condition: str
    label: str
    value: float
    unit: str
    distribution: str
    parameters: dict[str, Any]
    low: float
    high: float
    price_year: str | None
    status: str
    source: str | None
    doi: str | None
    reason: str
    together: str | None

    def law(self) -> Distribution:
        """The distribution, to draw from."""
        return Distribution(self.distribution, self.parameters, self.value)


def load_inputs(text: str | None = None, effect: Effect | None = None) -> tuple[Input, ...]:
    """Every input of the waiting model, in the order of the file; the therapy effect last.

    Parameters
    ----------
    text
        Content in the form of the shipped file, which is read without it.
    effect
        Posterior of the therapy effect; that of the shipped file without it.

    Raises
    ------
    DataError
        Whatever cannot be used, all at once: each problem with its group and name.
    """
    if text is None:
        text = importlib.resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"{FILE} is not YAML: {error}".replace("\n", " ")) from None
    problems: list[str] = []
    inputs = _read(content, problems)
    names = [x.name for x in inputs]
    problems += [f"{n}: the name is used twice" for n in sorted(set(names)) if names.count(n) > 1]
    if problems:
        listed = "; ".join(problems)
        raise DataError(f"{FILE} cannot be used, correct these places: {listed}.")
    return (*inputs, *_of_effect(effect or load_effect()))


def _read(content: Any, problems: list[str]) -> list[Input]:
    if not (isinstance(content, dict) and {"sources", "groups"} == set(content)):
        problems.append("at the top there must be sources and groups")
        return []
    inputs = []
    for i, group in enumerate(content["groups"] or []):
        if not isinstance(group, dict) or not isinstance(group.get("inputs"), list):
            problems.append(f"groups[{i}]: must hold group, condition and a list of inputs")
            continue
        shared = {k: v for k, v in group.items() if k not in _GROUP}
        for j, own in enumerate(group["inputs"]):
            name = own.get("name", f"inputs[{j}]") if isinstance(own, dict) else f"inputs[{j}]"
            place = f"{group.get('group', f'groups[{i}]')}, {name}"
            if not isinstance(own, dict):
                problems.append(f"{place}: must be a mapping")
                continue
            found = _problems({**shared, **own}, group, content["sources"])
            problems += [f"{place}: {problem}" for problem in found]
            if not found:
                inputs.append(_input({**shared, **own}, group, content["sources"]))
    return inputs


def _problems(entry: dict, group: dict, sources: dict) -> list[str]:
    """What is wrong with one input, in the order in which a reader would mend it."""
    wrong = [_unknown(key) for key in entry if key not in _FIELDS]
    wrong += [f"{key} is missing" for key in _NEEDED if entry.get(key) is None]
    if group.get("condition") not in CONDITIONS:
        wrong.append(f"condition must be one of {', '.join(CONDITIONS)}")
    if wrong:
        return wrong
    wrong += _of_words(entry, sources)
    wrong += _of_numbers(entry)
    return wrong or _of_distribution(entry)


def _unknown(key: str) -> str:
    close = difflib.get_close_matches(str(key), _FIELDS, n=1)
    return f"{key} is no field of an input" + (f" (did you mean {close[0]}?)" if close else "")


def _of_words(entry: dict, sources: dict) -> list[str]:
    wrong = []
    if entry["status"] not in STATUS:
        wrong.append(f"status must be one of {', '.join(STATUS)}")
    if entry["unit"] not in UNITS:
        wrong.append(f'unit "{entry["unit"]}" is not known')
    source = entry.get("source")
    if source is None and entry["status"] != "assumption":
        wrong.append("source is missing")
    if source is not None and source not in sources:
        wrong.append(f'source "{source}" is not among the sources')
    elif source is not None:
        wrong += _of_source(sources[source])
    if entry["status"] == "assumption" and entry["distribution"].get("kind") != "normal":
        wrong += [
            f"an assumption needs {k}"
            for k in ("low", "high")
            if not isinstance(entry.get(k), int | float)
        ]
    if str(entry["unit"]).startswith("£") and not entry.get("price_year"):
        wrong.append("price_year is missing, though it is money")
    return wrong


def _of_source(source: Any) -> list[str]:
    if not isinstance(source, dict) or not source.get("citation"):
        return ["its source has no citation"]
    doi = source.get("doi")
    if doi is not None and not re.fullmatch(r"10\.\d{4,9}/\S+", str(doi)):
        return [f'"{doi}" is no DOI']
    return []


def _of_numbers(entry: dict) -> list[str]:
    wrong = []
    most = UNITS.get(entry["unit"], math.inf)
    for key in ("value", "low", "high"):
        number = entry.get(key)
        if number is None:
            continue
        if isinstance(number, bool) or not isinstance(number, int | float):
            wrong.append(f"{key} is not a number")
        elif not math.isfinite(number):
            wrong.append(f"{key} is not finite")
        elif number < 0:
            wrong.append(f"{key} is negative: {number:g} {entry['unit']}")
        elif number > most:
            wrong.append(f"{key} {number:g} is above {most:g}, the most of a {entry['unit']}")
    if wrong:
        return wrong
    low, high = entry.get("low", entry["value"]), entry.get("high", entry["value"])
    return [] if low <= entry["value"] <= high else ["value lies outside low … high"]


def _of_distribution(entry: dict) -> list[str]:
    given = entry["distribution"]
    if not isinstance(given, dict) or "kind" not in given:
        return ["distribution must be a mapping with a kind"]
    law = _law(entry)
    wrong = law.problems()
    if wrong or law.frozen() is None:
        return [f"distribution: {problem}" for problem in wrong]
    low, high = law.frozen().support()
    if entry["unit"] != "standard deviations" and low < 0:
        return ["distribution: it gives negative draws"]
    if entry["unit"] in ("utility", "share") and high > 1:
        return [f"distribution: it gives draws above 1, the most of a {entry['unit']}"]
    return []


def _law(entry: dict) -> Distribution:
    parameters = {k: v for k, v in entry["distribution"].items() if k != "kind"}
    return Distribution(entry["distribution"]["kind"], parameters, entry["value"])


def _input(entry: dict, group: dict, sources: dict) -> Input:
    law = _law(entry)
    value = float(entry["value"])
    ends = (value, value) if law.frozen() is None else law.quantile([0.025, 0.975])
    source = sources[entry["source"]] if entry.get("source") else {}
    return Input(
        name=entry["name"],
        group=str(group["group"]),
        condition=group["condition"],
        label=entry["label"],
        value=value,
        unit=entry["unit"],
        distribution=law.kind,
        parameters=dict(law.parameters),
        low=float(entry.get("low", ends[0])),
        high=float(entry.get("high", ends[1])),
        price_year=entry.get("price_year"),
        status=entry["status"],
        source=source.get("citation"),
        doi=source.get("doi"),
        reason=entry["reason"],
        together=entry.get("together"),
    )


def _of_effect(effect: Effect) -> tuple[Input, ...]:
    """Two rows that are drawn together: the mean effect and its heterogeneity."""
    rows = (
        ("effect_mean", "Effect of therapy against a waiting list, mean of trials", "mean"),
        ("effect_tau", "Effect of therapy, standard deviation between trials", "heterogeneity"),
    )
    return tuple(
        Input(
            name=name,
            group="treatment effect",
            condition="depression",
            label=label,
            value=(value := getattr(effect, field)),
            unit="standard deviations",
            distribution="joint",
            parameters={
                "mean": value,
                "sd": (sd := getattr(effect, f"{field}_sd")),
                "correlation": effect.correlation,
            },
            low=value - 1.96 * sd,
            high=value + 1.96 * sd,
            price_year=None,
            status=effect.status,
            source=effect.source,
            doi=None,
            reason=effect.reason,
            together="therapy effect",
        )
        for name, label, field in rows
    )
