from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from graft.errors import ConfigError, ModelError
from graft.registry.signatures import sign, verify_signature


def make_keys(folder: Path) -> tuple[Path, Path]:
    """A private and a public key as files."""
    folder.mkdir(parents=True)
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    public.write_bytes(
        key.public_key().public_bytes(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo,
        )
    )
    return private, public


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path]:
    """A signed folder, and the public key."""
    private, public = make_keys(tmp_path / "keys")
    folder = tmp_path / "artifacts" / "adapter"
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(bytes(100))
    (folder / "graft.json").write_text("{}")
    found = sign(folder, folder.parent, {"GRAFT_SIGNING_KEY": str(private)})
    assert found == tmp_path / "artifacts" / "model.sig"
    return folder, public


def test_a_signed_folder_is_verified_wherever_it_is(signed, tmp_path: Path):
    folder, public = signed
    assert verify_signature(folder, public)
    moved = folder.parent.rename(tmp_path / "elsewhere")
    assert verify_signature(moved / "adapter", None, {"GRAFT_VERIFY_KEY": str(public)})


@pytest.mark.parametrize("place", [0, 50, 99])
def test_one_flipped_byte_is_refused_and_its_file_is_named(signed, place: int):
    folder, public = signed
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[place] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        verify_signature(folder, public)
    assert caught.value.where == str(weights)


@pytest.mark.parametrize("change", ["added", "removed"])
def test_an_added_or_removed_file_is_refused_by_name(signed, change: str):
    folder, public = signed
    if change == "added":
        (folder / "new.json").write_text("{}")
    else:
        (folder / "graft.json").unlink()
    with pytest.raises(ModelError) as caught:
        verify_signature(folder, public)
    name = "new.json" if change == "added" else "graft.json"
    assert caught.value.where == str(folder / name)


def test_another_key_and_a_missing_signature_are_refused(signed, tmp_path: Path):
    folder, public = signed
    _, other = make_keys(tmp_path / "others")
    with pytest.raises(ModelError, match="Key mismatch"):
        verify_signature(folder, other)
    (folder.parent / "model.sig").unlink()
    with pytest.raises(ModelError, match="is not signed"):
        verify_signature(folder, public)


def test_an_edited_signature_is_refused(signed):
    folder, public = signed
    file = folder.parent / "model.sig"
    text = file.read_text()
    file.write_text(
        text.replace('"sig":"M', '"sig":"N').replace('"sig": "M', '"sig": "N')
    )
    assert file.read_text() != text
    with pytest.raises(ModelError, match="does not match"):
        verify_signature(folder, public)


def test_without_a_key_nothing_is_signed_or_verified(tmp_path: Path):
    assert sign(tmp_path, tmp_path, {}) is None
    assert verify_signature(tmp_path, None, {}) is False


def test_a_key_that_cannot_be_used_is_an_error_with_a_fix(tmp_path: Path):
    (tmp_path / "key").write_text("no key")
    with pytest.raises(ConfigError, match="openssl"):
        sign(tmp_path, tmp_path, {"GRAFT_SIGNING_KEY": str(tmp_path / "key")})
