"""What the parameters of analyses that choose a number of states have in common."""


def states_within_range(params):
    """As a validator: refuse to show more states than are tried (`n_states`, `max_states`)."""
    if params.n_states is not None and params.n_states > params.max_states:
        raise ValueError(
            f"n_states={params.n_states} is beyond max_states={params.max_states}: raise "
            "max_states or lower n_states"
        )
    return params
