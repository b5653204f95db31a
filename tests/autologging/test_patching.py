"""Functions replaced and put back, and modules that are waited for."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runfolio.autologging.importing import forget, when_imported
from runfolio.autologging.options import Options
from runfolio.autologging.patching import Patches


class Model:
    def fit(self, x: int, y: int = 0) -> list[Any]:
        """Fit it."""
        return ["fitted", x, y]

    @staticmethod
    def alone(x: int) -> int:
        return x

    @classmethod
    def kind(cls, x: int) -> str:
        return f"{cls.__name__} {x}"


def logged(original: Any, *args: Any, **kwargs: Any) -> list[Any]:
    return ["logged", original(*args, **kwargs)]


@pytest.fixture
def patches() -> Iterator[Patches]:
    made = Patches("example", Options())
    yield made
    made.undo()


def test_patched_method_looks_like_its_original(patches: Patches) -> None:
    before, signature = Model.fit, inspect.signature(Model.fit)
    patches.method(Model, "fit", logged)
    assert Model().fit(1, y=2) == ["logged", ["fitted", 1, 2]]
    assert (Model.fit.__name__, Model.fit.__doc__, inspect.signature(Model.fit)) == ("fit", "Fit it.", signature)
    patches.undo()
    assert Model.fit is before


@pytest.mark.parametrize("name", ["alone", "kind"])
def test_kind_of_method_is_kept(patches: Patches, name: str) -> None:
    before = vars(Model)[name]
    patches.method(Model, name, logged)
    assert getattr(Model, name)(3)[0] == getattr(Model(), name)(3)[0] == "logged"
    patches.undo()
    assert vars(Model)[name] is before


def test_patching_twice_is_patching_once(patches: Patches) -> None:
    patches.method(Model, "fit", logged)
    patches.method(Model, "fit", logged)
    assert Model().fit(1) == ["logged", ["fitted", 1, 0]]
    patches.undo()
    assert Model().fit(1) == ["fitted", 1, 0]


def test_method_that_is_inherited_is_left_to_its_own_class(patches: Patches) -> None:
    class Child(Model):
        pass

    patches.method(Child, "fit", logged)
    assert "fit" not in vars(Child)


def test_what_somebody_patched_over_ours_stays_and_ours_passes_on(patches: Patches, monkeypatch: pytest.MonkeyPatch) -> None:
    patches.method(Model, "fit", logged)
    ours = Model.fit
    monkeypatch.setattr(Model, "fit", lambda self, x: ["theirs", *ours(self, x)])
    patches.undo()
    assert Model().fit(1) == ["theirs", "fitted", 1, 0]
    monkeypatch.undo()
    assert Model().fit(1) == ["fitted", 1, 0]
    Model.fit = inspect.unwrap(ours)  # type: ignore[method-assign]


def test_classes_are_patched_whether_they_are_there_or_come_later(patches: Patches) -> None:
    class Base:
        seen: list[str] = []

        def __init_subclass__(cls, *, word: str = "", **kwargs: Any) -> None:
            Base.seen.append(word)

    class Early(Base):
        def fit(self) -> str:
            return "early"

    patches.subclasses(Base, lambda kind: patches.method(kind, "fit", logged))

    class Late(Early, word="late"):
        def fit(self) -> str:
            return "late"

    assert (Early().fit(), Late().fit(), Base.seen) == (["logged", "early"], ["logged", "late"], ["", "late"])
    patches.undo()

    class Last(Base):
        def fit(self) -> str:
            return "last"

    assert (Early().fit(), Late().fit(), Last().fit()) == ("early", "late", "last")


def test_function_is_replaced_wherever_it_stands_and_can_be_pickled(patches: Patches) -> None:
    module = sys.modules[__name__]
    before = module.logged
    patches.function((module, module), "logged", lambda original, *args: "replaced")
    try:
        assert module.logged(len, "a") == "replaced"  # type: ignore[comparison-overlap]
        assert pickle.loads(pickle.dumps(module.logged)) is module.logged
    finally:
        patches.undo()
    assert module.logged is before


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "waited_for_by_a_test"
    (tmp_path / name).mkdir()
    (tmp_path / name / "__init__.py").write_text(
        "LOADER = type(__loader__).__name__, type(__spec__.loader).__name__\nVALUE = 1\n"
    )
    (tmp_path / name / "inner.py").write_text("VALUE = 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield name
    for each in [each for each in sys.modules if each.startswith(name)]:
        del sys.modules[each]


def test_action_follows_the_import_once_and_nothing_of_it_stays(package: str) -> None:
    seen: list[Any] = []
    finders = list(sys.meta_path)
    when_imported(package, lambda module: seen.append(module.VALUE))
    when_imported(f"{package}.inner", lambda module: seen.append(module.VALUE))
    module = importlib.import_module(package)
    assert seen == [1]
    assert module.LOADER == ("SourceFileLoader", "SourceFileLoader") == (type(module.__loader__).__name__,) * 2
    importlib.import_module(f"{package}.inner")
    importlib.reload(module)
    assert seen == [1, 2]
    assert sys.meta_path == finders
    when_imported(package, lambda module: seen.append("at once"))
    assert seen[-1] == "at once"


def test_looking_for_a_module_imports_nothing_and_a_lazy_import_stays_lazy(package: str) -> None:
    seen: list[Any] = []
    action = lambda module: seen.append(module.VALUE)  # noqa: E731
    when_imported(package, action)
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.loader is not None and seen == []
    spec.loader = loader = importlib.util.LazyLoader(spec.loader)
    module = sys.modules[package] = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    assert seen == []
    assert module.VALUE == 1
    assert seen == [1]


def test_who_waits_no_longer_hears_nothing(package: str) -> None:
    seen: list[Any] = []
    finders = list(sys.meta_path)
    action = lambda module: seen.append(module)  # noqa: E731
    when_imported(package, action)
    forget(action)
    importlib.import_module(package)
    assert seen == [] and sys.meta_path == finders


def test_import_that_fails_fails_as_without_us_and_can_be_tried_again(package: str, tmp_path: Path) -> None:
    seen: list[Any] = []
    when_imported(f"{package}.broken", lambda module: seen.append(module.VALUE))
    (tmp_path / package / "broken.py").write_text("raise OSError('not today')\n")
    with pytest.raises(OSError, match="not today"):
        importlib.import_module(f"{package}.broken")
    (tmp_path / package / "broken.py").write_text("VALUE = 'mended, and longer'\n")
    importlib.invalidate_caches()
    importlib.import_module(f"{package}.broken")
    assert seen == ["mended, and longer"]


def test_threads_that_import_at_once_are_told_once(package: str) -> None:
    seen: list[Any] = []
    when_imported(package, seen.append)
    threads = [threading.Thread(target=importlib.import_module, args=(package,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1
