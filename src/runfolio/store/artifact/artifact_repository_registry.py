"""``get_artifact_repository``, under the name that MLflow's scripts import."""

from runfolio.store.artifact.artifact_repo import ArtifactRepository
from runfolio.store.artifact.models_artifact_repo import ModelsArtifactRepository
from runfolio.store.artifact.runs_artifact_repo import RunsArtifactRepository


def get_artifact_repository(artifact_uri: str) -> ArtifactRepository:
    """Return the artifacts below an address."""
    if ModelsArtifactRepository.is_models_uri(artifact_uri):
        return ModelsArtifactRepository(artifact_uri)
    return RunsArtifactRepository(artifact_uri)
