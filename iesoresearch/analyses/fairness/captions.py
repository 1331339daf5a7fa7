"""Figures of the audits of outcomes and access, with their captions."""

from iesoresearch.analyses.fairness import Params
from iesoresearch.analyses.fairness.data import Audited
from iesoresearch.analyses.fairness.outcomes import DENOMINATORS, WORDS, truth_known
from iesoresearch.results import FigureSpec


def outcomes(data: Audited, params: Params) -> dict[str, FigureSpec]:
    """Of the audit of outcomes."""
    did, who = WORDS[params.outcome], WORDS[DENOMINATORS[params.outcome]]
    n = "n_at_caseness" if DENOMINATORS[params.outcome] == "at_caseness" else "n_judged"
    true = (
        " Hollow diamonds: planted gap, added to the reference's rate."
        if truth_known(data, params)
        else ""
    )
    return {
        "rates": FigureSpec(
            table="gaps",
            title=f"Who {did}",
            caption=f"Of 100 patients {who}, how many {did}, with 95 % intervals (Wilson), "
            f"n = {{{n}}} referrals; the numbers at the names are those of each group. Dashed: "
            "the reference of each grouping. Filled: found to differ from it by intervals that "
            f"hold jointly within the grouping. Groups too small, or withheld to protect a small "
            f"one, are absent.{true}",
        ),
        "steps": FigureSpec(
            table="adjusted",
            title="Gaps after each step of adjustment",
            caption="Percentage points to the reference of the grouping as counted (dark), then "
            "standardised for severity, problem and step of care one after the other, and last "
            f"between patients of the same service; 95 % intervals, n = {{{n}}} referrals. What is "
            "adjusted for may itself be a consequence of belonging to the group.",
        ),
        "pathway": FigureSpec(
            table="pathway",
            title="Where on the way a gap arises",
            caption="Gap to the reference in how many of 100 referred are known to have finished "
            f"and {did} (diamond, with 95 % interval), and the part of each step in it (bars, "
            "which add up to it). Who finished and cannot be judged is not among those known. "
            "n = {n_referrals} referrals that have ended; groups too small, or withheld to "
            "protect a small one, are absent.",
        ),
        "deprivation": FigureSpec(
            table="deprivation",
            title="By deprivation, from referral to outcome",
            caption="Rates by fifth of deprivation with 95 % intervals, each of those at the stage "
            "before, and the line behind the slope index of inequality. n = {n_referrals} "
            "referrals that have ended.",
        ),
        "services": FigureSpec(
            table="services",
            title="Services, beside what chance and usual differences allow",
            caption=f"Share who {did} by size of the service, with limits that allow for "
            "differences between services beyond chance (random effects on the arcsine scale), "
            f"around all services together. n = {{{n}}} referrals of {{services_shown}} services.",
        ),
        "trends": FigureSpec(
            table="trends",
            title=f"Who {did}, by year of referral",
            caption=f"Of patients {who}, with 95 % intervals (Wilson), n = {{{n}}} referrals. "
            "Years in which a group is too small, or withheld to protect a small one, are absent.",
        ),
    }


def access(params: Params) -> dict[str, FigureSpec]:
    """Of the audit of access."""
    drawn = (
        " How many end early is what the generator was given, and no finding."
        if params.source == "synthetic"
        else ""
    )
    found = {
        "waits": FigureSpec(
            table="waits",
            title="Days from referral to first treatment",
            caption="Median (dot) and 90th percentile (triangle) of those who started, with 95 % "
            "intervals; n = {n_started} referrals. Dotted: six weeks. Groups too small, or "
            "withheld to protect a small one, are absent.",
        ),
        "leaving": FigureSpec(
            table="leaving",
            title="Who ends early",
            caption="Of 100 patients who started and whose ending is known, how many ended early "
            "by their own decision, with 95 % intervals (Wilson); n = {n_started} referrals that "
            "started. Dashed: the reference of each grouping. Filled: found to differ from it by "
            "intervals that hold jointly within the grouping. Ended early overlaps with finished: "
            "it counts those who left after a single treatment and those who left after more, who "
            f"have finished by the official rule.{drawn} Groups too small, or withheld to protect "
            "a small one, are absent.",
        ),
    }
    if params.population:
        found["representation"] = FigureSpec(
            table="representation",
            title="Who is referred, beside the population",
            caption="Referrals per person of the group, relative to all groups of the grouping, "
            "with 95 % intervals (Wilson); n = {n_referrals} referrals. 1: as many as there are "
            "people.",
        )
    return found
