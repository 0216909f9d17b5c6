"""Signatures of adapters, in the format of OpenSSF model signing (a Sigstore bundle).

Who signs and who verifies is configured by the environment, as keys do not belong into
a repository:
- GRAFT_SIGNING_KEY: file of an EC private key (PEM; GRAFT_SIGNING_KEY_PASSWORD if it is
  encrypted), or `sigstore` for keyless signing with the identity of the machine.
- GRAFT_VERIFY_KEY: file of the public key. Or GRAFT_VERIFY_IDENTITY and
  GRAFT_VERIFY_ISSUER: of a keyless signature.
Source: https://github.com/sigstore/model-transparency
"""

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from graft import io
from graft.errors import ConfigError, ModelError

SIGNATURE = "model.sig"
"""File beside the adapter's folder."""
SIGNING_KEY, PASSWORD = "GRAFT_SIGNING_KEY", "GRAFT_SIGNING_KEY_PASSWORD"
VERIFY_KEY = "GRAFT_VERIFY_KEY"
IDENTITY, ISSUER = "GRAFT_VERIFY_IDENTITY", "GRAFT_VERIFY_ISSUER"
KEYLESS = "sigstore"
_CHANGED = re.compile(
    r"""Hash mismatch for '([^']+)'|(?:Extra|Missing) files [^:]*: ([^'"\],]+)"""
)


def sign(
    folder: Path, out: Path, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """Sign all files of a folder, if a key is configured.

    Args:
        folder: the adapter's.
        out: folder for the signature.
        environment: names the key.
    Returns: the signature's file; None without a key.
    Raises: ConfigError if the key cannot be used.
    """
    key = environment.get(SIGNING_KEY)
    if not key:
        return None
    from model_signing import signing

    signature = out / SIGNATURE
    config: Any = signing.Config()  # type: ignore[no-untyped-call]
    try:
        if key == KEYLESS:
            config.use_sigstore_signer(use_ambient_credentials=True)
        else:
            word: Any = environment.get(PASSWORD)
            config.use_elliptic_key_signer(
                private_key=key, password=word and word.encode()
            )
        with io.atomic(signature) as partial:
            config.sign(folder, partial)
    # Errors of keys, of their files and of Sigstore's services have no common class.
    except Exception as error:
        raise ConfigError(
            f"{SIGNING_KEY}={key}",
            f"the adapter cannot be signed: {_first_line(error)}",
            expected="an EC private key in PEM (P-256, P-384 or P-521), or sigstore",
            fix="make one: openssl ecparam -name prime256v1 -genkey -noout -out KEY; "
            f"or unset {SIGNING_KEY} to register it unsigned",
        ) from error
    return signature


def verify_signature(
    folder: Path, public_key: Path | None, environment: Mapping[str, str] = os.environ
) -> bool:
    """Check a folder against the signature beside it.

    Args:
        folder: the adapter's.
        public_key: None: as the environment says.
        environment: names the key, or the identity of a keyless signature.
    Returns: whether it was verified; False if no key is configured.
    Raises: ModelError with the file that was changed, or if there is no signature or
        it is another key's.
    """
    prepare = _verifier(public_key, environment)
    if prepare is None:
        return False
    signature = folder.parent / SIGNATURE
    if not signature.is_file():
        raise ModelError(
            str(signature),
            "no such file, but a key is configured: the version is not signed",
            expected="the signature that was made at registration",
            fix=f"register it with {SIGNING_KEY} set, or unset {VERIFY_KEY}",
        )
    from model_signing import verifying

    config: Any = verifying.Config()  # type: ignore[no-untyped-call]
    try:
        prepare(config)
        config.verify(folder, signature)
    # Errors of keys and signatures have no common class.
    except Exception as error:
        names = [one or other for one, other in _CHANGED.findall(str(error))]
        where = folder / names[0] if names else signature
        raise ModelError(
            str(where),
            f"the signature does not match: {_first_line(error)}",
            expected="the files that were signed, and the signer's public key",
            fix="fetch the version again from the registry; do not serve this one",
        ) from error
    return True


def _verifier(
    public_key: Path | None, environment: Mapping[str, str]
) -> Callable[[Any], Any] | None:
    if public_key or (key := environment.get(VERIFY_KEY)):
        chosen = public_key or key
        return lambda config: config.use_elliptic_key_verifier(public_key=chosen)
    who, issuer = environment.get(IDENTITY), environment.get(ISSUER)
    if who and issuer:
        return lambda config: config.use_sigstore_verifier(
            identity=who, oidc_issuer=issuer
        )
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
