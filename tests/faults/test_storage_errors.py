"""What the file system refuses inside a verb is an error of ours, and nothing else is touched."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from runfolio.errors import DamagedError, StorageError, storage_errors


def as_block(action: Callable[[], object]) -> None:
    with storage_errors("keep it"):
        action()


def as_body(action: Callable[[], object]) -> None:
    storage_errors("keep it")(action)()


BOTH = pytest.mark.parametrize("inside", [as_block, as_body])


@BOTH
def test_what_the_file_system_refuses_is_told_with_its_remedy(inside: Callable[[Callable[[], object]], None]) -> None:
    def refuse() -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/full")

    with pytest.raises(StorageError, match=r"Could not keep it \(/full\): No space left on device\. ") as caught:
        inside(refuse)
    assert (caught.value.errno, type(caught.value.__cause__)) == (errno.ENOSPC, OSError)


@BOTH
@pytest.mark.parametrize("kind", [StorageError, DamagedError, KeyError, KeyboardInterrupt])
def test_any_other_error_passes_as_it_is(inside: Callable[[Callable[[], object]], None], kind: type[BaseException]) -> None:
    error = kind("as it is")

    def fail() -> None:
        raise error

    with pytest.raises(kind) as caught:
        inside(fail)
    assert caught.value is error


def test_a_function_keeps_its_name_its_arguments_and_what_it_returns() -> None:
    @storage_errors("add")
    def added(one: int, *, other: int) -> int:
        """Add."""
        return one + other

    assert (added(1, other=2), added.__name__, added.__doc__) == (3, "added", "Add.")
