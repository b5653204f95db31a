"""Promotion: a version put into a stage, on the branch at hand or on a branch of its own that is ready for a pull request."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runfolio._dataclass import dataclass
from runfolio.errors import AlreadyExistsError, StateError
from runfolio.folio.committing import commit_on
from runfolio.folio.folio import Folio
from runfolio.folio.lock import WAIT_S, locked
from runfolio.folio.place import short
from runfolio.gitstore import FileChange
from runfolio.policy import waive
from runfolio.records.models import ARCHIVED, NO_STAGE, ModelVersion, RegisteredModel, Waiver
from runfolio.records.visible import visible

Changes = Callable[[str | None], list[FileChange]]


@dataclass(frozen=True, slots=True)
class Promotion:
    """A version that is to go into a stage, or out of its stage.

    Parameters
    ----------
    model : str
    version : int
    stage : str
        ``"None"``: out of its stage.
    others : str
        What becomes of the versions that are in the stage now: ``"retire"`` (in no stage any more), ``"archive"`` (into
        ``Archived``) or ``"keep"`` (beside it).
    """

    model: str
    version: int
    stage: str
    others: str = "retire"

    @property
    def subject(self) -> str:
        """The first line of the commit's message, after ``models:``."""
        if self.stage == NO_STAGE:
            return f"demote {visible(self.model)} {self.version}"
        return f"promote {visible(self.model)} {self.version} to {self.stage}"

    def apply(self, model: RegisteredModel, exclusive: tuple[str, ...] = ()) -> RegisteredModel:
        """Return the model after the promotion.

        Raises
        ------
        StateError
            If nothing would change, or two versions would be in an exclusive stage.
        """
        moves = {"retire": NO_STAGE, "archive": ARCHIVED, "keep": None}[self.others]
        after = model.with_stage(self.version, self.stage, archive=None if self.stage == NO_STAGE else moves)
        if after == model:
            where = "in no stage" if self.stage == NO_STAGE else f"in {self.stage}"
            raise StateError(f"Version {self.version} of {self.model!r} is {where} already; there is nothing to do.")
        if self.stage in exclusive and len(after.stages.get(self.stage, ())) > 1:
            raise StateError(f"{self.stage} holds one version at most (registry.exclusive in runfolio.yaml). Leave --keep away.")
        return after


def promote(
    folio: Folio, promotion: Promotion, *, waivers: Sequence[Waiver] = (), body: str = "", branch: str | None = None
) -> RegisteredModel:
    """Commit a promotion.

    Parameters
    ----------
    folio : Folio
    promotion : Promotion
    waivers : sequence of Waiver, optional
        Written into the version's file by the same commit.
    body : str, optional
        Of the commit's message.
    branch : str, optional
        Name of a new branch for it; the branch at hand by default.

    Returns
    -------
    RegisteredModel
        As it is after the promotion.

    Raises
    ------
    NotFoundError
        If there is no such model or version.
    StateError
        If nothing would change.
    AlreadyExistsError
        If there is a branch of that name.
    """

    def edit(model: RegisteredModel) -> RegisteredModel:
        folio.models.version(model, promotion.version)
        return promotion.apply(model, folio.settings.registry.exclusive)

    def commit_there(change: Changes, message: Callable[[], str]) -> None:
        assert branch is not None
        commit_on_new_branch(folio, branch, change, message)

    def waived(version: ModelVersion) -> ModelVersion:
        for waiver in waivers:
            version = waive(version, waiver)
        return version

    return folio.models.edit(
        promotion.model,
        promotion.subject,
        edit,
        version=(promotion.version, waived) if waivers else None,
        body=body,
        commit=commit_there if branch else None,
    )


def commit_on_new_branch(folio: Folio, branch: str, change: Changes, message: str | Callable[[], str]) -> None:
    """Commit a change of records on a new branch that starts at the folio's tip; nothing is checked out.

    Raises
    ------
    AlreadyExistsError
        If there is a branch of that name.
    StateError
        If the name can be none, or the folio has no commit yet.
    """
    place, tip = folio.place, folio.place.tip()
    name = f"refs/heads/{branch}"
    if not place.repo.succeeds("check-ref-format", name):
        raise StateError(f"{branch!r} cannot name a branch. Choose another with --branch.")
    if tip is None:
        raise StateError("There is no commit yet to start a branch from. Commit the folio first.")
    with locked(place.repo.own_folder, WAIT_S):
        if place.repo.resolve(name) is not None or not place.repo.update_ref(name, tip, None, "runfolio: branch"):
            raise AlreadyExistsError(
                f"There is a branch {branch!r} already, perhaps from an earlier try: git branch -D {branch}. Or choose another name: "
                "--branch NAME"
            )
        done = False
        try:
            done = commit_on(place, name, change, message)
        finally:
            if not done:
                place.repo.run("update-ref", "-d", name, tip, check=False)


def branch_of(promotion: Promotion, slug: str) -> str:
    """Return the name of the branch that proposes a promotion."""
    stage = promotion.stage.lower().replace(" ", "-")
    return f"promote/{slug}-{promotion.version}-{stage}" if promotion.stage != NO_STAGE else f"demote/{slug}-{promotion.version}"


def base_branch(folio: Folio) -> str:
    """Return the branch that a pull request goes to: the ledger, or the branch at hand."""
    branch = folio.place.branch_at_hand()
    if branch is None:
        raise StateError("HEAD is detached: check out the branch that the pull request is to go to.")
    return short(branch)
