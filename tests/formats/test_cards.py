"""What keeps readers from a model card is told by its line; what it says is people's own."""

from __future__ import annotations

import pytest

from runfolio.errors import DamagedError
from runfolio.formats.cards import check_card

GOOD = "---\nlicense: mit\nmodel-index: &a [1]\nagain: *a\n---\n\n# wine 1\n\n---\n\n## Limits\n\n<<<<<<< is how it begins? `<<<<<<<`\n"


@pytest.mark.parametrize(
    "text", ["", "# wine\n", "---\n---\n# wine\n", "---\n# nothing yet\n---\n", GOOD.replace("<<<<<<< is", "< is")]
)
def test_a_card_of_any_words_is_in_order(text: str) -> None:
    check_card(text.encode(), "cards/1.md")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff\xfe", r"^cards/1\.md is not text in UTF-8"),
        (b"---\nlicense: [\n---\n# x\n", r"^cards/1\.md: line \d: the front matter is no YAML: "),
        (b"---\na: 1\nb: c: d\n---\n", r"line 3: the front matter is no YAML"),
        (b"---\nwhen: 2026-13-45\n---\n", r"the front matter is no YAML"),
        (b"---\n- a\n---\n", r"line 2: the front matter holds no 'key: value' lines"),
        (b"---\nlicense: mit\n# wine\n", r"line 1: the front matter has no end"),
        (b"# wine\n\n<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n", r"line 3: a merge left its mark <<<<<<<"),
        (b"a\r\n>>>>>>> theirs\r\n", r"line 2: a merge left its mark >>>>>>>"),
        (b"---\n" + b"[" * 20_000 + b"\n---\n", r"the front matter is no YAML"),
    ],
)
def test_what_keeps_readers_from_a_card_is_named(data: bytes, said: str) -> None:
    with pytest.raises(DamagedError, match=said):
        check_card(data, "cards/1.md")
