"""Everything that can go wrong, on one page.

Every error that a user can cause or meet is a :class:`RunfolioError`: *what happened, where (file and field),
what to do*. The command line shows such an error bare and leaves with its ``exit_code``; any other exception is a
bug of ours (exit code 3, with a report ready to paste).

Each class also carries ``error_code``, MLflow's name for the same condition, so that scripts which look at
``exception.error_code`` go on working.

Exit codes
----------
====  ==========================================================================================
code  meaning
====  ==========================================================================================
0     done
1     findings or differences (``check``, ``diff``, ``doctor``, ``recover`` with something left)
2     usage: a wrong option, argument, filter or name
3     a bug in runfolio
10    not a folio, or not a git repository
11    no such run, experiment or artifact
12    already exists, or conflicts with what is there
13    the folio refuses the change in its present state (detached HEAD, merge under way, deleted run)
14    a record, series or object is damaged
15    written by a newer runfolio
16    the storage failed (disk full, read-only folder, permission)
17    git failed, or is too old
18    busy: a lock was not freed in time
19    the remote refused, or could not be reached
20    an optional package is missing
21    an environment could not be made
22    a run could not be made again (``reproduce``)
130   interrupted (Ctrl-C)
141   what read the output (``head``) had enough
====  ==========================================================================================
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import wraps
from types import TracebackType

from runfolio._typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

EXIT_DONE = 0
EXIT_FINDINGS = 1
EXIT_USAGE = 2
EXIT_BUG = 3


class RunfolioError(Exception):
    """An error that a user can understand and act on.

    Parameters
    ----------
    message : str
        What happened, where, and what to do about it.
    error_code : str, optional
        Another code than the class's, as scripts for MLflow raise ``MlflowException``.
    """

    exit_code: int = EXIT_FINDINGS
    error_code: str = "INTERNAL_ERROR"

    def __init__(self, message: str, error_code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if error_code is not None:
            self.error_code = error_code

    @classmethod
    def invalid_parameter_value(cls, message: str) -> RunfolioError:
        """Make the error of a wrong value: MLflow's name for it."""
        return UsageError(message)


class UsageError(RunfolioError, ValueError):
    """A wrong name, value, filter or option."""

    exit_code = EXIT_USAGE
    error_code = "INVALID_PARAMETER_VALUE"


class NotAFolioError(RunfolioError):
    """The place holds no folio, or no git repository."""

    exit_code = 10
    error_code = "RESOURCE_DOES_NOT_EXIST"


class NotFoundError(RunfolioError, LookupError):
    """No run, experiment, artifact, revision of that name."""

    exit_code = 11
    error_code = "RESOURCE_DOES_NOT_EXIST"


class AlreadyExistsError(RunfolioError):
    """Something of that name is there already."""

    exit_code = 12
    error_code = "RESOURCE_ALREADY_EXISTS"


class StateError(RunfolioError):
    """The folio, its repository or the run is in a state that refuses the change."""

    exit_code = 13
    error_code = "INVALID_STATE"


class DeletedError(StateError, ValueError):
    """The run or experiment is deleted; restore it first."""

    error_code = "INVALID_PARAMETER_VALUE"


class DamagedError(RunfolioError):
    """A record, series or object does not hold what it should."""

    exit_code = 14
    error_code = "INTERNAL_ERROR"


class NewerSchemaError(DamagedError):
    """The record was written by a newer runfolio than this one."""

    exit_code = 15
    error_code = "NOT_IMPLEMENTED"


class StorageError(RunfolioError, OSError):
    """The file system refused: disk full, read-only, permission denied."""

    exit_code = 16
    error_code = "INTERNAL_ERROR"

    def __str__(self) -> str:
        # OSError's own would say "[Errno 28] None" once errno is set.
        return self.message


class GitError(RunfolioError):
    """A git command failed, or git is missing or too old."""

    exit_code = 17
    error_code = "INTERNAL_ERROR"


class BusyError(RunfolioError):
    """Another process held a lock for longer than we wait."""

    exit_code = 18
    error_code = "TEMPORARILY_UNAVAILABLE"


class RemoteError(GitError):
    """The remote could not be reached, or refused."""

    exit_code = 19
    error_code = "TEMPORARILY_UNAVAILABLE"


class ModelValidationFailedError(RunfolioError):
    """A model misses a threshold that an evaluation was asked to check; MLflow's ``ModelValidationFailedException``."""

    error_code = "BAD_REQUEST"


class MissingPackageError(RunfolioError, ImportError):
    """An optional package is not installed; the message names the exact pip command."""

    exit_code = 20
    error_code = "NOT_IMPLEMENTED"

    def __init__(self, message: str, *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class OtherVersionWarning(UserWarning):
    """A model was saved with another version of its framework, or of Python, than is installed here."""


def sentence(text: str) -> str:
    """Return a fault's text with the point that ends a sentence, unless it ends as a question.

    Examples
    --------
    >>> sentence("no such field"), sentence("did you mean 'params'?")
    ('no such field.', "did you mean 'params'?")
    """
    return text if text.endswith("?") else f"{text.rstrip('.')}."


def missing_package(package: str, extra: str, purpose: str) -> MissingPackageError:
    """Build the error for an optional package that is not installed.

    Parameters
    ----------
    package : str
        The distribution's name, as pip knows it.
    extra : str
        The extra of runfolio that brings it; empty if none does.
    purpose : str
        What it is needed for, as the end of the sentence "… is needed to".

    Returns
    -------
    MissingPackageError
    """
    command = f"pip install 'runfolio[{extra}]'" if extra else f"pip install {package}"
    return MissingPackageError(
        f"The package {package} is needed to {purpose}, and is not installed. Run: {command}", name=package
    )


STORAGE_REMEDIES = {
    errno.ENOSPC: "Free some space and try again; what was acknowledged is still there.",
    errno.EDQUOT: "Your quota is used up: free some space and try again.",
    errno.EFBIG: "The file may not grow further: raise the limit with ulimit -f, or free some space.",
    errno.EROFS: "The folder is read-only: make it writable, or log elsewhere with RUNFOLIO_SPOOL.",
    errno.EACCES: "You may not write there: check the folder's owner and mode.",
    errno.EPERM: "You may not write there: check the folder's owner and mode.",
    errno.EMFILE: "Too many files are open: close some runs, or raise the limit with ulimit -n.",
    errno.ENFILE: "The machine has too many files open: end some programs, or ask its administrator.",
    errno.EIO: "The disk reported an error: check the disk.",
    errno.ENOTDIR: "A part of the path is a file: name another place.",
    errno.EISDIR: "There is a folder of that name: name another place.",
    errno.ENAMETOOLONG: "The path is too long for this file system: choose a shorter name.",
    errno.ELOOP: "Links on the path point at each other: mend them, or name another place.",
}
"""What to do about each way in which a file system refuses."""


def storage_error(action: str, error: OSError) -> StorageError:
    """Say what the file system refused and what to do about it.

    Parameters
    ----------
    action : str
        What was being done, as in "write the journal of run 0192…".
    error : OSError
        What the system said.

    Returns
    -------
    StorageError
        With ``errno`` and ``filename`` kept.
    """
    remedy = STORAGE_REMEDIES.get(error.errno or 0, "Try again; what was acknowledged is still there.")
    where = f" ({error.filename})" if error.filename and str(error.filename) not in action else ""
    made = StorageError(f"Could not {action}{where}: {error.strerror or error}. {remedy}")
    made.errno, made.filename = error.errno, error.filename
    return made


class storage_errors:  # noqa: N801 - used as a verb, before a block or a function
    """Turn whatever the file system refuses inside into one of our errors; what is one already passes.

    For the border of a verb that reads and writes many files: each call may fail (no descriptor left, a disk that reports
    errors), and whoever called the verb catches errors of ours. A class, since a generator's context costs six times as much, and a
    run passes three of them.

    Parameters
    ----------
    action : str
        What is being done, as for :func:`storage_error`.
    """

    def __init__(self, action: str) -> None:
        self._action = action

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if isinstance(error, OSError) and not isinstance(error, RunfolioError):
            raise storage_error(self._action, error) from error

    def __call__(self, function: F) -> F:
        """Return a function whose whole body stands inside."""

        @wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except RunfolioError:
                raise
            except OSError as error:
                raise storage_error(self._action, error) from error

        return guarded  # type: ignore[return-value]
