"""Questions `cohort` asks of itself."""

from iesoresearch.analyses.cohort import likeness
from iesoresearch.analyses.cohort.flow import adds_up
from iesoresearch.analyses.cohort.monitoring import YEAR, no_chart
from iesoresearch.analyses.cohort.people import Data
from iesoresearch.results import Check, Number, Table

KNOWN = 90.0  # per cent of finished courses whose outcome should be known
SMALL_CHANGE = 3.0  # percentage points that missing scores may move the recovery rate by
STANDARDS = {"within_6": 75.0, "within_18": 95.0}  # NHS waiting-time standards, per cent

_NO_RECORDS = "Published figures hold no records of patients."


def checks(data: Data, tables: dict[str, Table], found: dict[str, Number]) -> list[Check]:
    """All of them; those about records do not apply where there are none."""
    asked = [
        ("flow adds up", _flow),
        (f"outcome known for at least {KNOWN:.0f} % of finished courses", _known),
        (f"paired scores for at least {KNOWN:.0f} % of finished courses", _paired),
        (
            f"missing last scores move the recovery rate by less than {SMALL_CHANGE:.0f} points",
            _moved,
        ),
        ("waiting-time standards met", _waits),
        ("outcomes over time within the adjusted control limits", _control),
        ("the drawn population is like the published one", likeness.answer),
    ]
    answered = []
    for name, question in asked:
        status, sentence = "not applicable", _NO_RECORDS
        if data.cohort is not None:
            status, sentence = question(data, tables, found)
        answered.append(Check(name, status, sentence))
    return [*answered, _reproduced(data, found)]


def _flow(data, tables, found):
    fine = adds_up(tables["flow"])
    return _passed(fine), (
        "At every step those who stay and those left out are together those of the step before."
        if fine
        else "At some step those who stay and those left out are not those of the step before."
    )


_NOBODY = ("not applicable", "Nobody finished a course of treatment.")


def _known(data, tables, found):
    if "known" not in found:
        return _NOBODY
    return _passed(found["known"].value >= KNOWN), (
        "The outcome is known for {known}. For {not_sourced} it is not because the problem has a "
        "measure of its own whose official threshold is not sourced here."
    )


def _paired(data, tables, found):
    if "paired" not in found:
        return _NOBODY
    sentence = "{paired} have a first and a last score of both measures."
    return _passed(found["paired"].value >= KNOWN), sentence


def _moved(data, tables, found):
    if "moved" not in found:
        return _NOBODY
    sentence = (
        "Complete cases, last score carried forward and multiple imputation lie {moved} apart; "
        "{without_last} of the courses lack a score at the last treatment."
    )
    if "recovery_imputed" not in found:
        sentence += " There was nothing to impute, or too little to impute from."
    moved = found["moved"].value
    return _passed(moved is None or moved < SMALL_CHANGE), sentence


def _waits(data, tables, found):
    if "within_6" not in found:
        return _NOBODY
    met = all(found[name].value >= least for name, least in STANDARDS.items())
    return _passed(met), (
        "{within_6} of those who finished started within 6 weeks (standard: 75 %), {within_18} "
        "within 18 weeks (standard: 95 %)."
    )


def _control(data, tables, found):
    if "n_outside" not in found:
        return "not applicable", no_chart(data)
    sentence = "{n_outside} of {n_periods} {periods} lie outside."
    inside = found["n_outside"].value == 0
    if inside and YEAR in tables["control_chart"].keys.values():
        return "inconclusive", f"{sentence} Years are few, and hide what changes within them."
    return _passed(inside), sentence


def _reproduced(data: Data, found: dict[str, Number]) -> Check:
    fine = bool(data.published.reproduced()["fine"].all())
    return Check(
        "published percentages follow from the published counts",
        _passed(fine),
        "{cells} percentages were computed from counts with the official denominators; the "
        "largest difference from what was published is {worst_cell}, and rounding allows for all "
        "of them."
        if fine
        else "{cells} percentages were computed from counts with the official denominators; some "
        "differ from what was published by more than rounding allows for, at most by {worst_cell}.",
    )


def _passed(fine: bool):
    return "passed" if fine else "failed"
