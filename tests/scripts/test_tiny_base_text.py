"""Claims about the text and the tokenizer that models/tiny is made of."""

import json
from pathlib import Path
from random import Random

import pytest
from tokenizers import Tokenizer

from sample import corpus, wordlists
from sample.documents import EN, FR, WEIGHTS, document, safe_sentence
from sample.heldout import any_held_out
from sample.model_card import write_card

ROOT = Path(__file__).parents[2]
TEST_PATH = ROOT / "data/sample/pairs.jsonl"
# Words that only one of the languages has.
ONLY_ENGLISH = {"the", "with", "is", "are", "does", "they", "will", "my"}
ONLY_FRENCH = {"le", "les", "est", "sont", "ils", "une", "mes", "de", "avec"}


@pytest.fixture(scope="module", name="tokenizer")
def read_tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(ROOT / "models/tiny/tokenizer.json"))


def test_no_document_has_a_test_sentence_or_the_prompt_of_the_task() -> None:
    forbidden = corpus.test_sentences(TEST_PATH)
    assert len(forbidden) == 1800
    rng = Random(11)
    for _ in range(1500):
        corpus.check(document(rng), forbidden)


def test_a_test_sentence_is_found_wherever_a_document_has_it() -> None:
    sentence = "The cat sleeps."
    for text in (
        f"A dog runs. {sentence}",
        f"- {sentence}\n- More.",
        f"| {sentence} | x |",
        f'> "{sentence}"',
        f"a -> {sentence}",
    ):
        with pytest.raises(ValueError, match="a test sentence"):
            corpus.check(text, frozenset({sentence}))


@pytest.mark.parametrize("label", ["English: a", "French: b", "x\nFrench :"])
def test_the_labels_of_the_prompt_are_refused(label: str) -> None:
    with pytest.raises(ValueError, match="the prompt of the task"):
        corpus.check(label, frozenset())


def test_the_sentences_of_the_base_model_have_no_held_out_combination() -> None:
    rng = Random(12)
    assert not any(any_held_out(safe_sentence(rng).pairs) for _ in range(2000))


@pytest.mark.parametrize("build", WEIGHTS, ids=lambda build: build.__name__)
@pytest.mark.parametrize(("language", "other"), [(EN, ONLY_FRENCH), (FR, ONLY_ENGLISH)])
def test_a_document_holds_one_language_only(build, language, other) -> None:
    rng = Random(13)
    for _ in range(60):
        words = set(build(rng, language).lower().replace("'", " ").split())
        assert not words & other


def test_every_kind_of_noun_has_a_name_in_both_languages() -> None:
    assert set(wordlists.KIND_NAMES) == set("PAFMDRCTBVL")


def test_the_same_seed_and_shard_give_the_same_documents() -> None:
    def made(seed: int, shard: int) -> list[str]:
        return list(corpus.texts(seed, shard, 20, 0.0, 0.0))

    assert made(1, 2) == made(1, 2)
    assert made(1, 2) != made(1, 3)


def test_prompt_and_completion_have_the_same_ids_apart_as_together(
    tokenizer: Tokenizer,
) -> None:
    rng = Random(14)
    for _ in range(300):
        pair = safe_sentence(rng)
        prompt, completion = f"English: {pair.en}\nFrench:", f" {pair.fr}"
        apart = tokenizer.encode(prompt).ids
        apart += tokenizer.encode(completion, add_special_tokens=False).ids
        assert tokenizer.encode(prompt + completion).ids == apart


@pytest.mark.parametrize(
    "text", ["L'œuf n'est pas mûr.", "a\n\n  b\t1234", "日本 🙂 \x07", " Où va-t-il ?"]
)
def test_any_text_comes_back_as_it_went_in(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids) == text


def test_padding_beginning_and_end_are_three_tokens(tokenizer: Tokenizer) -> None:
    ids = [tokenizer.token_to_id(name) for name in ("<pad>", "<s>", "</s>")]
    assert ids == [0, 1, 2]
    assert tokenizer.encode("a").ids[0] == 1


def test_the_model_folder_is_small_enough_for_git() -> None:
    files = (ROOT / "models/tiny").iterdir()
    assert sum(file.stat().st_size for file in files) <= 12_000_000


def test_the_card_says_what_the_training_log_says(tmp_path: Path) -> None:
    log = json.loads((ROOT / "models/tiny/train_log.json").read_text("utf-8"))
    write_card(log, tmp_path / "README.md")
    written = (tmp_path / "README.md").read_text("utf-8")
    assert written == (ROOT / "models/tiny/README.md").read_text("utf-8")
