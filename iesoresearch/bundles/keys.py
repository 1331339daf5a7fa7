"""Keys that sign bundles (Ed25519), and the public halves that a coordinating centre trusts.

Ed25519: Bernstein, Duif, Lange, Schwabe, Yang 2012, High-speed high-security signatures; here as in
`cryptography`.
"""

import base64
import binascii
import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from iesoresearch import files
from iesoresearch.errors import OutputError, ParameterError
from iesoresearch.project import is_site, refuse_site

_KIND = "iesoresearch-ed25519"


@dataclass(frozen=True)
class PublicKey:
    """The public half of the key of a site.

    Attributes
    ----------
    site
        Whose it is.
    raw
        32 bytes.
    """

    site: str
    raw: bytes

    @property
    def id(self) -> str:
        """Short name of the key in the hands of its site, for people to compare.

        The start of a SHA-256 of both: the same key called another site's has another short name.
        """
        return hashlib.sha256(self.site.encode() + b"\n" + self.raw).hexdigest()[:32]

    def line(self) -> str:
        """The one line of its file."""
        return f"{_KIND} {base64.b64encode(self.raw).decode()} {self.site}\n"

    def signed(self, signature: bytes, message: bytes) -> bool:
        """Whether this key made the signature of the message."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """The key of a site; what is shown of it is its public half alone."""

    public: PublicKey
    _private: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def make(cls, path: Path, site: str) -> "SigningKey":
        """A new key: `path` (.key) for its owner only, and the public half beside it (.pub).

        Raises
        ------
        OutputError
            There is a key already, or it cannot be written.
        ParameterError
            The name of the site cannot be used.
        """
        refuse_site(site)
        for there in (path, path.with_suffix(".pub")):
            if there.exists():
                raise OutputError(
                    f"{there} is there already and was left as it is: bundles signed with the old "
                    "key could not be checked any more. Move both files away to start a new key."
                )
        private = Ed25519PrivateKey.generate()
        key = cls(PublicKey(site, private.public_key().public_bytes_raw()), private)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with files.writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            # made with these permissions, not given them once the key is in it
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "wb") as stream:
                stream.write(pem)
                stream.flush()
                os.fsync(stream.fileno())
        files.write_text(path.with_suffix(".pub"), key.public.line())
        return key

    @classmethod
    def load(cls, path: Path) -> "SigningKey":
        """The key that `make` wrote.

        Raises
        ------
        ParameterError
            It is absent, damaged, or others on the machine can read it.
        """
        try:
            mode = path.stat().st_mode
            private = load_pem_private_key(path.read_bytes(), password=None)
            if not isinstance(private, Ed25519PrivateKey):
                raise TypeError
        except (OSError, ValueError, TypeError):
            raise ParameterError(
                f"{path} is no key that signs bundles, or it is not there. Make one with "
                "iesoresearch site key NAME."
            ) from None
        if stat.S_IMODE(mode) & 0o077:
            raise ParameterError(
                f"{path} can be read by others on this machine, so a signature of it proves "
                f"nothing. If nobody has had it: chmod 600 {path}. Else make a new one."
            )
        public = _read_public(path.with_suffix(".pub"))
        raw = private.public_key().public_bytes_raw()
        if len(public) != 1 or public[0].raw != raw:
            raise ParameterError(
                f"{path.with_suffix('.pub')} is not the public half of {path.name}. Restore both "
                "files, or make a new key with iesoresearch site key NAME."
            )
        return cls(public[0], private)

    def sign(self, message: bytes) -> bytes:
        """Signature of a message."""
        return self._private.sign(message)


def trusted(path: Path) -> list[PublicKey]:
    """Keys that are trusted: of a file, or of all files ending in .pub of a folder.

    A file NAME.pub comes from site NAME, so it speaks for no other; a file with another ending is
    a list that the centre wrote itself.

    Raises
    ------
    ParameterError
        There is none, a line is no key, or a key is called that of another site.
    """
    places = sorted(path.glob("*.pub")) if path.is_dir() else [path]
    found = [key for place in places for key in _of_its_site(place)]
    _refuse_shared(found)
    if not found:
        raise ParameterError(
            f"{path} holds no public key. Ask each site for its file params/sites/NAME.pub, "
            "compare its short name by telephone, and lay it there."
        )
    return found


def _of_its_site(path: Path) -> list[PublicKey]:
    found = _read_public(path)
    others = sorted({key.site for key in found} - {path.stem}) if path.suffix == ".pub" else []
    if others:
        raise ParameterError(
            f"{path} holds a key in the name of site {others[0]}, and only {others[0]}.pub may: "
            "whoever sent it could sign for that site. Ask both sites by telephone."
        )
    return found


def _refuse_shared(keys: list[PublicKey]) -> None:
    sites: dict[bytes, str] = {}
    for key in keys:
        if sites.setdefault(key.raw, key.site) != key.site:
            raise ParameterError(
                f"Sites {sites[key.raw]} and {key.site} have the same key, so one could sign for "
                "the other. Ask both by telephone whose it is, and the other to make its own."
            )


def _read_public(path: Path) -> list[PublicKey]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [_public(line) for line in lines if line.strip() and not line.startswith("#")]
    except (OSError, ValueError, binascii.Error):
        raise ParameterError(
            f"{path} is no file of public keys: every line must be “{_KIND} KEY SITE”, as "
            "iesoresearch site key NAME writes it. Ask the site for the file again."
        ) from None


def _public(line: str) -> PublicKey:
    kind, encoded, site = line.split()
    raw = base64.b64decode(encoded, validate=True)
    if kind != _KIND or len(raw) != 32 or not is_site(site):
        raise ValueError
    return PublicKey(site, raw)
