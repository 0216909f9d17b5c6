import shutil
from pathlib import Path

import pytest
from small_tokenizers import save_all


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model's folder (its tokenizer only) of each kind."""
    return save_all(tmp_path_factory.mktemp("tokenizers"))


@pytest.fixture
def qwen(folders: dict[str, Path], tmp_path: Path) -> Path:
    """A copy whose files a test may change."""
    return Path(shutil.copytree(folders["qwen"], tmp_path / "qwen"))
