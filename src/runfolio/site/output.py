"""The site's folder: writes what is stale, keeps the rest, removes what the plan no longer has.

Invariants:

- A file appears whole or not at all (written beside, then renamed), and is not touched where its bytes are the same.
- Only files that an earlier build of ours wrote are ever removed; a folder that holds something else is refused.
- The memory of the last build, ``.runfolio-build.json``, is written last: a build that was killed is simply done again, and what
  it left in our folders is removed by the next one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass, field
from runfolio.site.memory import MEMORY, NOTHING, VERSION, Made, Memory, read_memory
from runfolio.site.parallel import in_processes
from runfolio.site.plan import Data, Page
from runfolio.site.spelling import compact, in_order


@dataclass(slots=True)
class Output:
    """A site's folder during one build.

    Parameters
    ----------
    folder : Path
    jobs : int
    force : bool
        Make every file again.
    salt : str
        What every file depends on.
    """

    folder: Path
    jobs: int = 1
    force: bool = False
    salt: str = ""
    rendered: int = 0
    kept: int = 0
    made: dict[str, Made] = field(default_factory=dict)
    _before: dict[str, Made] = field(default_factory=dict)
    _folders: set[Path] = field(default_factory=set)
    _last: Memory = NOTHING

    def open(self) -> None:
        """Read what the last build left.

        Raises
        ------
        StateError
            If the folder holds something that no build of ours wrote.
        """
        self._last = read_memory(self.folder)
        self._before = dict(self._last.files)

    def begin(self) -> None:
        """Write down that a build has begun, so that the folder is known for ours should the process be killed."""
        self._remember("", self._before, unfinished=True)

    def is_current(self, state: str) -> bool:
        """Tell whether the last build made just this, and its files are all there."""
        return not self.force and self._last.is_current(self.folder, state)

    def keep_all(self) -> None:
        """Keep the files of the last build."""
        self.made, self.kept = dict(self._before), len(self._before)

    def is_stale(self, item: Page | Data) -> bool:
        """Tell whether a file must be made."""
        return self._kept(item)[1] is None

    def _kept(self, item: Page | Data) -> tuple[str, Made | None]:
        """Return the key of a file's inputs, and the file that the last build left if it is still good."""
        inputs = item.inputs if isinstance(item.inputs, bytes) else item.inputs.encode("utf-8", "surrogatepass")
        key = hashlib.sha256(self.salt.encode() + b"\0" + inputs).hexdigest()[:32]
        before = None if self.force else self._before.get(item.path if isinstance(item, Page) else item.name)
        return key, before if before is not None and before.key == key and before.is_there(self.folder) else None

    def write(self, files: Sequence[Page | Data], progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Make the files that are stale.

        Parameters
        ----------
        files : sequence of Page or Data
        progress : callable, optional
            Called with how many of the stale ones are made, and how many there are.
        """
        stale: list[tuple[str, str, Page | Data]] = []
        for item in files:
            name = item.path if isinstance(item, Page) else item.name
            if name in self.made:
                raise ValueError(f"two files of the site are called {name!r}")
            key, before = self._kept(item)
            if before is not None:
                self.made[name] = before
                self.kept += 1
            else:
                stale.append((name, key, item))
                self.made[name] = Made(key, "", 0, "")
        for (name, *_), made in zip(stale, in_processes(self._make, stale, self.jobs, progress), strict=True):
            self.made[name] = Made(*made)
            self.rendered += 1

    def path(self, name: str) -> str:
        """Return the path of a data file, from the site's root."""
        return self.made[name].path

    def facts(self, name: str) -> object:
        """Return what a data file's ``render`` said about it."""
        return self.made[name].facts

    def last_facts(self, name: str) -> object:
        """Return what was said about a data file by the last build; None where it had none."""
        before = None if self.force else self._before.get(name)
        return before.facts if before else None

    def last_bytes(self, name: str) -> bytes | None:
        """Return a data file as the last build left it; None where there is none."""
        before = None if self.force else self._before.get(name)
        return (self.folder / before.path).read_bytes() if before is not None and before.is_there(self.folder) else None

    def salted(self, inputs: str) -> str:
        """Return a digest of inputs and of what every file depends on."""
        return hashlib.sha256(f"{self.salt}\0{inputs}".encode()).hexdigest()[:32]

    def finish(self, state: str, told: Mapping[str, int] | None = None) -> int:
        """Remove what the plan no longer has, and remember the rest.

        Parameters
        ----------
        state : str
            Digest of all that the site depends on.
        told : Mapping of str to int, optional
            What a build with nothing new says of the site.

        Returns
        -------
        int
            Files removed.
        """
        now = {made.path for made in self.made.values()}
        gone = {made.path for made in self._before.values()} - now
        if self._last.unfinished:
            gone |= self._left_over(now)
        for path in sorted(gone):
            self._remove(path)
        self._remember(state, self.made, told)
        return len(gone)

    def _left_over(self, now: set[str]) -> set[str]:
        """Return what a build that was killed wrote into the folders that are ours alone."""
        ours = {path.partition("/")[0] for path in now if "/" in path}
        files = (path for name in ours for path in (self.folder / name).rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix() for path in files} - now

    def _remember(
        self, state: str, made: Mapping[str, Made], told: Mapping[str, int] | None = None, *, unfinished: bool = False
    ) -> None:
        files = {name: list(item) for name, item in sorted(made.items())}
        held: dict[str, object] = {"version": VERSION, "state": state, "files": files}
        if unfinished:
            held["unfinished"] = True
        elif told:
            held["told"] = dict(told)
        _write(self.folder / MEMORY, compact(held).encode(), self._folders)

    @property
    def told(self) -> Mapping[str, int]:
        """What the last build said of itself."""
        return self._last.told

    def total(self) -> int:
        """Return the bytes of the whole site."""
        return sum(made.size for made in self.made.values())

    def _make(self, item: tuple[str, str, Page | Data]) -> list[Any]:
        _, key, file = item
        facts: object = None
        if isinstance(file, Page):
            data, path = file.render(), file.path
            digest = hashlib.sha256(data).hexdigest()
        else:
            data, facts = file.render()
            digest = hashlib.sha256(data).hexdigest()
            path = f"{file.name}.{digest[:8]}{file.ending}"
        before = self._before.get(file.path if isinstance(file, Page) else file.name)
        if before is None or before.path != path or before.digest != digest or not before.is_there(self.folder):
            _write(self.folder / path, data, self._folders)
        return [key, path, len(data), digest, facts]

    def _remove(self, path: str) -> None:
        target = self.folder / path
        target.unlink(missing_ok=True)
        for parent in target.relative_to(self.folder).parents:
            try:
                (self.folder / parent).rmdir() if str(parent) != "." else None
            except OSError:
                return  # not empty


def digest_of(parts: Iterable[bytes]) -> str:
    """Return one digest of many parts, each told from the next by its length."""
    made = hashlib.sha256()
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.hexdigest()


def canonical(value: Mapping[str, object] | Sequence[object]) -> str:
    """Spell JSON values in one way, for the inputs of a file."""
    return in_order(value)


def _write(path: Path, data: bytes, made: set[Path]) -> None:
    if path.parent not in made:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.add(path.parent)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(beside, "wb") as file:
            file.write(data)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
