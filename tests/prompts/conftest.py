from pathlib import Path

import pytest
from small_tokenizers import save_all


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A model's folder (its tokenizer only) of each kind."""
    return save_all(tmp_path_factory.mktemp("tokenizers"))
