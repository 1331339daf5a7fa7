"""Captions and text of `cohort`: templates filled after release."""

from iesoresearch.analyses.cohort.monitoring import FEWEST
from iesoresearch.analyses.cohort.people import Data
from iesoresearch.results import FigureSpec, Number, Table

_HIDDEN = " –: too few people to be shown."


def figures(data: Data) -> dict[str, FigureSpec]:
    """All figures; their tables bear the same names."""
    source = f"Source: NHS Talking Therapies annual reports. {data.published.attribution}"
    described = _OF_RECORDS | _beside_published(data, source) | _of_published(data, source)
    return {name: FigureSpec(name, *words) for name, words in described.items()}


#: Title and caption of figures that rest on records alone.
_OF_RECORDS = {
    "flow": (
        "Who is counted",
        "Flow of {n_referrals} referrals; boxes at the side hold those left out at each step. "
        "Treatment means attended treatment appointments; a course is finished with two of "
        "them and a discharge." + _HIDDEN,
    ),
    "differences": (
        "How those who finished differ from those who did not",
        "Standardised differences (Austin 2009; several levels: Yang & Dalton 2012) between "
        "{n_finished} finished and all other referrals, n = {n_referrals}. Grey marks: what "
        "two groups of this size differ by though nothing sets them apart. {n_different} of "
        "{n_compared} exceed 0.1. Direction: see Table 1.",
    ),
    "missing_variables": (
        "What is not recorded",
        "Share missing, not known or not stated, n = {n_referrals} referrals." + _HIDDEN,
    ),
    "missing_forms": (
        "Questionnaires that are missing",
        "Per cent of attended appointments without a questionnaire, and of the questionnaires "
        "returned those with at least one item left out, by appointment, n = {n_referrals} "
        "referrals." + _HIDDEN,
    ),
    "sensitivity": (
        "Does the recovery rate hang on missing scores?",
        "Recovery of finished courses at caseness that PHQ-9 and GAD-7 judge, by what is done "
        "about those without scores at the last treatment ({without_last}), with 95 % "
        "intervals, n = {n_finished} finished courses in all. Worst and best case are bounds, "
        "not estimates.",
    ),
    "safety": (
        "Safety signals",
        "Share with some self-harm thoughts (PHQ-9 item 9 above 0) among all with an answer, "
        "finished or not, and reliable deterioration among finished courses, with 95 % Wilson "
        "intervals, n = {n_referrals} referrals." + _HIDDEN,
    ),
    "control_chart": (
        "Reliable recovery over time",
        f"{{n_periods}} {{periods}} with at least {FEWEST} courses whose outcome is known, "
        "n = {n_finished} finished courses. Limits: three standard deviations of chance alone, "
        "and scaled by how much the rate varies from one to the next anyway (Laney 2002)."
        + _HIDDEN,
    ),
    "likeness": (
        "Is the drawn population like the published one?",
        "Published figures of {likeness_n} drawn referrals, each drawn less published in units of "
        "its tolerance (1 point, 0.3 score points, 5 % of a standard deviation), with two standard "
        "errors of the draw; {n_within} of {n_figures} lie within. Drawn: a share that was given; "
        "fitted: a parameter was adjusted to it; emergent: neither. Hollow: {n_known_off} figures "
        "known to be off, of which nothing is claimed.",
    ),
}


def _beside_published(data: Data, source: str) -> dict[str, tuple[str, str]]:
    return {
        "outcome_rates": (
            "Outcomes by the official rules",
            "Rates of {n_finished} finished courses with 95 % Wilson intervals; black marks: "
            f"{data.published.label}, a count of everybody. Courses whose threshold is not sourced "
            "({not_sourced}) are left out of the official rule and judged by the GAD-7 in the "
            f"other one, which is not official. {source}",
        ),
        "waits": (
            "Waits of those who finished",
            "Share of {n_finished} finished courses by days from referral to first and from first "
            "to second treatment; dashed: 6 and 18 weeks. Those who gave up waiting are not in "
            f"it. {source}" + _HIDDEN,
        ),
    }


def _of_published(data: Data, source: str) -> dict[str, tuple[str, str]]:
    return {
        "by_year": (
            "Published outcomes by year",
            f"{data.published.who}, {{published_first_year}} to {{published_last_year}}, finished "
            "courses of treatment, n = {published_finished} in {published_year}. The counts hold "
            "everybody; bars are 95 % intervals for how far chance alone could move a rate"
            f"{data.published.precision}. {source}",
        ),
        "by_deprivation": (
            "Published outcomes by deprivation",
            f"{data.published.who}, {{deprivation_period}}, finished courses of treatment"
            f"{_BY_DECILE[data.published.profile]}. Deprivation is that of the area, not "
            f"of the person. {source}",
        ),
    }


#: What can be said of numbers and intervals by decile.
_BY_DECILE = {
    "england": ", n = {deprivation_courses}. Bars: 95 % intervals, as for a sample",
    "ieso": ". Only the two ends are known here, without numbers of courses and so without "
    "intervals",
}


def text(data: Data, tables: dict[str, Table], found: dict[str, Number]) -> dict[str, str]:
    """Plain-language summary, how to read the results, and what they cannot say."""
    published = (
        f"Of those who finished treatment in {{published_year}} ({data.published.who}), "
        "{published_recovery} of the people who started with marked symptoms recovered, and "
        "{published_reliable_recovery} recovered with a change beyond measurement error. "
        "This last share was {published_most_deprived} in the most deprived tenth of areas and "
        "{published_least_deprived} in the least deprived one ({deprivation_period})."
    )
    if data.cohort is None:
        return {"plain": published, "reading": _READING_PUBLISHED, "limits": _limits(data)}
    return {
        "plain": " ".join([*_plain(data, tables, found), published]),
        "reading": " ".join([_READING_RECORDS, *_official(tables), _READING_PUBLISHED]),
        "limits": _limits(data),
    }


def _plain(data: Data, tables: dict[str, Table], found: dict[str, Number]) -> list[str]:
    who = {"synthetic": "These referrals were drawn by a program.", "patient": "", "open": ""}
    said = [
        who[data.sensitivity],
        "Of {n_referrals} referrals {n_finished} ({finished_share}) ended in a finished course of "
        "treatment.",
    ]
    if "outcome_rates" in tables:
        said.append(
            "Of those who started with marked symptoms {recovery} recovered ({recovery_low} to "
            "{recovery_high}), and {reliable_recovery} recovered with a change beyond measurement "
            "error; {deterioration} of all who finished became reliably worse. {within_6} of them "
            "had started within six weeks."
        )
    if "sensitivity" in tables:
        said.append(
            "What is done about missing last scores moves the recovery rate by {moved}; if nobody "
            "without them had recovered it would be {recovery_worst}, if everybody had, "
            "{recovery_best}."
        )
    if "self_harm_first" in found:
        said.append("At the first answer {self_harm_first} had some thoughts of self-harm.")
    return [sentence for sentence in said if sentence]


_READING_PUBLISHED = (
    "Recovery: at caseness on the first PHQ-9 or anxiety measure, and below on both at the last; "
    "its denominator is all finished courses less those known not to be at caseness. Reliable "
    "improvement: one measure falls by more than measurement error and the other does not rise; "
    "its denominator is all finished courses. Reliable recovery: both."
)
_READING_RECORDS = (
    "Start with the flow: each rate is about those who are left at its step. Standardised "
    "differences tell how far those who finished are from the others, whatever the number of "
    "people. On the control chart a point outside the adjusted limits deserves a look; one "
    "inside does not need an explanation. Where records begin and end, periods hold few courses, "
    "and not the usual ones: first the short, at last the long."
)


def _official(tables: dict[str, Table]) -> list[str]:
    if "outcome_rates" not in tables:
        return []
    return [
        "A rate by the official rule leaves out courses whose measure has no sourced threshold "
        "({not_sourced} of those finished); the GAD-7 in its place covers everybody, and is not "
        "official."
    ]


def _limits(data: Data) -> str:
    said = [
        "Those who finish are a selected group: people who left, or never started, have no last "
        "score, and they differ from those who finish. A recovery rate of finishers is not the "
        "recovery rate of the referred.",
        "Nothing here compares treatment with no treatment: scores also fall by themselves, and "
        "people ask for help when they are at their worst.",
        "Published groups are described one at a time; a difference between areas or years may "
        "come from anything else that differs between them.",
    ]
    if data.cohort is not None:
        said += [
            "Multiple imputation assumes that, given earlier scores, those without a last score "
            "fare like those with one.",
            "An answer to one item is a signal to look at, not a measure of risk; a score that "
            "was not asked for signals nothing.",
        ]
    if data.sensitivity == "synthetic":
        said.append(
            "SIMULATED: the cohort was drawn so as to resemble published figures. That it does "
            "shows that the method works and says nothing about patients."
        )
    return " ".join(said)
