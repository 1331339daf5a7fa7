"""How far what was fitted depends on who happened to be in the data: the bootstrap."""

from collections.abc import Callable

import numpy as np

from iesoresearch.errors import ParameterError
from iesoresearch.models.ladder import SeverityLadder
from iesoresearch.models.latent_markov import LatentMarkov
from iesoresearch.models.latent_markov.checks import check_items, check_lengths, check_levels
from iesoresearch.models.selection import match_states, rows_of
from iesoresearch.seeds import rng


def bootstrap(
    model: LatentMarkov,
    items,
    lengths=None,
    *,
    n_bootstrap: int,
    seed: int,
    statistics: Callable[..., dict[str, np.ndarray]],
) -> dict[str, np.ndarray]:
    """Bootstrap over people, each refit started at the fitted model.

    Parameters
    ----------
    model
        Fitted; not a ladder, which cannot be started from given values.
    items, lengths
        As in `LatentMarkov.fit`.
    statistics
        Called with every refitted model, the order that matches its states to those of `model`,
        and the resampled people; returns arrays by name.

    Returns
    -------
    dict
        Every statistic stacked over replicates: (n_bootstrap, ...).

    Raises
    ------
    ParameterError
        `model` is a ladder.
    """
    if isinstance(model, SeverityLadder):
        raise ParameterError("bootstrap takes a LatentMarkov; a ladder has no start values.")
    items = check_items(items)
    lengths = np.diff(check_lengths(items, lengths))
    n_categories = check_levels(items, model.n_categories)
    init = {
        "initial_probs": model.initial_probs_,
        "transition_matrix": None if model.one_occasion_ else model.transition_matrix_,
        "item_probs": model.item_probs_,
    }
    draws = []
    for b in range(n_bootstrap):
        people = rng(seed, "bootstrap", b).integers(0, len(lengths), len(lengths))
        refit = LatentMarkov(**model.get_params() | {"init": init, "n_categories": n_categories})
        refit.fit(items[rows_of(people, lengths)], lengths[people])
        order = match_states(model.item_probs_, refit.item_probs_)
        draws.append(statistics(refit, order, people))
    return {name: np.stack([draw[name] for draw in draws]) for name in draws[0]}
