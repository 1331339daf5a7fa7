"""Plain-language summary of `fairness_published`, how to read it, and what it cannot say."""

from iesoresearch.analyses.fairness_published.context import SOURCE
from iesoresearch.analyses.fairness_published.data import Figures
from iesoresearch.analyses.fairness_published.words import HARM, HARM_PREFIX, counted, told
from iesoresearch.data import published
from iesoresearch.results import Number

_HAPPENED = {
    "recovery": "ended in recovery",
    "reliable recovery": "ended in reliable recovery",
    "reliable improvement": "ended in reliable improvement",
    "reliable deterioration": "ended in reliable deterioration",
}


def text(figures: Figures, numbers: dict[str, Number], measure: str) -> dict[str, str]:
    """Templates, by heading."""
    return {
        "plain": _plain(figures, numbers, measure),
        "reading": _reading(figures, numbers),
        "limits": _limits(figures, measure),
    }


def _plain(figures: Figures, numbers: dict[str, Number], measure: str) -> str:
    started = "In {year} patients of NHS Talking Therapies in England"
    if "n_finished" in numbers:
        started += " finished {n_finished} courses of treatment"
    else:
        started = "Figures of England in {year}"
    parts = [f"{started}. Counted are {counted(measure)}.", _sentences(figures, numbers, measure)]
    if measure != HARM:
        harm = _sentences(figures, numbers, HARM, HARM_PREFIX)
        parts += [f"And of {counted(HARM)}:", harm] if harm else []
    parts += [_deprivation(numbers, measure), _providers(numbers)]
    return "\n\n".join(part for part in parts if part)


def _sentences(figures: Figures, numbers: dict[str, Number], measure: str, prefix: str = "") -> str:
    """One of each grouping; with a prefix, beside those of another outcome, only of the first."""
    lines = []
    for name, (whose, other, _) in told(figures, measure).items():
        if prefix and name not in _ALSO_HARM:
            continue
        name = prefix + name
        by = f" (95 % {{{name}_gap_low}} to {{{name}_gap_high}})"
        by = by if f"{name}_gap_low" in numbers else ""
        lines.append(
            f"- Of 100 courses finished by {whose}, {{{name}_rate}} {_HAPPENED[measure]}; of 100 "
            f"by {other}, {{{name}_other}}: a difference of {{{name}_gap}} points{by}."
        )
    return "\n".join(lines)


_ALSO_HARM = ("ethnicity", "deprivation")


def _deprivation(numbers: dict[str, Number], measure: str) -> str:
    said = ""
    if "sii_last" in numbers:
        said = (
            f"Over the whole range of deprivation, {measure} differs by {{sii_last}} points "
            "({sii_last_low} to {sii_last_high}) in {sii_last_year}, most against least deprived "
            "end of a line over all tenths. The interval is that of independent courses; by how "
            "far the tenths lie from the line it is {sii_last_line_low} to {sii_last_line_high}. "
        )
        if numbers["sii_first_year"].value != numbers["sii_last_year"].value:
            said += "In {sii_first_year} it was {sii_first} ({sii_first_low} to {sii_first_high}). "
    if "most_gap" in numbers:
        said += (
            "Of 100 referrals from the most deprived tenth, {most_finished_share} courses finished "
            "in the same year and {most_recovered_share} recovered. Of the {most_gap} points to "
            "the least deprived tenth, {most_finishing} arise between referral and finishing, "
            "{most_counting} from who is at caseness, {most_recovering} at recovery; referrals "
            "and finished courses of a year are not the same patients."
        )
    return said.strip()


def _providers(numbers: dict[str, Number]) -> str:
    if "funnel_providers" not in numbers:
        return ""
    said = (
        "Of {funnel_providers} providers, {funnel_exact_outside2} lie outside the 99.8 % limits of "
        "chance"
    )
    if "funnel_spread" in numbers:
        said += (
            "; once it is allowed for that providers differ (standard deviation "
            "{funnel_spread} points), {funnel_additive_outside2} do"
        )
    if numbers["funnel_odd"].value:
        said += ". Left out of this: {funnel_odd} with 0 % or 100 %, a question of recording"
    return said + "."


def _reading(figures: Figures, numbers: dict[str, Number]) -> str:
    rounded = (
        "Counts of regions and providers are rounded to 5 and small ones left out; their "
        "intervals are the widest that rounding allows. "
        if numbers["n_printed_rounded"].value
        else ""
    )
    return (
        "Rates have Wilson intervals, gaps in percentage points Newcombe's, ratios Koopman's. "
        "Recovery is counted among finished courses not known to be below caseness at the start, "
        "improvement and deterioration among all finished courses. England is counted in full: an "
        "interval says how far a rate would move by chance alone, were a year like it to come "
        f"again. {rounded}Where only a percentage and the number of finished courses are "
        f"{figures.where}, a recovery rate has no interval: how many were at caseness is then not "
        f"{figures.where} by group.\n\n{_independence(numbers)}\n\n{_several(numbers)}"
        "The slope index is the difference between both ends of a straight line over "
        "all tenths, each counted by its size; the relative index is their ratio. The group named "
        "in a sentence is the one with the worst rate of its grouping, of those with 1,000 courses "
        "or more; it was chosen after looking, so its gap is likely overstated.\n\nThe adjusted "
        f"odds ratios beside ours are of {SOURCE}: 98,063 patients of "
        "eight services, other years, with severity and circumstances held equal. They are "
        "context, not a replication.\n\n"
        f"{published.SOURCES['annual report']}. {published.ATTRIBUTION}"
    )


def _independence(numbers: dict[str, Number]) -> str:
    """What intervals of chance take for granted, and how far from that it is."""
    phi = (
        "of the funnel: {funnel_phi}"
        if "funnel_phi" in numbers
        else f"of providers in the long files of 2023-24, by outcome: {PHI_OF_PROVIDERS}"
    )
    line = (
        "; the slope index has beside its interval one made of how far the tenths lie from its line"
        if "sii_last_line_low" in numbers
        else ""
    )
    return (
        "Every interval takes courses as independent. They are not: patients return, and courses "
        f"of one provider end more alike than chance makes them (over-dispersion φ {phi}), so "
        f"intervals are too narrow by an amount that one-way tables do not tell{line}."
    )


def _several(numbers: dict[str, Number]) -> str:
    said = ""
    if numbers["n_gaps"].value:
        said = (
            "Of {n_gaps} gaps {n_apart} have a 95 % interval without 0, where chance alone would "
            "give one in twenty, and {n_apart_all} an interval at Bonferroni's level for all of "
            "them. That allows for how many were looked at, and for nothing else. "
        )
    if "n_changes" in numbers and numbers["n_changes"].value:
        said += (
            "Of {n_changes} changes with an interval {n_moved} have one without 0, with the same "
            "reserve; only the first and the last year are compared, not the years between. "
        )
    return said


#: Of recovery, reliable recovery, improvement and deterioration, computed from the long files.
PHI_OF_PROVIDERS = "8 to 26"


def _limits(figures: Figures, measure: str) -> str:
    return (
        "What these figures show: for whom, in one year of England, courses of treatment end "
        f"{_ENDS.get(measure, _LESS)}, by how much, since when, and between which two counts the "
        "gap lies. "
        "What they do not show is why. Nothing is held equal: groups differ in how ill they are at "
        "the start, in what else weighs on them, in which service they are referred to and what "
        "they are offered. A gap here is no measure of what a service does, and no gap is no proof "
        "that nothing is amiss: who is never referred is not in any count.\n\n"
        "Tables are one-way. Deprivation within an ethnic group, or gender within an age, is not "
        "in them: real intersections are not available, and none is made from these tables. "
        "Disability and, since 2020-21, long-term conditions count a patient once per answer: "
        "their groups overlap and have no shares. Who has no answer recorded is a group of its "
        "own, and for long-term conditions by far the largest: the groups that are named are not "
        "everybody with that characteristic. Where more is recorded in the course of treatment, "
        "a group's finished courses per referral look better than they are.\n\n"
        "Referrals and finished courses of a year are different cohorts, so their ratio is no "
        "completion rate. Patients come back and are then counted again: these are "
        "courses. The groups are those of the census of 2001 and of what was asked."
        + (f"\n\n{_YEARS}" if len(figures.years) > 1 else "")
    )


_LESS = "less often in recovery"
_ENDS = {
    "reliable recovery": "less often in reliable recovery",
    "reliable improvement": "less often in reliable improvement",
    HARM: "more often in reliable deterioration",
}
_YEARS = (
    "Years do not all compare. Version 2.0 of the data set came within 2020-21 (September 2020) "
    "and changed what is recorded of whom: in 2017-18 15 % of finished courses had no recorded "
    "answer about long-term conditions, in 2023-24 72 %; about disability 52 % in 2020-21 and "
    "23 % in 2023-24. Where that share moved by more than 10 points between the two years, the "
    "change of a gap has no interval: who is compared changed by more than chance, and no "
    "interval says by how much. In April 2022 measures of single problems entered recovery. "
    "Deprivation of 2017-18 cannot be by the index of 2019, as later years may be. Bands of age "
    "changed in 2021-22; those under 18 hold those under 16 in early years, whose courses are "
    "another matter: of 16 and 17 alone the first gap in recovery is -7.6 points, not -5.2. "
    "Orientation and disability are there since 2020-21."
)
