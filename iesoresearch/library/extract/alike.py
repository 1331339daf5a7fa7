"""Identifiability in words and as data that may leave, with counts as the policy has them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from iesoresearch.disclosure.policy import Policy
from iesoresearch.library.extract.agreement import Agreement, Refused
from iesoresearch.library.extract.earlier import Earlier
from iesoresearch.library.extract.generalise import NONE
from iesoresearch.library.extract.grounds import narrows
from iesoresearch.library.extract.identifiability import Report, Step

_COURSE = (
    "k does not cover the course of care, as the days between appointments and the scores make "
    "nearly everybody one of a kind: who knows on which days a patient was seen, counted from any "
    "of them, can find her in spite of the pseudonyms. Territory, agreement, encryption and expiry "
    "protect against that, not k. For the same reason extracts in one hand can be laid side by "
    "side: those of one organisation are judged together, those of two that share them are not."
)


@dataclass(frozen=True)
class Shown:
    """What is said of the identifiability of an extract.

    Parameters
    ----------
    report
        As measured.
    agreement
        Whose limits hold.
    policy
        How counts are shown.
    n_suppressed
        Patients left out so that the others reach k.
    n_excluded
        Patients left out by their own choice, or for want of consent.
    held
        Earlier extracts that it was judged together with, how many of the patients are in any of
        them before some were left out, and the k that was asked of all together; None: there are
        none.
    others
        Other organisations that hold extracts.
    """

    report: Report
    agreement: Agreement
    policy: Policy
    n_suppressed: int = 0
    n_excluded: int = 0
    held: tuple[tuple[Earlier, ...], int, int] | None = None
    others: Sequence[str] = ()

    def with_course(self, alone: int | None) -> "Shown":
        """The same, with the patients who are alone in their course of appointments."""
        return replace(self, report=replace(self.report, course=alone))

    def count(self, n: int) -> str:
        """A number of patients as it may be told."""
        return counted(n, self.policy)

    def share(self, n: int) -> str:
        """The same with its share of all patients, where it is told."""
        total = self.report.n_patients
        told = self.count(n)
        return told if n < self.policy.min_count else f"{told} ({n / total:.0%} of them)"

    @property
    def enough(self) -> bool:
        """Whether both limits are reached."""
        return self.report.k >= self.agreement.limits.k and not self._uniform

    @property
    def _uniform(self) -> list[str]:
        """Sensitive columns that do not vary enough in some class."""
        limits = self.agreement.limits
        return [
            column
            for column, d in self.report.diversity.items()
            if not d.reaches(limits.l, limits.l_entropy)
        ]

    def lines(self) -> list[str]:
        """Sentences for a terminal or a page."""
        r, limits = self.report, self.agreement.limits
        by = ", ".join(r.quasi) or "nothing: there is no column to know somebody by"
        reached = f"at least {limits.k}" if r.k >= limits.k else f"below {limits.k}"
        lines = [
            f"Identifiability of {self.count(r.n_patients)} patients, alike in: {by}.",
            f"k: {reached} (limit {limits.k}); patients in classes below the limits: "
            f"{self.share(r.below)}; "
            f"alone in theirs: {self.share(r.unique)}.",
        ]
        if self.n_suppressed:
            lines.append(
                f"Left out to reach k: {self.count(self.n_suppressed)} patients. They are unlike "
                "the others, so what is found holds for the others."
            )
        if self.n_excluded:
            lines.append(
                f"Left out by their own choice, or without consent: {self.count(self.n_excluded)} "
                "patients."
            )
        for column, found in r.diversity.items():
            lines.append(
                f"l of {column}: {found.distinct} different values, as varied as "
                f"{found.entropy:.1f} equally common ones, in the least varied class (limit "
                f"{limits.l}, and {limits.l_entropy:g})."
            )
        lines += [f"Alone with their {c}: {self.share(n)}." for c, n in r.alone.items()]
        if r.course is not None:
            lines.append(f"Alone with their course of appointments: {self.share(r.course)}.")
        return [*lines, *self._together(), *self._apart(), _COURSE]

    def _together(self) -> list[str]:
        """What it was judged with."""
        organisation = self.agreement.recipient.organisation
        if self.held is None:
            return [
                f"Judged by itself: the log names no extract that {organisation} still holds of "
                "any of these patients."
            ]
        earlier, shared, k = self.held
        lines = [
            f"Judged together with what {organisation} holds already: "
            f"{'; '.join(map(str, earlier))}. {self.count(shared)} of the patients are in it. "
            f"Alike in all columns of all, and in which of the extracts they are: at least {k}. "
            "Who is only in an earlier one is not judged: she is not in this one, which tells that."
        ]
        unknown = [e.extract_id for e in earlier if not e.told]
        if unknown:
            lines.append(
                f"The log does not say how fine the columns of {', '.join(unknown)} are: as "
                "stored, and all referrals of its patients, is assumed."
            )
        own = {c for columns in self.agreement.tables.values() for c in columns}
        if narrows(own.union(*(e.columns for e in earlier))) and not narrows(own):
            lines.append(
                "One of the extracts has shifted dates and another years: together they narrow "
                "down by how many days the dates were shifted."
            )
        return lines

    def _apart(self) -> list[str]:
        """Whose extracts it was not judged with."""
        if not self.others:
            return []
        return [
            f"Not judged together with what others hold: {'; '.join(self.others)}. If one of them "
            "is the same organisation under another name, or shares records with it, let both "
            "agreements have one name, and make the extract again."
        ]

    def data(self) -> dict[str, Any]:
        """The same for a file."""
        r, limits = self.report, self.agreement.limits
        return {
            "quasi_identifiers": list(r.quasi),
            "patients": self.count(r.n_patients),
            "k_limit": limits.k,
            "k_reached": r.k >= limits.k,
            "below_k": self.count(r.below),
            "alone": self.count(r.unique),
            "left_out": self.count(self.n_suppressed),
            "l_limit": limits.l,
            "l_entropy_limit": limits.l_entropy,
            "diversity": {
                name: {"distinct": d.distinct, "entropy": round(d.entropy, 2)}
                for name, d in r.diversity.items()
            },
            "alone_by_column": {name: self.count(n) for name, n in r.alone.items()},
            "judged_together_with": [e.extract_id for e in self.held[0]] if self.held else [],
            "alone_in_course": None if r.course is None else self.count(r.course),
            "caution": _COURSE,
        }

    def refuse(self, steps: list[Step]) -> NoReturn:
        """Say which limit is not reached.

        Raises
        ------
        Refused
            Always: the limit, and what to make coarser first.
        """
        r, limits = self.report, self.agreement.limits
        varied = "".join(
            f", or whose classes have fewer than {limits.l} values of {c} or nearly all of one"
            for c in self._uniform
        )
        raise Refused(
            "identifiability",
            f"The extract of agreement {self.agreement.id} would let patients be told apart: it "
            f"has {self.count(r.below)} patients who are like fewer than {limits.k} in "
            f"{', '.join(r.quasi) or 'anything'}{varied}. {self._advice(steps)}Nothing was "
            "written.",
        )

    def _advice(self, steps: list[Step]) -> str:
        if not steps:
            return "Take columns out (generalise: none), or agree on other limits. "
        return (
            f"Make coarser first (generalise): {proposed(steps, self.policy)}. Or let "
            "limits.suppress_at_most leave a few patients out. "
        )


def counted(n: int, policy: Policy) -> str:
    """A number of patients as it may be told."""
    few = policy.min_count
    return f"fewer than {few}" if n < few else f"{policy.rounded(n):,}"


def proposed(steps: list[Step], policy: Policy) -> str:
    """Steps of coarsening in words."""
    return ", then ".join(_step(s, counted(s.below, policy)) for s in steps)


def _step(step: Step, few: str) -> str:
    what = f"without {step.column}" if step.level == NONE else f"{step.column}: {step.level}"
    return f"{what} ({f'{few} patients still below' if step.below else 'limits reached'})"
