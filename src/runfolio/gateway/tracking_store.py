"""The tracking store that MLflow loads for ``runfolio:`` URIs: experiments and runs of a folio."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mlflow import entities as theirs
from mlflow.store.entities.paged_list import PagedList
from mlflow.store.tracking.abstract_store import AbstractStore

from runfolio.errors import UsageError
from runfolio.gateway import shapes
from runfolio.gateway.addresses import PROXY, Addresses, folio_of
from runfolio.gateway.faults import translates
from runfolio.gateway.logged_models import LoggedModels
from runfolio.gateway.model_facts import MetricUse, RunModels
from runfolio.gateway.provided import claims_of
from runfolio.gateway.refused import TRACKING, refuses
from runfolio.gateway.repeated import Repeated
from runfolio.gateway.run_models import ModelBook
from runfolio.gateway.serving_folio import keep_committing
from runfolio.records import Run
from runfolio.tracking import entities as ours
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.model_logging import add_to_history
from runfolio.tracking.names import artifact_uri
from runfolio.tracking.searching import find_runs
from runfolio.tracking.starting import start_live

HISTORY_PAGE = 25_000
MAX_SUMMARIES = 1000


@refuses(TRACKING)
@translates
class RunfolioStore(LoggedModels, AbstractStore):  # type: ignore[misc]  # MLflow's classes are not typed
    """Experiments and runs of a folio, as MLflow's tracking store.

    Parameters
    ----------
    store_uri : str
        ``runfolio:///path/to/folio``.
    artifact_uri : str, optional
        ``mlflow-artifacts:/`` where an MLflow server asks: clients then send and fetch files through it, and what started a
        run is not this process.
    """

    def __init__(self, store_uri: str, artifact_uri: str | None = None) -> None:
        super().__init__()
        folio = folio_of(store_uri)
        self.client = RunfolioClient(folio or None)
        self.serves = bool(artifact_uri and artifact_uri.startswith(f"{PROXY}:"))
        self.book = ModelBook(self.client)
        self.repeated = Repeated(self.client.get_metric_history)
        if self.serves:
            keep_committing(self.client._session())

    @property
    def addresses(self) -> Addresses:
        """Makes addresses of what lies in the folio."""
        return Addresses(str(self.client._session().location), self.serves)

    # Experiments

    def create_experiment(self, name: str, artifact_location: str | None = None, tags: Sequence[Any] | None = None) -> str:
        """Make an experiment; artifacts lie in the folio's object store whatever `artifact_location` says."""
        return self.client.create_experiment(name, artifact_location, {tag.key: tag.value for tag in tags or ()})

    def get_experiment(self, experiment_id: str) -> Any:
        """Return an experiment."""
        return shapes.experiment(self.client.get_experiment(experiment_id), self.addresses)

    def get_experiment_by_name(self, experiment_name: str) -> Any:
        """Return an experiment by its name, or None."""
        found = self.client.get_experiment_by_name(experiment_name)
        return shapes.experiment(found, self.addresses) if found else None

    def search_experiments(
        self,
        view_type: int = theirs.ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Any:
        """Search experiments."""
        found = self.client.search_experiments(view_type, max_results, filter_string, order_by, page_token)
        return PagedList([shapes.experiment(item, self.addresses) for item in found], found.token)

    def delete_experiment(self, experiment_id: str) -> None:
        """Hide an experiment and its runs."""
        self.client.delete_experiment(experiment_id)

    def restore_experiment(self, experiment_id: str) -> None:
        """Bring a deleted experiment back."""
        self.client.restore_experiment(experiment_id)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        """Give an experiment another name."""
        self.client.rename_experiment(experiment_id, new_name)

    def set_experiment_tag(self, experiment_id: str, tag: Any) -> None:
        """Set a tag of an experiment."""
        self.client.set_experiment_tag(experiment_id, tag.key, tag.value)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Take a tag of an experiment away."""
        self.client.delete_experiment_tag(experiment_id, key)

    # Runs

    def create_run(self, experiment_id: str, user_id: str, start_time: int, tags: Sequence[Any], run_name: str | None) -> Any:
        """Start a run.

        In a client's process what started it is captured as for any run; for a server's clients it is what MLflow says of it.
        """
        said = {tag.key: tag.value for tag in tags or ()}
        given, claims = claims_of(said, user_id, captured=not self.serves)
        live = start_live(
            self.client._session(),
            self.client._experiment(experiment_id),
            name=run_name or None,
            tags=given,
            start=start_time or None,
            capture=not self.serves,
            claims=claims,
        )
        return self.get_run(live.run_id)

    def get_run(self, run_id: str) -> Any:
        """Return a run as it is now; no git process is started."""
        return self._shown(self.client._session().folio.runs.get(run_id))

    def _shown(self, record: Run, experiment_id: str | None = None) -> Any:
        if experiment_id is None:
            entity = self.client.get_run(record.run_id)
        else:
            entity = ours.run_entity(record, experiment_id, artifact_uri(record.run_id))
        models = self.book.of_run(record)
        return shapes.run(entity, self._points(record, models), self.addresses, models)

    def _points(self, record: Run, models: RunModels) -> list[Any]:
        of = {use.key: use for use in models.metrics}
        return [
            shapes.metric(key, item.last, item.timestamp, item.step, record.run_id, **_use(of.get(key)))
            for key, item in record.metrics.items()
        ]

    def update_run_info(
        self, run_id: str, run_status: int | None = None, end_time: int | None = None, run_name: str | None = None
    ) -> Any:
        """Change a run's status, end or name."""
        if run_name:
            self.client.update_run(run_id, name=run_name)
        if run_status is not None:
            status = theirs.RunStatus.to_string(run_status)
            before = self.client.get_run(run_id).info
            if status != before.status or (end_time is not None and end_time != before.end_time):
                self.client._status(run_id, status, end_time)
        return shapes.run_info(self.client.get_run(run_id).info, self.addresses)

    def delete_run(self, run_id: str) -> None:
        """Hide a run."""
        self.client.delete_run(run_id)

    def restore_run(self, run_id: str) -> None:
        """Bring a deleted run back."""
        self.client.restore_run(run_id)

    def _search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str,
        run_view_type: int,
        max_results: int,
        order_by: Sequence[str] | None,
        page_token: str | None,
    ) -> tuple[list[Any], str | None]:
        folio = self.client._session().folio
        found = find_runs(folio, experiment_ids, filter_string, run_view_type, max_results, order_by, page_token)
        return [self._shown(record, experiment_id) for record, experiment_id in found], found.token

    # What runs log

    def log_batch(self, run_id: str, metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any]) -> None:
        """Log metrics, params and tags: valid ones all, or none."""
        fresh = self.repeated.fresh(run_id, metrics or ())
        self.client.log_batch(run_id, fresh, params or (), tags or ())
        self.repeated.logged(run_id, fresh)
        named = next((tag.value for tag in tags or () if tag.key == "mlflow.runName"), None)
        if named:
            self.client.update_run(run_id, name=named)
        self._measured(run_id, metrics or ())

    def log_metric(self, run_id: str, metric: Any) -> None:
        """Log one point of a metric; the same point again is the same point."""
        for item in self.repeated.fresh(run_id, (metric,)):
            self.client.log_metric(run_id, item.key, item.value, item.timestamp, item.step)
            self.repeated.logged(run_id, (item,))
        self._measured(run_id, (metric,))

    def log_param(self, run_id: str, param: Any) -> None:
        """Log a param."""
        self.client.log_param(run_id, param.key, param.value)

    def set_tag(self, run_id: str, tag: Any) -> None:
        """Set a tag."""
        if tag.key == "mlflow.runName":
            self.client.update_run(run_id, name=tag.value)
        else:
            self.client.set_tag(run_id, tag.key, tag.value)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Take a tag away."""
        self.client.delete_tag(run_id, key)

    def _measured(self, run_id: str, metrics: Iterable[Any]) -> None:
        uses = [
            MetricUse(item.model_id, item.key, item.dataset_name or "", item.dataset_digest or "")
            for item in metrics
            if getattr(item, "model_id", None)
        ]
        if uses:
            self.book.use(run_id, uses)

    def get_metric_history(
        self, run_id: str, metric_key: str, max_results: int | None = None, page_token: str | None = None
    ) -> Any:
        """Return the points of a metric, in the order in which they were logged; all of them, unless `max_results` is given."""
        start = _offset(page_token)
        record = self.client._session().folio.runs.get(run_id)
        of = {use.key: use for use in self.book.of_run(record).metrics}.get(metric_key)
        points = self.client.get_metric_history(run_id, metric_key)
        size = max_results or (HISTORY_PAGE if page_token else len(points))
        page = points[start : start + size]
        more = str(start + size) if start + size < len(points) else None
        made = [shapes.metric(item.key, item.value, item.timestamp, item.step, run_id, **_use(of)) for item in page]
        return PagedList(made, more)

    def log_inputs(self, run_id: str, datasets: Sequence[Any] | None = None, models: Sequence[Any] | None = None) -> None:
        """Log datasets, and models, that a run read."""
        self.client.log_inputs(run_id, datasets or ())
        self._log_model_inputs(run_id, models or ())

    def record_logged_model(self, run_id: str, mlflow_model: Any) -> None:
        """Add a model to the list that MLflow 2 keeps in a tag of its run."""
        add_to_history(self.client, run_id, mlflow_model.get_tags_dict())

    def _search_datasets(self, experiment_ids: Sequence[str]) -> list[Any]:
        """Return which datasets the runs of some experiments read; MLflow's pages ask for it."""
        from mlflow.entities import _DatasetSummary

        found = find_runs(self.client._session().folio, experiment_ids, "", theirs.ViewType.ACTIVE_ONLY, 50_000, None, None)
        seen = {
            (experiment_id, item.name, item.digest, item.context or "")
            for record, experiment_id in found
            for item in record.inputs
        }
        return [
            shapes.make(_DatasetSummary, experiment_id=experiment_id, name=name, digest=digest, context=context)
            for experiment_id, name, digest, context in sorted(seen)[:MAX_SUMMARIES]
        ]

    # What a folio keeps none of; what it refuses stands in runfolio.gateway.refused

    def search_datasets(self, *_: Any, **__: Any) -> Any:
        """Return no evaluation datasets: a folio keeps none."""
        return PagedList([], None)

    def search_traces(self, *_: Any, **__: Any) -> tuple[list[Any], None]:
        """Return no traces: a folio keeps none."""
        return [], None


def _use(use: MetricUse | None) -> Mapping[str, Any]:
    if use is None:
        return {}
    return {"model_id": use.model_id, "dataset_name": use.dataset or None, "dataset_digest": use.digest or None}


def _offset(token: str | None) -> int:
    if not token:
        return 0
    if not token.isdigit():
        raise UsageError(f"Invalid page token {token!r}. Pass the token of the page before.")
    return int(token)
