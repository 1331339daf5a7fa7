"""How `waiting` is computed: read the inputs, evaluate, decide, question, say."""

import importlib.resources

import yaml

from iesoresearch.analyses.waiting import Params, inputs
from iesoresearch.analyses.waiting.checks import checks
from iesoresearch.analyses.waiting.computed import Computed, Data
from iesoresearch.analyses.waiting.england import England
from iesoresearch.analyses.waiting.evidence import EVIDENCE
from iesoresearch.analyses.waiting.tables import NOT_APPLICABLE, all_tables
from iesoresearch.analyses.waiting.text import text
from iesoresearch.analyses.waiting.whole import Whole
from iesoresearch.analyses.waiting.words import figures, numbers
from iesoresearch.data import health_economics, published
from iesoresearch.data.health_economics import Effect, load_inputs
from iesoresearch.errors import DataError
from iesoresearch.hashes import digest
from iesoresearch.params import Settings
from iesoresearch.results import Result, Table

__all__ = ["load", "run", "summary"]

TITLE = "What waiting for therapy costs, against what therapy costs: an economic evaluation"
_WAITING_LIST = "waiting list"
_FILES = ("inputs.yaml", "effect.yaml")


def load(params: Params, settings: Settings) -> Data:
    """Inputs and published figures; what `params` say changes nothing of them.

    Raises
    ------
    DataError
        A file of the inputs cannot be used.
    """
    inputs = load_inputs()
    effects, n_trials = _effects()
    return Data(inputs, England.read(inputs), effects, n_trials, settings.n_jobs)


def _effects() -> tuple[dict[str, Effect], int]:
    """Other posteriors of the effect against a waiting list; trials behind that of the base."""
    try:
        content = yaml.safe_load(_content("effect.yaml"))
        cases = content["cases"]
        found = {
            case["label"]: _effect(case)
            for name, case in cases.items()
            if case["control"] == _WAITING_LIST and name != "base"
        }
        return found, int(cases["base"]["trials"])
    except (KeyError, TypeError, yaml.YAMLError):
        raise DataError(
            "effect.yaml lacks its cases, each with label, control, trials, mu, tau and "
            "correlation. Write it again with the run of the analysis waiting_effect."
        ) from None


def _effect(case: dict) -> Effect:
    mu, tau = case["mu"], case["tau"]
    return Effect(
        float(mu["mean"]), float(mu["sd"]), float(tau["mean"]), float(tau["sd"]),
        float(case["correlation"]), "derived", case["label"], case["label"],
    )  # fmt: skip


def _content(name: str) -> bytes:
    return importlib.resources.files(health_economics).joinpath(name).read_bytes()


def summary(data: Data) -> Table:
    """How many inputs there are, and what they rest on."""
    return inputs.summary(data.inputs, data.n_trials)


def run(data: Data, params: Params) -> Result:
    """Everything that is computed."""
    whole = Whole(Computed(data, params))
    tables = all_tables(whole)
    found = numbers(whole)
    return Result(
        tables=tables,
        numbers=found,
        checks=checks(whole, tables, found),
        text=text(whole),
        figures=figures(whole.computed),
        not_applicable=NOT_APPLICABLE,
        provenance={
            "title": TITLE,
            "data": "published figures and stated assumptions",
            "data_fingerprint": digest(b"".join([*map(_content, _FILES), published.content()])),
            "sensitivity": "open",
            "licence": "cited facts (see the table of inputs); England: OGL-UK-3.0",
            "published": published.ATTRIBUTION,
        },
        evidence=EVIDENCE,
        checklist="cheers",
    )
