"""Reading a case file strictly: every part knows its place, all problems go into one message."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from iesoresearch.errors import ParameterError

MAX_CHARACTERS, MAX_NODES, MAX_DEPTH = 2_000_000, 200_000, 40
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")

#: What the reader of YAML says, and what has usually happened.
_MEANT = {
    "expected <block end>": "the indentation differs from that of the lines above",
    "cannot start any token": "indent with spaces, and put quotes around a text that begins so",
    "mapping values are not allowed here": "put quotes around a text that holds a colon",
    "expected ',' or": "a comma, a bracket or a closing quote is missing, here or above",
    "unexpected end of stream": "a quote or a bracket is not closed",
    "could not find expected ':'": "a colon is missing after a name",
    "found undefined alias": "no &name stands above for this *name",
    "found another document": "a file holds one case; remove the second ---",
}


@dataclass
class Document:
    """A file as plain values, with the line of each part and the problems found so far.

    Attributes
    ----------
    name
        What the file is called in messages.
    lines
        Line of each part, by its path such as ``("strategies", "A", "start")``.
    problems
        Sentences with their places, in the order found.
    cells
        Every expression read, with the names of the model it may use there.
    """

    name: str
    value: Any
    lines: dict[tuple[str, ...], int]
    prefix: tuple[str, ...] = ()
    problems: list[str] = field(default_factory=list)
    cells: list[tuple[Any, frozenset[str]]] = field(default_factory=list)

    @property
    def root(self) -> Part:
        """The whole document."""
        return Part(self.value, (), self)

    def place(self, path: tuple[str, ...]) -> str:
        """Path and line, as written in messages."""
        line = self.lines.get(self.prefix + path) or self.lines.get(path)
        text = ".".join(self.prefix + path) or "the file"
        return f"{text} (line {line})" if line else text

    def raise_problems(self) -> None:
        """Raise ParameterError with every problem, one a line, if there is any."""
        if self.problems:
            unique = list(dict.fromkeys(self.problems))
            count = "1 problem" if len(unique) == 1 else f"{len(unique)} problems"
            listed = "\n".join(f"- {text}" for text in unique)
            raise ParameterError(f"{self.name} has {count}, so nothing was computed:\n{listed}")


@dataclass(frozen=True)
class Part:
    """A value in a document, and where it is."""

    value: Any
    path: tuple[str, ...]
    document: Document

    @property
    def place(self) -> str:
        """Path and line, as written in messages."""
        return self.document.place(self.path)

    def problem(self, text: str) -> None:
        """Keep a problem for the message; `text` follows the place."""
        self.document.problems.append(f"{self.place}: {text}")

    def at(self, key: str, value: Any) -> Part:
        """A part below this one."""
        return Part(value, (*self.path, str(key)), self.document)

    def items(self) -> Iterator[tuple[str, Part]]:
        """Entries of a mapping; anything else is a problem and has none."""
        if isinstance(self.value, dict):
            for key, value in self.value.items():
                yield key, self.at(key, value)
        else:
            self.problem(f"must hold names with values, not {shown(self.value)}.")

    def elements(self) -> list[Part]:
        """Entries of a list; anything else is a problem and has none."""
        if isinstance(self.value, list):
            return [self.at(f"[{k}]", value) for k, value in enumerate(self.value)]
        self.problem(f"must be a list, not {shown(self.value)}.")
        return []

    def keys(self, known: Iterable[str], required: Iterable[str] = ()) -> dict[str, Part]:
        """Entries of a mapping with fixed keys; unknown and missing ones are problems."""
        known, found = list(known), {}
        for key, part in self.items():
            if key in known:
                found[key] = part
            else:
                part.problem(f"is no key of the format{suggestion(key, known)}.")
        if isinstance(self.value, dict):
            for key in required:
                if self.value.get(key) is None:
                    self.problem(f"needs {key!r}.")
        return {key: part for key, part in found.items() if part.value is not None}

    def text(self) -> str:
        """A non-empty text; a number is taken as written."""
        if isinstance(self.value, str) and self.value.strip():
            return self.value.strip()
        if isinstance(self.value, int | float) and not isinstance(self.value, bool):
            return str(self.value)
        self.problem(f"must be one text, not {shown(self.value)}.")
        return ""

    def whole(self, least: int = 1, most: int = 10_000_000) -> int:
        """A whole number within bounds."""
        right = isinstance(self.value, int) and not isinstance(self.value, bool)
        if right and least <= self.value <= most:
            return self.value
        self.problem(f"must be a whole number from {least} to {most}, not {shown(self.value)}.")
        return least

    def choice(self, options: Iterable[str]) -> str:
        """One of some words."""
        options = list(options)
        if self.value in options:
            return self.value
        close = suggestion(str(self.value), options)
        self.problem(f"{shown(self.value)} is not known{close}.")
        return options[0]

    def truth(self) -> bool:
        """True or false."""
        if isinstance(self.value, bool):
            return self.value
        self.problem(f"must be true or false, not {shown(self.value)}.")
        return False


def suggestion(name: str, known: Iterable[str]) -> str:
    """The closest known name in parentheses, else all of them."""
    known = list(known)
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    if close:
        return f" (did you mean {close[0]}?)"
    return f" (known: {', '.join(known)})" if known else ""


def shown(value: Any) -> str:
    """A value cut to what a message can hold."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def read(text: str, name: str) -> Document:
    """Values and lines of a YAML text.

    Plain values only: numbers, texts, true, false, null, lists and mappings. Unlike YAML 1.1, the
    words yes, no, on and off are texts, and so are dates and ``1:30``. Unlike all YAML, a comma
    within parentheses does not end a value, so ``{p: rescale(q, 2)}`` is one entry.

    Raises
    ------
    ParameterError
        Not YAML, a key given twice, or larger than a case can be.
    """
    if len(text) > MAX_CHARACTERS:
        raise ParameterError(f"{name} has more than {MAX_CHARACTERS:,} characters; a case has not.")
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" near line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or "too deeply nested"
        hint = next((f" ({meant})" for said, meant in _MEANT.items() if said in why), "")
        raise ParameterError(f"{name} is not readable as YAML{place}: {why}{hint}.") from None
    reading = _Reading(name)
    value = None if node is None else reading.value(node, ())
    return Document(name, value, reading.lines, problems=reading.problems)


@dataclass
class _Reading:
    name: str
    lines: dict[tuple[str, ...], int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    nodes: int = 0

    def value(self, node: yaml.Node, path: tuple[str, ...]) -> Any:
        self.nodes += 1
        # An alias of an alias of an alias makes a small file as large as one likes.
        if self.nodes > MAX_NODES or len(path) > MAX_DEPTH:
            raise ParameterError(f"{self.name} holds more values, or deeper ones, than a case can.")
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            entries = enumerate(_joined_list(node.value) if node.flow_style else node.value)
            return [self.value(child, (*path, f"[{k}]")) for k, child in entries]
        return _scalar(node)

    def _mapping(self, node: yaml.MappingNode, path: tuple[str, ...]) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key_node, child in _joined(node.value) if node.flow_style else node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                line = key_node.start_mark.line + 1
                raise ParameterError(f"{self.name}, line {line}: a key must be a single word.")
            key = key_node.value
            if key in result:
                place = ".".join((*path, key))
                line = key_node.start_mark.line + 1
                self.problems.append(f"{place} (line {line}): is given twice.")
            if node.flow_style and _alone(key_node, child):
                line = key_node.start_mark.line + 1
                raise ParameterError(
                    f"{self.name}, line {line}: {key!r} has no value; write "
                    f"{key}: and a value, or nothing after the colon. Decimals have a point, "
                    "thousands no comma, and a text that holds a comma needs quotes."
                )
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            result[key] = self.value(child, (*path, key))
        return result


def _scalar(node: yaml.ScalarNode) -> Any:
    text = node.value
    if node.style is not None:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.fullmatch(text):
        return float(text) if re.search(r"[.eE]", text) else int(text)
    return text


def _alone(key: yaml.Node, value: yaml.Node) -> bool:
    """Whether an entry between { } is a name without a colon."""
    return bool(key.value) and value.start_mark.index == key.end_mark.index and not value.value


def _open(node: yaml.Node) -> bool:
    """Whether a parenthesis is opened in an unquoted value, and not closed."""
    plain = isinstance(node, yaml.ScalarNode) and node.style is None
    return plain and node.value.count("(") > node.value.count(")")


def _joined(pairs: list[tuple[yaml.Node, yaml.Node]]) -> list[tuple[yaml.Node, yaml.Node]]:
    """Entries of a mapping between { }, with the commas within parentheses put back."""
    made: list[tuple[yaml.Node, yaml.Node]] = []
    for key, value in pairs:
        if made and _open(made[-1][1]) and _alone(key, value):
            before, start = made[-1]
            made[-1] = before, _with(start, key)
        else:
            made.append((key, value))
    return made


def _joined_list(nodes: list[yaml.Node]) -> list[yaml.Node]:
    """Entries of a list between [ ], likewise."""
    made: list[yaml.Node] = []
    for node in nodes:
        if made and _open(made[-1]) and isinstance(node, yaml.ScalarNode):
            made[-1] = _with(made[-1], node)
        else:
            made.append(node)
    return made


def _with(start: yaml.Node, end: yaml.Node) -> yaml.ScalarNode:
    text = f"{start.value}, {end.value}"
    return yaml.ScalarNode(start.tag, text, start.start_mark, end.end_mark)
