"""``python -m iesoresearch``."""

from iesoresearch.cli import main

main()
