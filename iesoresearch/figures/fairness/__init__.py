"""Figures of `fairness`: one function each, from released tables only."""

__all__: list[str] = []
