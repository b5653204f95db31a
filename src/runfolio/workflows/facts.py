"""What workflows need to know of a folio."""

from __future__ import annotations

from runfolio._dataclass import dataclass
from runfolio._version import __version__
from runfolio.errors import UsageError
from runfolio.folio import Folio
from runfolio.gitstore import Repo
from runfolio.records.settings import TrainingSettings

_CLOUDS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "az": "azure", "azure": "azure", "abfs": "azure", "abfss": "azure"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What workflows need to know of a folio.

    Parameters
    ----------
    branch : str
        The branch that pull requests are merged into.
    folder : str
        The folio's folder in the repository; empty for its root.
    ledger : str or None
        The branch of the records, where it is one of their own.
    cloud : str or None
        Whose credentials the artifacts need: ``s3``, ``gcs``, ``azure``, or ``fsspec`` for other buckets.
    version : str
        Of runfolio, which the workflows install.
    training : TrainingSettings or None
        What trains in CI; None where nothing does.
    """

    branch: str = "main"
    folder: str = ""
    ledger: str | None = None
    cloud: str | None = None
    version: str = __version__
    training: TrainingSettings | None = None

    @property
    def requirement(self) -> str:
        """What pip installs."""
        extras = ["site", *([self.cloud] if self.cloud else [])]
        return f"runfolio[{','.join(sorted(extras))}]=={self.version}"


def facts_of(folio: Folio, branch: str | None = None) -> Facts:
    """Read the facts of a folio.

    Parameters
    ----------
    folio : Folio
    branch : str, optional
        The branch that pull requests are merged into; by default the remote's, else the one at hand, else ``main``.

    Raises
    ------
    UsageError
        If a branch or folder has a name that cannot stand in a workflow.
    """
    place = folio.place
    made = Facts(
        branch or _default_branch(folio.repo, place.settings.remote),
        place.prefix.rstrip("/"),
        place.settings.records.branch,
        _cloud(folio),
        training=place.settings.training if place.settings.training.command.strip() else None,
    )
    for text in (made.branch, made.folder, made.ledger or ""):
        # In YAML, in shell and in patterns of branches at once: plain names only.
        if not all(letter.isalnum() or letter in "-_./+" for letter in text) or text.startswith("-"):
            raise UsageError(
                f"{text!r} cannot stand in a workflow: use letters, digits and - _ . / + in names of branches and folders."
            )
    return made


def _default_branch(repo: Repo, remote: str) -> str:
    head = repo.run("symbolic-ref", "--quiet", f"refs/remotes/{remote}/HEAD", check=False).decode("utf-8", "replace").strip()
    if head:
        return head.removeprefix(f"refs/remotes/{remote}/")
    return (repo.head_branch() or "refs/heads/main").removeprefix("refs/heads/")


def _cloud(folio: Folio) -> str | None:
    from runfolio.objects import is_bucket

    place = folio.settings.artifacts
    if not place or not is_bucket(place):
        return None
    return _CLOUDS.get(place.partition(":")[0].lower(), "fsspec")
