"""Tables of moves: the matrix of transitions, states by session, and the flow between them."""

import numpy as np
import polars as pl

from iesoresearch.analyses.subtypes.cells import grid, value, with_interval
from iesoresearch.analyses.subtypes.data import Data
from iesoresearch.analyses.subtypes.fitted import Fitted
from iesoresearch.models.latent_markov.moves import expected_moves
from iesoresearch.results import Table

FEWEST = 50  # people a session must have had for states over sessions to show it
FLOW_SESSIONS = 6  # sessions that the flow shows; later ones hold few people


def transitions(fitted: Fitted) -> Table:
    """Probability of every move from one session to the next."""
    states = range(1, fitted.chosen + 1)
    frame = grid(origin=states, destination=states).with_columns(
        n=pl.Series(np.repeat(fitted.departures, fitted.chosen))
    )
    frame, values = with_interval(
        fitted, frame, "probability", fitted.model.transition_matrix_, "Probability", 3,
        "transition", "rate", ("origin",), parameters=fitted.chosen - 1,
    )  # fmt: skip
    values["n"] = value(fitted, "count", "Expected moves", 0)
    keys = {"origin": "From state", "destination": "To state"}
    return Table("Moves from one session to the next", frame, keys, values)


def state_shares(fitted: Fitted) -> Table:
    """Share of people in every state, session by session."""
    data = fitted.data
    k = fitted.chosen
    frame = grid(session=data.sessions.tolist(), state=range(1, k + 1)).with_columns(
        n=pl.Series(np.repeat(data.people_by_session, k))
    )
    frame, values = with_interval(
        fitted, frame, "share", data.by_session(fitted.posterior, data.counting),
        "Share of people still in therapy", 3, "state_share", "rate", ("session",),
    )  # fmt: skip
    values["n"] = value(fitted, "count", "People with the session", 0)
    # how long the longest course was is nobody's business
    frame = frame.filter(pl.col("session") <= _last_shown(data))
    keys = {"session": "Session", "state": "State"}
    return Table("States over sessions", frame, keys, values)


def _last_shown(data: Data) -> int:
    """Last session of those in a row that enough people had."""
    enough = data.people_by_session >= FEWEST
    n = len(enough) if enough.all() else int(np.argmin(enough))
    return int(data.sessions[max(n, 1) - 1])


def flow(fitted: Fitted) -> Table:
    """Expected number of people who go from each state to each, or leave, after each session."""
    data, k = fitted.data, fitted.chosen
    sequences = data.sequences
    first = int(data.sessions.min())
    after = np.arange(first, min(first + FLOW_SESSIONS - 1, int(sequences.session.max()) + 1))
    moved = expected_moves(
        fitted.model, sequences.items, sequences.lengths, sequences.session - first
    )
    last = np.cumsum(sequences.lengths) - 1
    counts = np.zeros((len(after), k, k + 1))
    for place, session in enumerate(after):
        if session + 1 - first < len(moved):
            counts[place, :, :k] = moved[session + 1 - first]
        leaving = last[sequences.session[last] == session]
        counts[place, :, k] = fitted.posterior[leaving].sum(axis=0)
    destinations = [*(str(j) for j in range(1, k + 1)), "left"]
    frame = grid(session=after.tolist(), origin=range(1, k + 1), destination=destinations)
    frame = frame.with_columns(n=pl.Series(counts.ravel()))
    keys = {"session": "After session", "origin": "State", "destination": "Next"}
    n = value(fitted, "count", "Expected people", 0, parts_of=("session", "origin"))
    return Table("From session to session", frame, keys, {"n": n})
