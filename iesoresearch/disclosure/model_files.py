"""Files of models that leave a site: whether they hold more of patients than a table may show.

A model can carry its training rows with it (support vectors, neighbours, background data), or say
of a leaf, a category or a quantile what only few patients are behind. Looked at is what is in the
file, not what the program that wrote it promises.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from iesoresearch.disclosure.findings import Finding, Judgement
from iesoresearch.disclosure.policy import Policy
from iesoresearch.errors import DataError

LARGEST = 20_000_000  # bytes
LONGEST = 1_000  # entries of one list: the largest model has some hundred trees
#: Lists of as many entries as there are trees, which may be as many as there are patients.
_OF_TREES = ("/trees", "/tree_info", "/iteration_indptr")
PREDICTION, STATES = "iesoresearch prediction model", "iesoresearch latent Markov model"

#: What no file of a model says in words: where it was made, by whom, and who is in it.
_WORDS = {
    "a path of a machine": r"(?:^|[\s\"'=:(])(?:/(?:home|Users|root|mnt|srv|tmp|var|data|opt)/"
    r"|[A-Za-z]:\\|\\\\\w|~/)",
    "an e-mail address": r"[^\s@]+@[^\s@]+\.[A-Za-z]{2,}",
    "a number of ten digits": r"(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{4}(?!\d)",
    "a pseudonym or key": r"\b[0-9a-fA-F]{16,}\b",
    "a day": r"\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}/\d{4}\b",
    "a postcode": r"\b[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b",
}


class Judged(NamedTuple):
    """A `Finding` without where it was found."""

    status: Judgement
    rule: str
    sentence: str
    evidence: dict[str, Any]


Rule = Callable[[dict[str, Any], Policy], Iterator[Judged]]


def check(path: Path, policy: Policy) -> list[Finding]:
    """What is found about the file of a model, by rule; a rule that is kept passes.

    Parameters
    ----------
    path
        Of a model.json, in the folder of its run.

    Returns
    -------
    list of Finding
        Of a file that is none of the known formats, or cannot be read, one that refuses it.
    """
    path = Path(path)
    found = _read(path)
    if isinstance(found, Judged):
        judged = [found]
    else:
        judged = [one for rule in _rules(path, found) for one in rule(found, policy)]
    run, output = path.parent.name, f"file:{path.name}"
    return [Finding(run, output, *one) for one in judged]


def _read(path: Path) -> dict[str, Any] | Judged:
    try:
        if path.stat().st_size > LARGEST:
            return refused("format", f"The file is larger than {LARGEST:,} bytes: no model is.")
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or content.get("format") not in (PREDICTION, STATES):
        return refused(
            "format",
            "The file is no model of a format that can be checked. Share models that "
            "iesoresearch wrote; what others hold of patients nobody can tell.",
        )
    return content


def _rules(path: Path, content: dict[str, Any]) -> list[Rule]:
    """Those of its format, if the file is what the format says."""
    reader = _read_prediction if content["format"] == PREDICTION else _read_states
    broken = reader(path)
    general: list[Rule] = [_in_words, _by_row]
    if broken is not None:
        return [lambda _, __: iter([broken]), *general]
    if content["format"] == STATES:
        return [_kept, _of_states, *general]
    from iesoresearch.disclosure import prediction_files

    return [_kept, *prediction_files.RULES, *general]


def _read_prediction(path: Path) -> Judged | None:
    from iesoresearch.models.prediction import saved

    try:
        saved.read(path)
    except DataError as error:
        return refused("format", str(error))
    return None


def _read_states(path: Path) -> Judged | None:
    from iesoresearch.models.latent_markov import saved

    try:
        saved.load(path)
    except DataError as error:
        return refused("format", str(error))
    return None


def _kept(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    sentence = "The file holds what its format knows, and nothing else."
    yield passed("format", sentence, {"format": content["format"], "version": content["version"]})


def _of_states(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """People of the model, and of each state at the start."""
    n, shares = content["n_people"], content["parameters"]["initial_probs"]
    yield of_people("people", n, policy)
    # what was suppressed shares equally what others leave, so that several are alike
    few = [
        state
        for state, share in enumerate(shares, 1)
        if share * n < policy.min_count and shares.count(share) == 1
    ]
    if few:
        yield refused(
            "states",
            f"{len(few)} of {len(shares)} states have fewer than {policy.min_count} people at the "
            "start. Share a model with fewer states.",
            {"n_states": len(few)},
        )
    else:
        sentence = "Every state has enough people at the start, or one share with others."
        yield passed("states", sentence, {"n_states": len(shares)})


def of_people(rule: str, n: float, policy: Policy) -> Judged:
    """Whether a number of people may be said as it is."""
    if n < policy.min_count:
        return refused(rule, f"Fewer than {policy.min_count} people stand behind the model.")
    if n != policy.rounded(n):
        return Judged(
            "review", rule,
            f"It says how many people it was made with, and not to a multiple of "
            f"{policy.round_to}. That is right for open data only.", {},
        )  # fmt: skip
    return passed(rule, "Enough people stand behind the model, and their number is rounded.", {})


def _in_words(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """Whether some text names a machine, a person or a day."""
    found = sorted(
        {
            (what, where)
            for where, text in _texts(content)
            if where != "hash"
            for what, pattern in _WORDS.items()
            if re.search(pattern, text)
        }
    )
    if found:
        what, where = found[0]
        yield refused(
            "words",
            f"The text at {where} looks like {what}. Take it out of the parameters of the run.",
            {"places": [f"{where}: {what}" for what, where in found]},
        )
    else:
        yield passed("words", "No text names a machine, a person or a day.", {})


def _by_row(content: dict[str, Any], policy: Policy) -> Iterator[Judged]:
    """Whether something is as long as the training data."""
    told = content.get("training", {}) if isinstance(content.get("training"), dict) else {}
    people = [content.get("n_people"), told.get("n_detail"), told.get("n_assessment")]
    spans = [policy.shown_as(int(n)) for n in people if isinstance(n, int | float)]
    spans = [(low, high) for low, high in spans if high >= policy.min_count]
    long = [
        (where, len(found))
        for where, found in _lists(content)
        if not where.endswith(_OF_TREES)
        and (len(found) > LONGEST or any(low <= len(found) <= high for low, high in spans))
    ]
    if long:
        where, n = long[0]
        yield refused(
            "rows",
            f"The list at {where} is as long as the data the model was made with, or longer than "
            f"{LONGEST:,}: it may hold something of every patient.",
            {"places": [where for where, _ in long], "length": n},
        )
    else:
        yield passed("rows", "Nothing in the file has an entry for every patient.", {})


def _walk(value: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside, the names of things as well, with where it is."""
    yield where, value
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield f"{where}/names", str(name)
            yield from _walk(part, f"{where}/{name}" if where else str(name))
    elif isinstance(value, list):
        for part in value:
            yield from _walk(part, where)


def _texts(content: dict[str, Any]) -> Iterator[tuple[str, str]]:
    return ((where, value) for where, value in _walk(content) if isinstance(value, str))


def _lists(content: dict[str, Any]) -> Iterator[tuple[str, list]]:
    return ((where, value) for where, value in _walk(content) if isinstance(value, list))


def refused(rule: str, sentence: str, evidence: dict[str, Any] | None = None) -> Judged:
    """A finding that nothing of the file may leave."""
    return Judged("refuse", rule, sentence, evidence or {})


def passed(rule: str, sentence: str, evidence: dict[str, Any]) -> Judged:
    """A finding that a rule is kept."""
    return Judged("pass", rule, sentence, evidence)
