"""gitstore/folders.py: a tree changed entry by entry is the tree that git would write."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runfolio.gitstore import folders
from runfolio.gitstore.folders import Folder, Line
from runfolio.gitstore.trees import Entry, format_tree

NAMES = st.sampled_from(
    ["1.yaml", "2.yaml", "10.yaml", "9.yaml", "01.yaml", "0.yaml", "1234567890.yaml", "a", "a.b", "a-", "x.yaml", ".yaml"]
)
STEPS = st.lists(st.dictionaries(NAMES, st.sampled_from(["100644", "40000", None]), max_size=6), max_size=6)


@pytest.mark.parametrize("some", [-1, 48], ids=["many at once", "one by one"])
@given(steps=STEPS)
def test_changes_give_the_bytes_and_numbers_of_the_whole_folder(some: int, steps: list[dict[str, str | None]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "_SOME", some)
        check_steps(steps)


def check_steps(steps: list[dict[str, str | None]]) -> None:
    folder, there = Folder(), dict[str, str]()
    for number, step in enumerate(steps):
        assert folder.numbers(b".yaml") == Folder.parse(folder.data()).numbers(b".yaml")
        oid = bytes([number]) * 20
        lines = {name.encode(): Line(mode.encode(), name.encode(), oid) if mode else None for name, mode in step.items()}
        folder = folder.changed(lines)
        for name, mode in step.items():
            there.pop(name, None)
            if mode:
                there[name] = f"{mode} {oid.hex()}"
    entries = [Entry(said.split()[0], name, said.split()[1]) for name, said in there.items()]
    assert folder.data() == format_tree(entries)
    files = [name for name, said in there.items() if said.startswith("100644")]
    assert folder.numbers(b".yaml") == sorted(
        int(name[:-5]) for name in files if name in ("1.yaml", "2.yaml", "9.yaml", "10.yaml")
    )
    for name, said in there.items():
        assert folder.get(name.encode()) == Line(said.split()[0].encode(), name.encode(), bytes.fromhex(said.split()[1]))
        below = folder.below(name.encode())
        assert below == (said.split()[1] if said.startswith("40000") else None)
    assert folder.names() == [line.name for line in map(folder.get, folder.names()) if line]
