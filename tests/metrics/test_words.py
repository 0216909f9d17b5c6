import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graft.metrics import METRICS, Segments, resample
from graft.metrics.words import fold, is_unspaced, latin_share, spaced, to_words

TEXTS = {
    "English": "The cat, isn't it?",
    "French": "L'été dernier, « voilà » !",
    "Chinese": "我今天去了北京的大学图书馆看书。",
    "Japanese": "今日は大学のラーメンを食べました。",
    "Thai": "ผมไปห้องสมุดวันนี้",
    "Lao": "ຂ້ອຍໄປຫ້ອງສະໝຸດ",
    "Khmer": "ខ្ញុំទៅបណ្ណាល័យ",
    "Burmese": "ငါစာကြည့်တိုက်သွားတယ်",
    "Tibetan": "ང་དེ་རིང་དཔེ་མཛོད་ཁང་ལ་འགྲོ།",
    "Korean": "오늘 도서관에 갔습니다.",
    "Arabic": "ذهبت إلى المكتبة؟",
    "Hebrew": "הלכתי לַסִּפְרִיָּה היום.",
    "Hindi": "मैं आज पुस्तकालय गया।",
    "Tamil": "நான் நூலகம் சென்றேன்",
    "Russian": "Она читала книгу.",
    "Greek": "Διάβασε ένα βιβλίο;",
    "mixed": "iPhone 15を２台買った, OK?",
    "a word": "東",
    "digits": "１２",
    "a number": "3",
    "a smiley": "🙂",
    "signs": "?!",
    "an article": "the",
}
SCORED = [
    metric
    for metric in METRICS.values()
    if metric.of == "answer" and metric.name not in ("meteor", "format", "tool_calls")
]
"""METEOR never gives 1, a format has no maximum, and no text here calls a tool."""


def best(name, text, stratum="all"):
    segments = Segments([text], [["another", text]], [stratum])
    return METRICS[name].score(segments, resample(1, 100, 0)).value


@pytest.mark.parametrize("metric", SCORED, ids=lambda metric: metric.name)
@pytest.mark.parametrize("script", TEXTS)
def test_an_answer_that_equals_a_reference_has_the_maximum_in_every_script(
    script, metric
):
    for stratum in ("all", "en", "fr", "zh"):
        assert best(metric.name, TEXTS[script], stratum) == pytest.approx(100)


@pytest.mark.parametrize("metric", SCORED, ids=lambda metric: metric.name)
@pytest.mark.parametrize("script", TEXTS)
def test_decomposed_letters_are_the_same(script, metric):
    decomposed = unicodedata.normalize("NFD", TEXTS[script])
    segments = Segments([decomposed], [[TEXTS[script]]], ["all"])
    value = METRICS[metric.name].score(segments, resample(1, 100, 0)).value
    assert value == pytest.approx(100)


@given(st.text(max_size=40).filter(str.strip), st.sampled_from(SCORED))
def test_any_text_that_equals_its_reference_has_the_maximum(text, metric):
    if not any(sign.isprintable() and not sign.isspace() for sign in text):
        return  # nothing that a reader sees
    assert best(metric.name, text) == pytest.approx(100)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Don't x_y 3.5", ["don", "t", "x", "y", "3", "5"]),
        ("Été naïve", ["été", "naïve"]),
        ("北京 ABC", ["北", "京", "abc"]),
        ("ห้อง", ["ห้", "อ", "ง"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("שָׁלוֹם עולם", ["שָׁלוֹם", "עולם"]),
        ("한국어 문장", ["한국어", "문장"]),
        ("ラーメン", ["ラ", "ー", "メ", "ン"]),
        ("１２ ٣٤ ﾎﾟ", ["12", "34", "ポ"]),
        ("e\u0301", ["\xe9"]),
        ("🙂 !", []),
    ],
)
def test_words_are_those_of_a_script(text, words):
    assert to_words(fold(text)) == to_words(text) == words


@given(st.text(alphabet="abc XYZ 09 .,_-'é\n"))
def test_a_script_with_spaces_is_left_as_it_is(text):
    assert spaced(text) == text and not is_unspaced(text)


def test_different_answers_in_other_scripts_get_different_scores():
    score = METRICS["rouge_1"].score
    weights = resample(1, 100, 0)
    assert score(Segments(["tàt"], [["été"]], ["fr"]), weights).value == 0
    half = score(Segments(["北海"], [["北京"]], ["zh"]), weights).value
    assert half == pytest.approx(50)
    segments = Segments(["他买了一支笔。"], [["他昨天买了三本书。"]], ["zh"])
    assert 0 < METRICS["bleu"].score(segments, weights).value < 60


def test_the_signature_shows_that_texts_were_split_into_characters():
    weights = resample(1, 100, 0)
    for text, tokenizer in (("un chat", "tok:13a|"), ("猫", "tok:13a+unspaced-char|")):
        found = METRICS["bleu"].score(Segments([text], [[text]], ["all"]), weights)
        assert tokenizer in found.signature


def test_the_share_of_latin_letters_is_counted():
    assert latin_share(["abc", "été 12"]) == 1 == latin_share(["12", ""])
    assert latin_share(["ab", "猫が"]) == 0.5
