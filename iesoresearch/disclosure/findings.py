"""What a check of outputs found: of which output, with which status, by which rule, and why."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

Judgement = Literal["pass", "review", "refuse"]

_ORDER = get_args(Judgement)


@dataclass(frozen=True)
class Finding:
    """One thing found about one output of one run.

    Attributes
    ----------
    run
        Name of the run.
    output
        ``"table:gaps"``, ``"number:n_people"``, ``"figure:gaps"``, ``"file:model.json"``,
        ``"text:plain"``, ``"check:converged"``, or ``"run"`` for the whole.
    status
        "pass", "review" (somebody has to look) or "refuse".
    rule
        Short name of what was checked.
    sentence
        What was found, and what to do. Names no small group and no value that is suppressed.
    evidence
        Figures that prove it: numbers, texts and lists of them.
    """

    run: str
    output: str
    status: Judgement
    rule: str
    sentence: str
    evidence: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> "Finding":
        """From what `to_json` gave.

        Raises
        ------
        ValueError
            Its status is none.
        """
        found = cls(**content)
        if found.status not in _ORDER:
            raise ValueError(f"{found.status!r} is no status of a finding; see Judgement.")
        return found


def worst(findings: Iterable[Finding]) -> Judgement:
    """The gravest status; "pass" of none."""
    return max((f.status for f in findings), key=_ORDER.index, default="pass")


def summary(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings by run and output, as a report shows them.

    Returns
    -------
    list of dict
        Of every run, in the order of the findings: ``run``, ``status`` (the gravest), ``counts``
        (outputs by status), ``outputs``: of every output ``output``, ``status`` and ``findings``
        (as `Finding.to_json`, the gravest first).
    """
    runs: dict[str, dict[str, list[Finding]]] = {}
    for one in findings:
        runs.setdefault(one.run, {}).setdefault(one.output, []).append(one)
    return [_of_run(run, outputs) for run, outputs in runs.items()]


def _of_run(run: str, outputs: dict[str, list[Finding]]) -> dict[str, Any]:
    judged = {output: worst(found) for output, found in outputs.items()}
    counts = Counter(judged.values())
    return {
        "run": run,
        "status": worst(one for found in outputs.values() for one in found),
        "counts": {status: counts[status] for status in _ORDER},
        "outputs": [
            {
                "output": output,
                "status": judged[output],
                "findings": [
                    one.to_json()
                    for one in sorted(found, key=lambda f: _ORDER.index(f.status), reverse=True)
                ],
            }
            for output, found in outputs.items()
        ],
    }
