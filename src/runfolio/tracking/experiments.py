"""The client's verbs for experiments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio._dataclass import replace
from runfolio.errors import DeletedError, NotFoundError, StateError, UsageError
from runfolio.records import DEFAULT_EXPERIMENT_ID, Experiment, Lifecycle
from runfolio.records.names import MAX_EXPERIMENT_TAG_LENGTH, check_experiment_id, check_experiment_name, check_key
from runfolio.tracking import entities
from runfolio.tracking.session import Bound


class ExperimentVerbs(Bound):
    """Experiments by id; the client adds runs."""

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None) -> str:
        """Make an experiment and return its id.

        Raises
        ------
        AlreadyExistsError
            If one of that name is there, deleted or not.
        UsageError
            If the name is blank, too long or no text.

        Notes
        -----
        `artifact_location` is taken for MLflow's sake and not used, and that is said: artifacts lie in the folio's one object store,
        named by digest, and are read by the same calls wherever that is.
        """
        made = self._session().folio.experiments.create(name, checked_tags(tags or {})).experiment_id
        if artifact_location:
            self._session().say(
                f"experiment {name!r}: artifact_location={artifact_location!r} is not used. Artifacts lie in the folio's object store "
                "(runfolio.yaml: artifacts)."
            )
        return made

    def get_experiment(self, experiment_id: str) -> entities.Experiment:
        """Return an experiment by its id.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        return experiment_entity(self._found(experiment_id))

    def get_experiment_by_name(self, name: str) -> entities.Experiment | None:
        """Return an experiment by its name, or None."""
        found = self._session().folio.experiments.by_name(name)
        return experiment_entity(found) if found else None

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Give an experiment another name; its folder keeps the old one."""
        check_experiment_name(new_name)
        if self._found(experiment_id).lifecycle is Lifecycle.DELETED:
            raise DeletedError(f"The experiment {experiment_id} must be in the 'active' state. Restore it first.")
        self._session().folio.experiments.edit(str(experiment_id), "rename", name=new_name)

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        """Set a tag of an experiment."""
        made = checked_tags({key: value})
        if self._found(experiment_id).lifecycle is Lifecycle.DELETED:
            raise DeletedError(f"The experiment {experiment_id} must be in the 'active' state to set a tag. Restore it first.")
        self._session().folio.experiments.edit_with(
            str(experiment_id), "tag", lambda found: replace(found, tags={**found.tags, **made})
        )

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Take a tag of an experiment away."""
        if key not in self._found(experiment_id).tags:
            raise NotFoundError(f"No tag with name: {key} in experiment with id {experiment_id}")

        def edit(found: Experiment) -> Experiment:
            return replace(found, tags={name: value for name, value in found.tags.items() if name != key})

        self._session().folio.experiments.edit_with(str(experiment_id), "untag", edit)

    def delete_experiment(self, experiment_id: str) -> None:
        """Hide an experiment and its runs; :meth:`restore_experiment` brings both back."""
        if str(experiment_id) == DEFAULT_EXPERIMENT_ID:
            raise StateError("The default experiment cannot be deleted: runs without an experiment go there.")
        self._set_life(experiment_id, Lifecycle.DELETED, "delete")

    def restore_experiment(self, experiment_id: str) -> None:
        """Bring a deleted experiment back."""
        self._set_life(experiment_id, Lifecycle.ACTIVE, "restore")

    def _set_life(self, experiment_id: str, lifecycle: Lifecycle, verb: str) -> None:
        if self._found(experiment_id).lifecycle is lifecycle:
            raise NotFoundError(f"The experiment {experiment_id} is {lifecycle.value} already; there is nothing to {verb}.")
        self._session().folio.experiments.edit(str(experiment_id), verb, lifecycle=lifecycle)

    def _found(self, experiment_id: str) -> Experiment:
        text = check_experiment_id(experiment_id)
        found = self._session().folio.experiments.by_id(text)
        if found is None:
            raise NotFoundError(f"No Experiment with id={text} exists. List them: runfolio experiments list --all")
        return found


def experiment_entity(record: Experiment) -> entities.Experiment:
    """Return an experiment as the API shows it."""
    return entities.experiment_entity(record, f"experiments:/{record.experiment_id}")


def checked_tags(tags: Mapping[str, Any]) -> dict[str, str]:
    """Return tags of an experiment as text.

    Raises
    ------
    UsageError
        If a key cannot name a tag, or a value is too long.
    """
    made = {}
    for key, value in tags.items():
        check_key(key, "tag")
        text = str(value)
        if len(text) > MAX_EXPERIMENT_TAG_LENGTH:
            raise UsageError(
                f"The tag {key!r} has {len(text)} characters; {MAX_EXPERIMENT_TAG_LENGTH} are the most for an experiment."
            )
        made[key] = text
    return made
