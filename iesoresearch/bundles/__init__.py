"""Bundles: aggregates that leave a site, signed, checked again where they arrive.

`make` writes what finished runs may show, `sign` is for the people who looked at it, `verify` lets
a bundle in or says why not.
"""

import importlib
from typing import Any

_HOMES = {
    **dict.fromkeys(("About", "Made", "make"), "making"),
    **dict.fromkeys(("Bundle", "verify"), "verifying"),
    **dict.fromkeys(("STATEMENT", "Signature", "sign"), "signatures"),
    **dict.fromkeys(("PublicKey", "SigningKey", "trusted"), "keys"),
    **dict.fromkeys(("Released", "earlier", "remember"), "ledger"),
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    """What is asked for, imported then: help must not wait for cryptography and polars."""
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
