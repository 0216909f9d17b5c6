import logging

import pytest

from graft.errors import ConfigError
from graft.inference.requests import Sampling
from graft.inference.results import Decoding
from graft.serving.model_params import (
    DecodingParams,
    read_params,
    reject_unknown_params,
)
from graft.tracking.model_signature import to_signature

EVALUATED = Decoding(max_new_tokens=24, stop=("\n",), seed=7)


def test_without_parameters_decoding_is_the_evaluations():
    chosen = read_params(None)
    assert chosen.of(EVALUATED) == EVALUATED and not chosen.has_filters


def test_the_signatures_defaults_change_nothing():
    schema = to_signature(vars(EVALUATED)).params
    defaults = {one.name: one.default for one in schema.params}
    chosen = read_params(defaults)
    assert set(defaults) == set(DecodingParams.model_fields)
    assert vars(chosen.of(EVALUATED)) == vars(EVALUATED) | {"stop": ["\n"]}
    assert chosen.filtered(Sampling(seed=3)) == Sampling(seed=3)


def test_parameters_replace_those_of_the_evaluation():
    chosen = read_params({"max_new_tokens": 3, "temperature": 0.5, "top_p": 0.9})
    assert chosen.of(EVALUATED).max_new_tokens == 3
    assert chosen.filtered(Sampling(0.5)) == Sampling(0.5, top_p=0.9)
    assert chosen.has_filters


@pytest.mark.parametrize(
    "params",
    [
        {"temprature": 1.0},
        {"max_new_tokens": 0},
        {"temperature": -1},
        {"top_p": 0},
        {"min_p": 2},
        {"seed": -1},
        {"stop": [""]},
    ],
)
def test_an_unknown_or_impossible_parameter_is_refused_by_name(params):
    with pytest.raises(ConfigError, match=next(iter(params))):
        read_params(params)


def test_parameters_that_mlflow_would_ignore_are_refused():
    from mlflow.exceptions import MlflowException
    from mlflow.models.utils import _enforce_params_schema

    schema = to_signature(vars(EVALUATED)).params
    logger = logging.getLogger("mlflow.models.utils")
    before = list(logger.filters)
    reject_unknown_params()
    reject_unknown_params()
    try:
        assert len(logger.filters) == len(before) + 1
        with pytest.raises(MlflowException, match="unknown: temprature"):
            _enforce_params_schema({"temprature": 1.0}, schema)
        assert _enforce_params_schema({"top_k": 5}, schema)["top_k"] == 5
        other = type(schema)(schema.params[:1])
        _enforce_params_schema({"temprature": 1.0}, other)  # another model's
    finally:
        logger.filters[:] = before
