"""Markup of a web page is removed; code, and text about markup, stays."""

import polars as pl
import pytest

from graft.data.preprocess.markup import are_technical
from graft.data.preprocess.normalize import strip_html


def strip(text: str) -> str:
    texts = pl.Series([text])
    return str((texts if are_technical(texts)[0] else strip_html(texts))[0])


@pytest.mark.parametrize(
    ("dirty", "expected"),
    [
        ("<p>Hello there, you.</p>", "Hello there, you. "),
        ("one<br/>two<br />three<BR>four", "one two three four"),
        ('<div class="x" id=y>Some text</div>', "Some text "),
        ("<P ALIGN=center><FONT SIZE=2 COLOR=#ff0000>Red</FONT></P>", "Red "),
        ("He was <b>very</b> tired of <i>it</i>.", "He was very tired of it."),
        ('<a href="http://x.org" target="_blank">A link</a> here', "A link here"),
        ("<ul><li>one<li>two</ul>", " one two "),
        ("<h2>News</h2>\n<p>Rain &amp; wind</p>", "News \nRain & wind "),
        ("<p>a</p><!-- no -->b<script>var i = {};</script>", "a  b "),
        ("a&nbsp;b caf&eacute; &#39;c&#x27;", "a\u00a0b café 'c'"),
        ("The end.</s>", "The end."),
        ("<section><p>It rains.</p></section>", " It rains.  "),
        ("Type <code>ls</code> there.", "Type ls there."),
    ],
)
def test_html_of_a_page_is_removed(dirty: str, expected: str) -> None:
    assert strip(dirty) == expected


@pytest.mark.parametrize(
    "text",
    [
        '```html\n<a href="/x">Go</a>\n<p>Hi &amp; bye</p>\n```',
        "List<Form> forms = new ArrayList<Form>();",
        "The list is a List<Form> of forms",
        "const a: Array<Label> = [];",
        "let v: Vec<Option<T>> = make(x);",
        "std::map<p, q> y",
        "cat <<EOF > out.txt",
        "The tag is <b>, and its end is </b>.",
        "Use <b> and </b> around it.",
        "Write <br> where it should break.",
        "It writes </s> at the end.",
        "<s>[INST] Hi [/INST] Yes</s>",
        "<think>So 3 < 4.</think>It is 7.",
        "a < b && c > d, a <b and c> d, 48/2=<<48/2=24>>24, x<y and y>z",
        "John <a@b.c> wrote of <https://example.org/?a=1&c=2>",
        "<note><to>Tove</to><body>hi</body></note>",
        '<div className="x"><Button onClick={go}>Go</Button></div>',
        '<button v-if="a" @click="b">Go</button>',
        "<p>Hello {{ name }}</p>",
        "<p><?php echo 1 ?></p>",
        "<!DOCTYPE html><html><body><p>Hi</p></body></html>",
        "Dear <name>, your <title> is ready",
        "<p>an end is missing</b>",
        "| a | b |\n|---|---|\n| one<br>two | 2 |",
        "A paragraph in HTML: <p>Hello</p>",
        "<tool_call>null</tool_call>",
        "<label>spam</label>",
        "<title>Rain</title>\n<section>It rains.</section>",
        "<label>spam</label><cite>line 3</cite>",
        "cat <<EOF\n<div>Hi</div>\nEOF",
    ],
)
def test_text_that_may_not_be_a_page_stays(text: str) -> None:
    assert strip(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("&lt;b&gt;bold&lt;/b&gt; &eacute;", "&lt;b&gt;bold&lt;/b&gt; é"),
        ("&amp;eacute; and &quot;", '&amp;eacute; and "'),
        ("3 &lt; 4 &amp; 5", "3 < 4 & 5"),
    ],
)
def test_an_entity_does_not_become_a_tag_or_another_entity(
    text: str, expected: str
) -> None:
    assert strip(text) == expected
