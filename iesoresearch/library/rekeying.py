"""Pseudonyms of one extract, which lead neither back to the library nor to another extract."""

import hmac
import secrets

import polars as pl

_LENGTH = 16  # bytes of each pseudonym, written as hexadecimal digits


class Pseudonyms:
    """Keyed hashes (HMAC-SHA256, RFC 2104) under a secret that is drawn anew and kept nowhere.

    Within one extract the same person has the same pseudonym in every table. Nobody can compute
    it again, not even who holds the keys of the library.
    """

    __slots__ = ("_secret",)

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def __repr__(self) -> str:
        return "<Pseudonyms>"

    def of(self, kind: str, ids: pl.Series) -> pl.Series:
        """Pseudonyms of ids of one kind ("patient_id" …), row by row; null stays null."""
        start, secret = kind.encode() + b"\0", self._secret
        made = [
            None
            if one is None
            else hmac.digest(secret, start + one.encode(), "sha256")[:_LENGTH].hex()
            for one in ids.to_list()
        ]
        return pl.Series(ids.name, made, dtype=pl.String)
