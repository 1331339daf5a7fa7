"""What is said of a run wherever it is named."""

from datetime import datetime

from iesoresearch import registration
from iesoresearch.reporting import markup, rerun
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


def planned(run: Run) -> str:
    """HTML: whether a run was planned before data were opened, and what changed; empty without."""
    if run.plan is None:
        return ""
    when = datetime.fromisoformat(run.plan.when)
    frozen = f"{when.day} {when:%B %Y, %H:%M} UTC"
    if run.name not in run.plan.runs:
        return f"not planned: not among the runs that were frozen on {frozen}"
    said = [f"planned: frozen on {frozen}"]
    if run.name in run.plan.opened:
        said.append("after a result of these data was there already")
    if run.plan.earlier:
        said.append(f"amended {len(run.plan.earlier)} time(s): {run.plan.why}")
    parameters = {"parameters": rerun.in_order(run)}
    changed = registration.changes(run.plan, run.status["run"], run.status | parameters)
    said.append("changed since: " + "; ".join(changed) if changed else "nothing changed since")
    return markup.escaped("; ".join(said))
