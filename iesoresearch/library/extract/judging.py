"""Whether the patients of an extract are alike enough: by itself, and with what is held already."""

from collections.abc import Sequence
from datetime import date
from typing import NoReturn

import polars as pl

from iesoresearch.disclosure.policy import Policy
from iesoresearch.library.extract import generalise, identifiability, selection, together
from iesoresearch.library.extract.agreement import Agreement, Limits, Refused
from iesoresearch.library.extract.alike import Shown, counted, proposed
from iesoresearch.library.extract.earlier import Earlier
from iesoresearch.library.extract.identifiability import Asked
from iesoresearch.library.extract.selection import Selected
from iesoresearch.library.extract.together import Together


def judged(
    reader, agreement: Agreement, on: date, policy: Policy, earlier: Sequence[Earlier] = ()
) -> tuple[Selected, Shown]:
    """Whose records an extract would hold, if they are alike enough.

    Parameters
    ----------
    reader
        A library, or a draft of one.
    agreement
        Its limits hold for the extract by itself, and for all that the recipient would hold.
    on
        The day whose choices hold.
    policy
        How counts are shown.
    earlier
        What the recipient holds already.

    Raises
    ------
    Refused
        Nobody fits, or the limits of the agreement are not reached.
    """
    selected = selection.select(reader, agreement, on)
    judging = _Judging(reader, agreement, policy, selected, earlier)
    out = judging.out()
    left = selected.without(out) if out.len() else selected
    shown = judging.shown(left)
    judging.refuse_below(left, shown)
    return left, shown


class _Judging:
    """An extract beside its limits."""

    def __init__(self, reader, agreement: Agreement, policy: Policy, selected: Selected, earlier):
        self._reader, self._agreement, self._policy = reader, agreement, policy
        self._selected, self._earlier = selected, earlier
        limits = agreement.limits
        self._quasi = list(generalise.given(agreement.tables, agreement.generalise))
        self._asked = Asked(limits.k, limits.l, tuple(limits.sensitive))
        self._joint: Together | None = None

    def out(self) -> pl.Series:
        """Patients to leave out so that the limits are reached; nobody where they are too many.

        Classes of all that is held are parts of those of the new extract: whoever is to be left
        out of that by itself is among those to be left out of both together.
        """
        out = identifiability.suppressed(self._rows(self._selected), self._quasi, self._asked)
        if self._too_many(out.len()):
            return out.clear()
        self._joint = self._laid(self._earlier)
        if self._joint is None:
            return out
        out = self._joint.suppressed()
        if not self._passes(self._joint, out):
            self._refuse_together(self._joint)
        return out

    def shown(self, left: Selected) -> Shown:
        """What is said of those who are left."""
        report = identifiability.measure(self._rows(left), self._quasi, self._asked)
        n_suppressed = self._selected.patients.height - left.patients.height
        joint = self._joint
        held = None if joint is None else (joint.earlier, joint.n_shared, joint.limits.k)
        return Shown(
            report, self._agreement, self._policy, n_suppressed, self._selected.n_excluded, held
        )

    def refuse_below(self, left: Selected, shown: Shown) -> None:
        """Refuse what by itself is below the limits."""
        if not shown.enough:
            rows, chosen = self._rows(left), self._agreement.generalise
            shown.refuse(identifiability.proposals(rows, self._quasi, self._asked, chosen))

    def _rows(self, selected: Selected) -> pl.DataFrame:
        rows = selected.rows([*self._quasi, *self._asked.sensitive])
        return generalise.applied(rows, self._agreement.generalise)

    def _laid(self, earlier: Sequence[Earlier]) -> Together | None:
        return together.laid(self._reader, self._selected, self._agreement, earlier)

    def _too_many(self, out: int) -> bool:
        most = self._agreement.limits.suppress_at_most
        return out > most * self._selected.patients.height

    def _passes(self, joint: Together, out: pl.Series) -> bool:
        uniform = joint.without(out).uniform()
        return not self._too_many(out.len()) and not uniform

    def _refuse_together(self, joint: Together) -> NoReturn:
        limits, organisation = joint.limits, self._agreement.recipient.organisation
        few = counted(joint.below().len(), self._policy)
        varied = "".join(
            f", or in a class where {c} has fewer than {limits.l} values, or nearly one only"
            for c in joint.uniform()
        )
        own = generalise.given(self._agreement.tables, self._agreement.generalise)
        columns = ", ".join(generalise.in_words(c, level) for c, level in own.items())
        raise Refused(
            "identifiability together",
            f"The extract of agreement {self._agreement.id} would let patients be told apart "
            f"together with what {organisation} holds already: {'; '.join(map(str, joint.earlier))}"
            f". Rows of one patient find each other by days and scores. In these columns and those "
            f"of the new extract ({columns or 'none'}), and in which of the extracts somebody is, "
            f"{few} patients are like fewer than {limits.k}{varied}.{self._stricter(limits)} "
            f"{self._advice(joint)} Nothing was written.",
        )

    def _stricter(self, limits: Limits) -> str:
        own = self._agreement.limits
        if limits == own:
            return ""
        return (
            " Of these agreements the largest limits hold: a new one does not loosen what an "
            "earlier one asks."
        )

    def _advice(self, joint: Together) -> str:
        names = [e.extract_id for e in joint.earlier if self._is_enough_without(e)]
        which = f"{' or '.join(names)} is" if names else "all of these extracts are"
        return (
            f"{self._coarser(joint)} Or let limits.suppress_at_most leave more patients out; or "
            f"see that {which} destroyed, and record it: iesoresearch library destroyed LIBRARY "
            f"{(names or [joint.earlier[0].extract_id])[0]} --date DAY --why TEXT."
        )

    def _coarser(self, joint: Together) -> str:
        if joint.uniform():  # of how sensitive columns vary no step is tried
            return "Make columns of the new extract coarser, or take some out (generalise)."
        steps = joint.proposals(self._agreement.generalise)
        if steps and not self._too_many(steps[-1].below):
            return f"Make coarser first (generalise): {proposed(steps, self._policy)}."
        return "Coarser columns of the new extract alone do not help."

    def _is_enough_without(self, one: Earlier) -> bool:
        left = self._laid([e for e in self._earlier if e is not one])
        return left is None or self._passes(left, left.suppressed())
