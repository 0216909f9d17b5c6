"""What registered versions answer without an API."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graft.config.params import Params


@dataclass(frozen=True)
class OfflineAnswer:
    """A greedy completion, and the numbers of its tokens."""

    text: str
    num_tokens: int
    prompt: Sequence[int]


class OfflineAnswers:
    """Greedy completions of user turns, computed once.

    Args:
        cache: for copies of versions.
        limits: of new tokens; None: that of the evaluation.
    Attributes:
        names: `NAME/NUMBER` of each version.
    """

    def __init__(
        self,
        params: Params,
        cache: Path,
        numbers: Iterable[str],
        prompts: Sequence[str],
        limits: Sequence[int | None],
    ) -> None:
        self._found: dict[tuple[str, str, int | None], OfflineAnswer] = {}
        self.names = []
        for number in numbers:
            name = self._complete(params, cache, number, prompts, limits)
            self.names.append(name)

    def _complete(
        self,
        params: Params,
        cache: Path,
        number: str,
        prompts: Sequence[str],
        limits: Sequence[int | None],
    ) -> str:
        from graft.inference.generation import PromptRow, finished_rows
        from graft.serving.engine_loader import load_version
        from graft.serving.registry_source import RegistrySource
        from graft.tracking.local_versions import open_versions

        source = RegistrySource(open_versions(params.registry), cache, number)
        loaded = load_version(source, "cpu", params.serving.max_context_tokens)
        version = loaded.version
        encode = version.template.encode_prompt
        turns = [encode([{"role": "user", "content": text}]) for text in prompts]
        for limit in limits:
            most = limit or version.decoding.max_new_tokens
            decoding = replace(version.decoding, max_new_tokens=most)
            rows = [PromptRow(ids, version.adapter, n) for n, ids in enumerate(turns)]
            for row in finished_rows(loaded.model, version.template, rows, decoding):
                self._found[version.id, prompts[row.row], limit] = OfflineAnswer(
                    row.text, len(row.tokens), turns[row.row]
                )
        return version.id

    def of(self, version: str, prompt: str, limit: int | None) -> OfflineAnswer:
        """The completion of a prompt by a version."""
        return self._found[version, prompt, limit]
