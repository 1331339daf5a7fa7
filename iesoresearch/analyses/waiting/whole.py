"""All parts of `waiting`, each computed when first asked for."""

from dataclasses import dataclass
from functools import cached_property

from iesoresearch.analyses.waiting import learning, strategies
from iesoresearch.analyses.waiting.computed import Computed
from iesoresearch.analyses.waiting.learning import Learning
from iesoresearch.analyses.waiting.oneway import OneWay
from iesoresearch.analyses.waiting.queues import Queues
from iesoresearch.analyses.waiting.scenarios import Scenarios
from iesoresearch.analyses.waiting.strategies import Decision
from iesoresearch.analyses.waiting.validity import Validity
from iesoresearch.results import Table


@dataclass(frozen=True)
class Whole:
    """What tables, numbers, checks and text read."""

    computed: Computed

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        """By condition."""
        return strategies.decisions(self.computed)

    @cached_property
    def oneway(self) -> dict[str, OneWay]:
        """By condition."""
        return {name: OneWay(self.computed, found) for name, found in self.decisions.items()}

    @cached_property
    def learning(self) -> dict[str, Learning]:
        """By condition."""
        return {
            name: Learning(self.computed, found, frozenset(self.oneway[name].inputs))
            for name, found in self.decisions.items()
        }

    @cached_property
    def scenarios(self) -> Scenarios:
        """Of both conditions."""
        return Scenarios(self.computed)

    @cached_property
    def validity(self) -> Validity:
        """The model beside England."""
        return Validity(self.computed)

    @cached_property
    def queues(self) -> Queues:
        """A service as a queue."""
        return Queues(self.computed)

    @cached_property
    def studies(self) -> Table:
        """What studies would be worth."""
        return learning.studies(self.learning, self.computed.params)
