"""Removes personal data from a column of texts, by kind and action."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import polars as pl

from graft.config.pii import Action, Kind, PiiConfig
from graft.data.preprocess.pii.finding import Finding
from graft.data.preprocess.pii.folding import FoldedText, fold
from graft.data.preprocess.pii.numbering import known_region
from graft.data.preprocess.pii.prefilter import Trait, names, traits
from graft.data.preprocess.pii.recognise import recognise
from graft.data.preprocess.pii.review import Decisions, ReviewLine, to_key
from graft.errors import ConfigError


@dataclass(frozen=True)
class Scrubbed:
    """A scrubbed column of texts, and further columns of its length.

    `dropped` and `flagged` contain the kinds with that action, joined by a comma, or
    null. `counts` are numbers of findings by kind, whatever their action.
    """

    texts: pl.Series
    dropped: pl.Series
    flagged: pl.Series
    counts: Counter[Kind]
    review: list[ReviewLine]


@dataclass
class _ScrubbedText:
    """One scrubbed text; kinds by action, counts and review lines by key."""

    text: str
    kinds: dict[Action, set[Kind]]
    counts: Counter[Kind] = field(default_factory=Counter)
    review: dict[str, ReviewLine] = field(default_factory=dict)


class Scrubber:
    """Finds personal data and applies the actions; stateless, and can be pickled.

    `decisions`: of a reviewer on findings of an earlier run, by key.
    Raises: ConfigError if a region has no numbering plan.
    """

    def __init__(self, config: PiiConfig, decisions: Decisions) -> None:
        if unknown := [name for name in config.regions if not known_region(name)]:
            raise ConfigError(
                "preprocess.pii.regions",
                f"no telephone numbering plan for {', '.join(unknown)}",
                expected="country codes of ISO 3166, such as FR, US, GB",
                fix="correct the code, or remove it",
            )
        self._config = config
        self._decisions = dict(decisions)

    def scrub(self, texts: pl.Series, ids: pl.Series) -> Scrubbed:
        """Apply the actions to the personal data of each text. Idempotent. `ids` are
        those of the texts' examples. Shapes [texts]."""
        seen = traits(texts)
        places = seen.select(pl.any_horizontal(pl.all())).to_series().arg_true()
        rows = zip(
            texts.gather(places), ids.gather(places), names(seen[places]), strict=True
        )
        found = [self._scrub_text(*row) for row in rows]
        counts: Counter[Kind] = Counter()
        for one in found:
            counts.update(one.counts)
        # scatter works in place: the clone keeps the caller's column as it was
        changed = texts.clone().scatter(places, [one.text for one in found])
        return Scrubbed(
            changed,
            _kinds("dropped", len(texts), places, [one.kinds["drop"] for one in found]),
            _kinds("flagged", len(texts), places, [one.kinds["flag"] for one in found]),
            counts,
            [line for one in found for line in one.review.values()],
        )

    def _scrub_text(
        self, text: str, example: str, seen: Sequence[Trait]
    ) -> _ScrubbedText:
        scrubbed = _ScrubbedText(text, {"drop": set(), "flag": set()})
        while True:
            plain = fold(scrubbed.text)
            scrubbed.review.clear()
            redacted: list[Finding] = []
            stayed: Counter[Kind] = Counter()
            for finding in recognise(plain.text, seen, self._config.regions):
                if self._is_acted_on(finding, plain, example, scrubbed):
                    action = self._config.actions[finding.kind]
                    if action == "redact":
                        redacted.append(finding)
                    else:
                        stayed[finding.kind] += 1
                        scrubbed.kinds[action].add(finding.kind)
            scrubbed.counts.update(finding.kind for finding in redacted)
            # A redaction can change the context of another number: repeat until nothing
            # is found, so that a second run finds nothing either.
            if not redacted:
                scrubbed.counts.update(stayed)
                return scrubbed
            scrubbed.text = _redact(scrubbed.text, plain, redacted)

    def _is_acted_on(
        self, finding: Finding, plain: FoldedText, example: str, scrubbed: _ScrubbedText
    ) -> bool:
        """By decision if there is one, else if sure; borderline ones go to review."""
        if self._config.actions[finding.kind] == "ignore":
            return False
        found = plain.text[finding.start : finding.end]
        key = to_key(finding.kind, found, example)
        if key in self._decisions:
            return self._decisions[key]
        if finding.sure:
            return True
        start, end = plain.original(finding.start, finding.end)
        around = self._config.context
        text = scrubbed.text
        scrubbed.review[key] = ReviewLine(
            key,
            example,
            finding.kind,
            text[start:end],
            text[max(0, start - around) : end + around],
            finding.why,
        )
        return self._config.unsure == "act"


def _redact(text: str, plain: FoldedText, findings: Sequence[Finding]) -> str:
    """The text with a placeholder for each finding; they do not overlap."""
    parts, at = [], 0
    for finding in findings:
        start, end = plain.original(finding.start, finding.end)
        parts += [text[at:start], f"[{finding.kind.upper()}]"]
        at = end
    return "".join([*parts, text[at:]])


def _kinds(
    name: str, length: int, places: pl.Series, kinds: Sequence[set[Kind]]
) -> pl.Series:
    column = pl.Series(name, [None] * length, dtype=pl.String)
    return column.scatter(places, [",".join(sorted(some)) or None for some in kinds])
