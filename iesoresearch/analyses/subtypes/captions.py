"""Titles and captions of the figures of `subtypes`: templates filled after release."""

from iesoresearch.analyses.subtypes.fitted import Fitted
from iesoresearch.results import FigureSpec

FIGURES = {
    "criteria": FigureSpec(
        table="criteria",
        title="How many states?",
        caption="Information criteria against the number of states, each above its own best value, "
        "n = {n_people} people. Lines join the best of {n_starts} random starts; small dots are "
        "all other starts (not for ICL). Zero marks the number of states a criterion prefers.",
    ),
    "item_profiles": FigureSpec(
        table="item_profiles",
        title="Item profile of each state",
        caption="Expected score of every PHQ-9 item in each state with 95 % bootstrap intervals, "
        "n = {n_people} people. Lines that lie above one another differ in severity; lines that "
        "cross hint at a difference in kind.",
    ),
    "residuals": FigureSpec(
        table="residuals",
        title="Pairs of items beyond the states",
        caption="Observed less expected correlation of every pair of items within a session, "
        "n = {n_people} people. Above zero they go together more than the states explain.",
    ),
    "transitions": FigureSpec(
        table="transitions",
        title="Moves from one session to the next",
        caption="Probability of each state at the next session given the state at this one, "
        "n = {n_people} people. Rows sum to one; the interval of every cell is in the table. "
        "–: too few people to be shown.",
    ),
    "people": FigureSpec(
        table="people",
        title="Who starts where, and what becomes of them",
        caption="Share with each characteristic by the state people start in, with 95 % bootstrap "
        "intervals, n = {n_people} people. The starting state is judged from the first session "
        "alone, so that the outcome cannot shape it. Engaged: two or more treatment sessions. "
        "Outcomes are of finished courses, recovery of those at caseness; medication is "
        "psychotropic. Gaps: too few people to be shown.",
    ),
    "flow": FigureSpec(
        table="flow",
        title="From session to session",
        caption="Expected number of people in each state at each session, and where they go next: "
        "ribbons in the colour of the state they leave, grey for those who have no further "
        "session. {n_people} people at first; moves of too few people to be shown are left out, "
        "so that bars are lower than that.",
    ),
    "state_shares": FigureSpec(
        table="state_shares",
        title="States over sessions",
        caption="Share of the people still in therapy who are in each state, by session; the "
        "numbers below the axis are people, {n_people} in all. Bands: 95 % bootstrap intervals. "
        "Gaps: too few people to be shown. Who has left is not in the picture.",
    ),
}

_ONCE = {
    "people": FigureSpec(
        table="people",
        title="Who is in which class",
        caption="Share of women and of age groups in each class, with 95 % bootstrap intervals, "
        "n = {n_people} people.",
    ),
}
_WEIGHTED = {
    "criteria": FigureSpec(
        table="criteria",
        title="How many states?",
        caption="−2 × held-out log-likelihood against the number of states, above its lowest "
        "value, n = {n_people} people, weighted. With survey weights there are no information "
        "criteria.",
    ),
}


def figures(fitted: Fitted) -> dict[str, FigureSpec]:
    """Figures, with captions that fit the data."""
    once = _ONCE if fitted.model.one_occasion_ else {}
    return FIGURES | once | (_WEIGHTED if fitted.data.weights is not None else {})
