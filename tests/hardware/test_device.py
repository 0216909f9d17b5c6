from typing import Any

import pytest
import torch

from graft.errors import HardwareError
from graft.hardware.device import choose_device

NO_GPU = pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")


@pytest.fixture
def model_config(params: Any) -> Any:
    return params.model.model_copy(update={"num_parameters": 100_000})


@pytest.fixture
def large(model_config: Any) -> Any:
    return model_config.model_copy(update={"num_parameters": 7_250_000_000})


def test_a_7b_model_is_refused_on_a_cpu_before_it_is_loaded(
    large: Any, params: Any
) -> None:
    with pytest.raises(HardwareError, match=r"7\.2 B parameters, too many for a CPU"):
        choose_device("cpu", large, params.quantization)


@NO_GPU
def test_a_7b_model_without_a_gpu_is_refused(large: Any, params: Any) -> None:
    with pytest.raises(HardwareError, match="no CUDA GPU") as caught:
        choose_device("auto", large, params.quantization)
    assert "model=tiny" in str(caught.value)


@NO_GPU
def test_cuda_where_torch_sees_none_is_refused(model_config: Any, params: Any) -> None:
    with pytest.raises(HardwareError, match="torch sees no CUDA GPU"):
        choose_device("cuda", model_config, params.quantization)


def test_a_small_model_runs_on_a_cpu(model_config: Any, params: Any) -> None:
    assert choose_device("cpu", model_config, params.quantization) == "cpu"


@pytest.mark.gpu
def test_a_model_larger_than_the_gpu_is_refused(model_config: Any, params: Any) -> None:
    huge = model_config.model_copy(update={"num_parameters": 2_000_000_000_000})
    assert choose_device("auto", model_config, params.quantization) == "cuda"
    with pytest.raises(HardwareError, match="GiB"):
        choose_device("cuda", huge, params.quantization)
