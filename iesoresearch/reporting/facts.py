"""What is said of a run wherever it is named."""

from datetime import datetime

from iesoresearch.reporting import markup
from iesoresearch.reporting.runs import Run


def made(run: Run) -> str:
    """When a run was started."""
    when = datetime.fromisoformat(run.status["started"])
    return f"{when.day} {when:%B %Y, %H:%M} UTC"


def people(run: Run) -> str:
    """How many people stand behind a run."""
    return markup.NONE if run.n is None else f"{run.n:,}"


def up_to_date(run: Run) -> str:
    """HTML: whether the project is still the one the run was made with."""
    if not run.changed:
        return '<span class="check passed">✓&nbsp;up&nbsp;to&nbsp;date</span>'
    what = markup.escaped(", ".join(run.changed))
    return (
        '<span class="check inconclusive">✗&nbsp;not&nbsp;up&nbsp;to&nbsp;date</span> '
        f"(changed: {what})"
    )


def disclosure(run: Run) -> str:
    """The rules of disclosure control that the run was released under, as HTML."""
    rules = run.provenance["disclosure"]
    words = {
        "min_count": "fewer than {} people are not shown",
        "round_to": "counts are rounded to multiples of {}",
    }
    return markup.escaped(
        ", ".join(words[k].format(v) if k in words else f"{k} {v}" for k, v in rules.items())
    )
