"""``iesoresearch library``: the secure research library."""

from iesoresearch.cli.library import choosing, extracting, ingesting, storing
from iesoresearch.cli.library.app import app

__all__ = ["app"]

# importing them added their commands; the help lists them in the order of the work
_ORDER = [module.__name__ for module in (storing, ingesting, choosing, extracting)]
app.registered_commands.sort(key=lambda command: _ORDER.index(command.callback.__module__))
