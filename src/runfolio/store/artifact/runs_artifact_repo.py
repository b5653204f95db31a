"""Artifacts of a run, under the name that MLflow's scripts import: ``mlflow.store.artifact.runs_artifact_repo``.

>>> RunsArtifactRepository.parse_runs_uri("runs:/0192f0c4d7a27c3e8f0a1b2c3d4e5f60/model")
('0192f0c4d7a27c3e8f0a1b2c3d4e5f60', 'model')
"""

from runfolio.store.artifact.artifact_repo import ArtifactRepository
from runfolio.tracking.fetching import split_runs_uri


class RunsArtifactRepository(ArtifactRepository):
    """Artifacts below ``runs:/<run id>/<path>``."""

    @staticmethod
    def is_runs_uri(uri: str) -> bool:
        """Tell whether an address names artifacts of a run."""
        return str(uri).startswith("runs:/")

    @staticmethod
    def get_underlying_uri(runs_uri: str) -> str:
        """Return the address itself: there is no other below it, the bytes lie in the object store by digest."""
        split_runs_uri(runs_uri)
        return runs_uri

    @staticmethod
    def parse_runs_uri(run_uri: str) -> tuple[str, str]:
        """Return the run's id and the path."""
        return split_runs_uri(run_uri)
