"""What a checklist is: what a report has to say, item by item, and who asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Item:
    """One thing that a report has to say.

    Attributes
    ----------
    number
        As the checklist has it.
    section
        Of the checklist.
    asks
        What is to be said, in our words.
    people
        No program can know it: only people can answer.
    """

    number: str
    section: str
    asks: str
    people: bool = False


@dataclass(frozen=True)
class Checklist:
    """A published checklist.

    Attributes
    ----------
    name
        As `Result.checklist` and the statements of people have it.
    title
        As its authors call it.
    page
        Name of its page in the report of a run.
    subject
        What it is for, such as "prediction model".
    sources
        DOI of each publication, by what is taken from it.
    items
        By number, in order.
    model_card
        What it is for has a model card too.
    domains
        Numbers of items by domain of a tool that judges the risk of bias; there may be none.
    """

    name: str
    title: str
    page: str
    subject: str
    sources: Mapping[str, str]
    items: Mapping[str, Item]
    model_card: bool = False
    domains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sections(self) -> tuple[str, ...]:
        """Sections in order."""
        return tuple(dict.fromkeys(item.section for item in self.items.values()))


def items_of(asked: Mapping[str, Mapping[str, str]], people: set[str]) -> dict[str, Item]:
    """Items by number, of what is asked by section and number."""
    return {
        number: Item(number, section, asks, number in people)
        for section, numbers in asked.items()
        for number, asks in numbers.items()
    }
