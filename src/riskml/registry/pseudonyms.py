"""Pseudonyms: keyed hashes (HMAC-SHA256) of the registry's ids, and the key they are made with.

Without the key nobody can tell which id a pseudonym stands for, nor test a guess. The key never enters the
registry, a history or the repository; only its fingerprint does, so that a wrong key is noticed.
"""

import hmac
import os
import secrets
import stat
from pathlib import Path

import pyarrow as pa

from riskml.errors import RiskmlError

__all__ = ["KEY_VARIABLE", "Key", "load_key", "make_key"]

KEY_VARIABLE = "RISKML_KEY"
_SHORTEST = 32  # characters; `make_key` writes 64, of 256 random bits
_PSEUDONYM = 32  # hexadecimal characters: 128 bits


def _domain(kind):
    """What sets one kind of id apart from another under the same key."""
    return f"riskml/1/{kind}\0".encode()


class Key:
    """The secret behind the pseudonyms. It shows its fingerprint and nothing else.

    Parameters
    ----------
    secret : str    at least 32 characters
    where : str     where it came from, for the messages

    Raises
    ------
    RiskmlError    too short
    """

    __slots__ = ("_secret",)

    def __init__(self, secret, *, where="key"):
        secret = secret.strip()
        if len(secret) < _SHORTEST:
            raise RiskmlError(
                f"this key is too short: {len(secret)} characters; at least {_SHORTEST} are needed",
                where=where,
                mend="Make one with `riskml init`, or take 64 random hexadecimal characters.",
            )
        self._secret = secret.encode()

    def __repr__(self):
        return f"Key(fingerprint={self.fingerprint})"

    def __reduce__(self):
        raise TypeError("a key is not to be stored with anything else")

    def _digest(self, kind, text):
        return hmac.digest(self._secret, _domain(kind) + text.encode(), "sha256").hex()

    @property
    def fingerprint(self):
        """What tells one key from another without giving it away: 16 hexadecimal characters."""
        return self._digest("fingerprint", "")[:16]

    def pseudonym(self, kind, identifier):
        """The pseudonym of one id.

        Parameters
        ----------
        kind : str          the column that holds it: case 7 and victim 7 have nothing in common
        identifier : str    the registry's own id; blanks around it do not count

        Returns
        -------
        str of 32 hexadecimal characters
        """
        return self._digest(kind, str(identifier).strip())[:_PSEUDONYM]

    def pseudonyms(self, kind, identifiers):
        """The pseudonyms of a column of ids; each distinct id is hashed once.

        Parameters
        ----------
        kind : str    the column that holds them
        identifiers : pyarrow string array, shape (n,)    nulls stay null

        Returns
        -------
        pyarrow.Array of string, shape (n,)
        """
        coded = identifiers.combine_chunks() if isinstance(identifiers, pa.ChunkedArray) else identifiers
        coded = coded.dictionary_encode()
        domain, secret = _domain(kind), self._secret
        names = [
            hmac.digest(secret, domain + text.strip().encode(), "sha256").hex()[:_PSEUDONYM]
            for text in coded.dictionary.to_pylist()
        ]
        names = pa.array(names, pa.string())
        return names.take(coded.indices)


def make_key(path):
    """Write a new key of 256 random bits to a file that only its owner can read (mode 600).

    Parameters
    ----------
    path : path of the file to make

    Returns
    -------
    Key

    Raises
    ------
    RiskmlError    the file exists (its pseudonyms would be lost), or cannot be written
    """
    path = Path(path)
    secret = secrets.token_hex(32)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise RiskmlError(
            "this key file exists already",
            where=str(path),
            mend="Keep it: histories taken with it cannot be joined with those of another key.",
        ) from None
    except OSError as error:
        raise RiskmlError(f"cannot write the key file ({error.strerror})", where=str(path)) from None
    with os.fdopen(file, "w", encoding="ascii") as stream:
        stream.write(f"{secret}\n")
    return Key(secret, where=str(path))


def load_key(path=None, *, environment=None):
    """The key of the environment variable RISKML_KEY or, where that is not set, of a key file.

    Parameters
    ----------
    path : path of the key file, or None
    environment : mapping or None    in place of os.environ

    Returns
    -------
    Key

    Raises
    ------
    RiskmlError    neither is there, the file can be read by others than its owner, or the key is too short
    """
    secret = (os.environ if environment is None else environment).get(KEY_VARIABLE)
    if secret:
        return Key(secret, where=KEY_VARIABLE)
    path = Path(path) if path is not None else None
    mend = f"Make one with `riskml doctor --make-key`, or set {KEY_VARIABLE}."
    if path is None or not path.is_file():
        raise RiskmlError("no key of the pseudonyms", where=str(path or KEY_VARIABLE), mend=mend)
    try:
        mode = path.stat().st_mode
        secret = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RiskmlError(
            f"cannot read the key file ({type(error).__name__})", where=str(path), mend=mend
        ) from None
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise RiskmlError(
            f"others than its owner may read this key file (mode {stat.S_IMODE(mode):o})",
            where=str(path),
            mend=f"chmod 600 {path}",
        )
    return Key(secret, where=str(path))
