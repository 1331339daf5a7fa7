"""The master key of a library, and what is made of it.

A master key encrypts no file. It wraps the data keys (one per file) and the root secret of a
library; both are random. Every use of it has a key of its own, derived with HKDF-SHA256 (Krawczyk
and Eronen 2010, RFC 5869), and what is wrapped is bound to where it belongs by the associated data
of AES-256-GCM (Dworkin 2007, NIST SP 800-38D).
"""

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from iesoresearch.errors import OutputError, ParameterError
from iesoresearch.library.store import disk

VARIABLE = "IESORESEARCH_LIBRARY_KEY"
FILE_VARIABLE = "IESORESEARCH_LIBRARY_KEY_FILE"
LENGTH = 32  # bytes: AES-256
_NONCE = 12  # bytes, the length that GCM is made for
_LARGEST = 1024  # bytes; no file of a key is larger


class Hidden:
    """A secret that no repr, traceback with its variables, or pickle shows."""

    __slots__ = ("content",)

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __repr__(self) -> str:
        return "<Hidden>"

    def __reduce_ex__(self, protocol):
        raise TypeError("A secret is not pickled or copied.")


class Keys:
    """A master key. Only its id is ever shown; it cannot be copied or pickled.

    Parameters
    ----------
    master
        32 random bytes.

    Attributes
    ----------
    id : str
        16 hexadecimal digits that tell keys apart and nothing about the key.
    """

    __slots__ = ("_master", "id")

    def __init__(self, master: Hidden) -> None:
        if len(master.content) != LENGTH:
            raise ParameterError(f"A key of a library has {LENGTH} bytes; this one has not.")
        self._master = master
        self.id = self.derive("id")[:8].hex()

    def __repr__(self) -> str:
        return f"<Keys {self.id}>"

    def __reduce_ex__(self, protocol):
        raise TypeError("A key is not pickled or copied.")

    @classmethod
    def load(cls, key_file: Path | None = None) -> "Keys":
        """The key of a file, or else of the environment.

        Parameters
        ----------
        key_file
            Base64 of 32 bytes. None: ``IESORESEARCH_LIBRARY_KEY`` holds the base64, or
            ``IESORESEARCH_LIBRARY_KEY_FILE`` the path of such a file.

        Raises
        ------
        ParameterError
            There is no key, others can read its file, or it is none.
        """
        if key_file is None and os.environ.get(VARIABLE):
            return _decoded(lambda: os.environ[VARIABLE], f"The environment variable {VARIABLE}")
        if key_file is None and not os.environ.get(FILE_VARIABLE):
            raise ParameterError(
                "The key of the library is lacking. Name its file with --key FILE, or in the "
                f"environment variable {FILE_VARIABLE}."
            )
        path = Path(key_file if key_file is not None else os.environ[FILE_VARIABLE])
        _check_file(path)
        return _decoded(lambda: path.read_text(encoding="ascii"), f"The key file {path}")

    @staticmethod
    def make(key_file: Path) -> "Keys":
        """Write a new key to a new file that only its owner can read.

        Raises
        ------
        OutputError
            The file is there already, cannot be written, or its file system cannot keep others out.
        """
        keys = Keys(random_secret())
        try:
            handle = os.open(key_file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        except FileExistsError:
            raise OutputError(
                f"{key_file} is there already and was left as it is: a key that is overwritten "
                "opens nothing any more. Name a new file."
            ) from None
        except OSError as error:
            raise OutputError(f"{key_file} cannot be written ({error.strerror}).") from None
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(base64.b64encode(keys._master.content) + b"\n")
                stream.flush()
                os.fsync(handle)
                shared = os.fstat(handle).st_mode & 0o077
            disk.sync(Path(key_file).parent)  # a key whose name is lost opens nothing
        except OSError as error:
            Path(key_file).unlink(missing_ok=True)
            raise OutputError(f"{key_file} cannot be written ({error.strerror}).") from None
        if shared:
            Path(key_file).unlink()
            raise OutputError(
                f"{key_file} would be readable by others, as its file system keeps no "
                "permissions. Name a file elsewhere."
            )
        return keys

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose; nothing leads from those of one to those of another."""
        return derive(self._master, f"master: {purpose}")

    def wrap(self, secret: Hidden, purpose: str, about: str) -> str:
        """Encrypt a secret, bound to `about`; base64 of nonce and ciphertext."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = AESGCM(self.derive(purpose)).encrypt(nonce, secret.content, about.encode())
        return base64.b64encode(nonce + sealed).decode()

    def unwrap(self, wrapped: str, purpose: str, about: str) -> Hidden | None:
        """What was wrapped for the same purpose and `about`, or None: changed, or another key."""
        try:
            content = base64.b64decode(wrapped, validate=True)
            cipher = AESGCM(self.derive(purpose))
            return Hidden(cipher.decrypt(content[:_NONCE], content[_NONCE:], about.encode()))
        except (InvalidTag, ValueError, TypeError):
            return None


def random_secret() -> Hidden:
    """32 bytes of the system's source of randomness."""
    return Hidden(secrets.token_bytes(LENGTH))


def derive(secret: Hidden, purpose: str) -> bytes:
    """32 bytes of a random secret for one purpose (HKDF-SHA256)."""
    info = f"iesoresearch library 1: {purpose}".encode()
    return HKDF(algorithm=SHA256(), length=LENGTH, salt=None, info=info).derive(secret.content)


def _check_file(path: Path) -> None:
    """Refuse what is no file, what others can read, and what cannot be a key."""
    try:
        status = path.stat()
        readable = os.access(path, os.R_OK)
    except OSError as error:
        raise ParameterError(f"The key file {path} cannot be read ({error.strerror}).") from None
    if not stat.S_ISREG(status.st_mode) or not readable or status.st_size > _LARGEST:
        raise ParameterError(f"{path} is no key file that can be read: it holds 44 characters.")
    if status.st_mode & 0o077:
        raise ParameterError(
            f"The key file {path} can be read by others than its owner. Have the key replaced if "
            f"others use this machine, and run: chmod 600 {path}"
        )


def _decoded(read, where: str) -> Keys:
    """Keys of base64 text; the text is in no frame that an error passes through."""
    keys = _attempt(read)
    if keys is None:
        raise ParameterError(
            f"{where} holds no key: a key is base64 of {LENGTH} bytes (44 characters on one line). "
            "`iesoresearch library create --new-key FILE` makes one."
        )
    return keys


def _attempt(read) -> Keys | None:
    try:
        content = base64.b64decode(read().strip(), validate=True)
    except (binascii.Error, ValueError, OSError):
        return None
    return Keys(Hidden(content)) if len(content) == LENGTH else None
