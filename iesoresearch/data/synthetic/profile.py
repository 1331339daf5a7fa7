"""Named parameters of a synthetic population, each with the ground it stands on."""

from __future__ import annotations

import difflib
import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from iesoresearch.errors import ParameterError

PROFILES = ("england", "ieso")
BASES = ("published", "calibrated", "assumption")


@dataclass(frozen=True)
class Profile:
    """Parameters by name.

    Attributes
    ----------
    name
        Of the population: "england" or "ieso".
    values
        Every parameter. Probabilities are shares, waits are days, effects are shifts of severity
        (`alpha`) or of the response to therapy (`beta`) on the scale of the latent states.
    basis
        Per parameter "published" (a figure or a share from one), "calibrated" (fitted, so that the
        cohort agrees with published figures) or "assumption" (plausible, without a source).
    """

    name: str
    values: Mapping[str, Any]
    basis: Mapping[str, str]

    def __getitem__(self, name: str):
        return self.values[name]

    @classmethod
    def load(cls, name: str) -> Profile:
        """Read a profile; what it does not state it takes from "england".

        Raises
        ------
        ParameterError
            No such profile.
        """
        if name not in PROFILES:
            raise ParameterError(
                f"There is no synthetic population called {name!r}; it is {' or '.join(PROFILES)}."
            )
        values, basis = {}, {}
        for layer in dict.fromkeys(("england", name)):
            text = importlib.resources.files(__package__).joinpath(f"{layer}.yaml").read_text()
            for parameters in yaml.safe_load(text).values():
                for key, entry in parameters.items():
                    values[key], basis[key] = entry["value"], entry["basis"]
        return cls(name, values, basis)

    def with_values(self, changes: Mapping[str, Any]) -> Profile:
        """The same population with some parameters changed, such as ``therapist_sd=0``.

        Raises
        ------
        ParameterError
            A name that no parameter has.
        """
        unknown = [name for name in changes if name not in self.values]
        if unknown:
            close = difflib.get_close_matches(unknown[0], list(self.values), n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise ParameterError(f"{unknown[0]} is no parameter of a synthetic population{hint}.")
        return Profile(self.name, {**self.values, **changes}, self.basis)
