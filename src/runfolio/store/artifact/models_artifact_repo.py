"""Files of a registered model, under the name that MLflow's scripts import: ``mlflow.store.artifact.models_artifact_repo``."""

from runfolio.store.artifact.artifact_repo import ArtifactRepository


class ModelsArtifactRepository(ArtifactRepository):
    """Files of ``models:/<name>/<number, stage or latest>`` or ``models:/<name>@<alias>``."""

    @staticmethod
    def is_models_uri(uri: str) -> bool:
        """Tell whether an address names a version of a registered model."""
        return str(uri).startswith("models:/")
