import dataclasses
import math
import re

from html_reader import Reader
from page_facts import make_page_facts
from scored_predictions import CONFIG, predictions

from graft.evaluation.page import to_page
from graft.evaluation.scoring import score
from graft.metrics import get_metrics
from graft.records import Prediction, Score


def test_equal_facts_make_equal_pages():
    rows = predictions()
    assert to_page(make_page_facts(rows)) == to_page(make_page_facts(rows))


def test_a_page_shows_results_strata_examples_speed_links_and_grounds():
    rows = predictions()
    facts = make_page_facts(rows)
    page = to_page(facts)
    text = " ".join("".join(Reader(page).words).split())
    bleu = facts.scores.overall["bleu"]
    for words in (
        f"Tuning raised BLEU from {bleu.base.value:.1f} to {bleu.tuned.value:.1f} on",
        f"{bleu.tuned.low:.1f} to {bleu.tuned.high:.1f}",
        f"+{bleu.difference.low:.1f} to +{bleu.difference.high:.1f}",
        "✓ significantly better (95 % CI)",
        "BLEU by stratum",
        "Most changed: largest gains",
        rows[1].references[0],
        rows[1].base,
        "ms p95",
        "180.0",
        "1.50 GiB",
        "2.25 GiB",
        "adapter.rank",
        "18,000 train",
        "abc123",
        "run77",
        "BLEU, BLEU-1",
        bleu.tuned.signature,
        "9.9",
        "card: out/README.md",
    ):
        assert words in text, words
    assert 'href="http://tracking/#/runs/77"' in page
    assert "None" not in text


def test_what_data_says_stays_text():
    evil = "<script>alert(1)</script><img src=x onerror=a> \"'&"
    rows = [
        dataclasses.replace(
            row, id=evil + row.id, stratum=evil, prompt=evil, base=evil, tuned=evil
        )
        for row in predictions(12)
    ]
    rows = [dataclasses.replace(row, references=[f"{evil} gold"]) for row in rows]
    facts = make_page_facts(
        rows,
        name=evil,
        device=evil,
        links={evil: "javascript:alert(1)"},
        params={"adapter": {"method": "lora"}, "data": {evil: evil}},
        digests={evil: evil},
        prompt=evil,
    )
    page = to_page(facts)
    read = Reader(page)
    assert not read.all("script", "img") and "onerror=a" in "".join(read.words)
    assert not any("javascript" in (a["href"] or "") for a in read.all("a"))


def test_a_page_fetches_nothing():
    rows = predictions()
    read = Reader(to_page(make_page_facts(rows, links={})))
    assert not read.all("script", "link", "img", "iframe", "object", "use")
    assert all((a["href"] or "").startswith("#") for a in read.all("a"))
    styles = "".join(read.words)
    assert "@import" not in styles and "url(" not in styles


def test_headings_tables_and_plots_can_be_read_aloud():
    rows = predictions()
    read = Reader(to_page(make_page_facts(rows)))
    levels = [int(tag[1]) for tag, _ in read.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(levels, levels[1:]))
    assert all(cell.get("scope") in ("col", "row") for cell in read.all("th"))
    ids = [a["id"] for _, a in read.found if "id" in a]
    assert len(ids) == len(set(ids))
    for plot in (a for a in read.all("svg") if a.get("role") == "img"):
        assert set((plot["aria-labelledby"] or "").split()) <= set(ids)
    drawn = [a for a in read.all("svg") if a.get("height")]
    assert all(a.get("role") == "img" or a.get("aria-hidden") for a in drawn)
    targets = {
        (a["href"] or "")[1:] for a in read.all("a") if "#" == (a["href"] or "")[0]
    }
    assert targets <= set(ids)


def test_each_number_in_a_table_carries_its_label_for_screens_without_columns():
    rows = predictions()
    page = to_page(make_page_facts(rows))
    for table in re.findall(r'<table class="numbers.*?</table>', page, re.DOTALL):
        heads = re.findall(r"<th scope=\"col\"[^>]*>([^<]+)</th>", table)
        labels = re.findall(r'<td data-label="([^"]+)"', table)
        assert labels and set(labels) <= set(heads)
        bare = re.findall(r"<td(?! data-label)([^>]*)>", table)
        assert all("wide" in cell or "plot" in cell for cell in bare)


def test_a_metric_that_was_not_computed_says_why_and_has_no_number():
    rows = predictions()
    scores = score(rows, get_metrics(["chrf"]), CONFIG)
    lacking = dataclasses.replace(scores, not_computed={"bleu": "no WordNet: get it"})
    text = "".join(Reader(to_page(make_page_facts(rows, scores=lacking))).words)
    assert "Not computed" in text and "no WordNet: get it" in text
    assert text.count("BLEU") == 1


def test_a_page_without_any_metric_still_stands():
    rows = predictions()
    scores = dataclasses.replace(
        score(rows, [], CONFIG), not_computed={"bleu": "no WordNet"}
    )
    page = to_page(make_page_facts(rows, scores=scores, latency={}))
    text = "".join(Reader(page).words)
    assert "No metric could be computed" in text and "no WordNet" in text
    assert "ms p95" not in text


def test_gold_has_a_column_only_where_a_metric_has_it():
    rows = predictions()
    facts = make_page_facts(rows)
    assert ">gold</th>" not in to_page(facts)
    found = facts.scores.overall["chrf"]
    gold = dataclasses.replace(found, gold=Score(99.5, 98.25, 99.75))
    overall = facts.scores.overall | {"chrf": gold}
    scores = dataclasses.replace(facts.scores, overall=overall)
    page = to_page(dataclasses.replace(facts, scores=scores))
    assert ">gold</th>" in page and "98.2 to 99.8" in page


def test_nine_hundred_long_answers_and_a_hundred_strata_stay_under_400_kb():
    question, answer, other = ("問" * 2000, "答" * 2000, "否" * 2000)
    rows = [
        Prediction(f"{i:03}", f"s{i % 100}", question, [answer], other, answer)
        for i in range(900)
    ]
    # BLEU of so long words takes a minute.
    scores = score(rows, get_metrics(["answer_match"]), CONFIG)
    page = to_page(make_page_facts(rows, scores=scores))
    assert len(page.encode()) < 400_000
    assert "60 smaller strata" in page


def test_a_page_stands_where_a_score_is_infinite_or_undefined():
    rows = predictions(12)
    facts = make_page_facts(rows)
    odd = Score(math.inf, math.nan, math.inf)
    found = dataclasses.replace(
        facts.scores.overall["bleu"],
        base=odd,
        difference=Score(-math.inf, *[math.nan] * 2),
    )
    compared = {"bleu": found}
    strata = {name: (n, compared) for name, (n, _) in facts.scores.strata.items()}
    scores = dataclasses.replace(facts.scores, overall=compared, strata=strata)
    text = "".join(Reader(to_page(make_page_facts(rows, scores=scores))).words)
    assert "∞" in text and "not significant" in text and not re.search(r"\bnan\b", text)


def test_a_perplexity_shows_how_much_it_fell_of_the_base():
    measured = {"base_nll": 20.0, "tuned_nll": 10.0, "num_tokens": 10, "num_bytes": 40}
    rows = [dataclasses.replace(row, **measured) for row in predictions()]
    scores = score(rows, get_metrics(["perplexity", "bleu"]), CONFIG)
    page = to_page(make_page_facts(rows, scores=scores))
    assert page.count("−63.2 % of base") == 1 and page.count("% of base") == 1
    assert "significantly better (95 % CI)" in page
