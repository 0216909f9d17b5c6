"""Two batches on one copy of a model would share its slots."""

import pytest

from graft.errors import ModelError
from graft.inference.batching import ContinuousBatch, run_requests
from graft.inference.next_tokens import next_token_logprobs
from graft.inference.requests import GenerationRequest

REQUEST = GenerationRequest("row", [1, 2, 3], 5)


def test_a_second_batch_on_a_model_is_an_error_and_the_first_goes_on(model):
    (alone,) = [event.tokens for event in run_requests(model, [REQUEST], 1)][:1]
    first = ContinuousBatch(model, 2, 64)
    first.add(REQUEST)
    first.close()
    events = first.events()
    found = next(events).tokens
    assert found == alone
    for length in (64, 4096):  # the slots that are there, and longer ones
        second = ContinuousBatch(model, 2, length)
        second.add(REQUEST)
        with pytest.raises(ModelError, match="already used by a batch"):
            next(second.events())
    with pytest.raises(ModelError, match="already used by a batch"):
        next_token_logprobs(model, [[1, 2, 3]], [1], None)
    found += sum((event.tokens for event in events), [])
    assert len(found) == REQUEST.max_new_tokens
    assert found == sum((e.tokens for e in run_requests(model, [REQUEST], 1)), [])
