"""Pseudonyms of ids: keyed hashes, so that nothing that was put into an id survives.

A patient's comes from the NHS number, or from site and local id where there is none; those of
referrals, therapists and services from site and id. Each kind is a domain of its own: equal ids of
two kinds have nothing in common.
"""

import hmac
from collections.abc import Iterable

_BYTES = 16


class Pseudonyms:
    """Makes 32 hexadecimal digits of ids, the same ones in every ingest of a library.

    Parameters
    ----------
    library
        Whose secret is used.
    site
        Name of the site that gave the ids; "" where the library has one site.
    """

    def __init__(self, library, site: str) -> None:
        self._secret = library.secret("pseudonym")
        self._site = site

    def __repr__(self) -> str:
        return f"<Pseudonyms of the site {self._site!r}>"

    def national(self, numbers: Iterable[str | None]) -> list[str | None]:
        """Of patients, from valid NHS numbers; the same at every site."""
        return self._hashed("nhs\n", numbers)

    def local(self, ids: Iterable[str | None]) -> list[str | None]:
        """Of patients, from the site's own ids."""
        return self._hashed(f"local\n{self._site}\n", ids)

    def of(self, kind: str, ids: Iterable[str | None]) -> list[str | None]:
        """Of "referral", "therapist" or "service"."""
        return self._hashed(f"{kind}\n{self._site}\n", ids)

    def _hashed(self, domain: str, values: Iterable[str | None]) -> list[str | None]:
        secret, digest = self._secret, hmac.digest
        return [
            None if v is None else digest(secret, (domain + v).encode(), "sha256")[:_BYTES].hex()
            for v in values
        ]
