"""The signature of a model: what ``predict`` takes, gives, and its parameters; as it stands in ``MLmodel``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import DamagedError
from runfolio.flavors.schema import ParamSchema, Schema


@dataclass(frozen=True, slots=True)
class ModelSignature:
    """Inputs, outputs and parameters of a model; each None if it is not declared."""

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None

    def to_dict(self) -> dict[str, str | None]:
        """Return what ``MLmodel`` holds: each part as JSON text."""
        return {
            "inputs": self.inputs.to_json() if self.inputs else None,
            "outputs": self.outputs.to_json() if self.outputs else None,
            "params": self.params.to_json() if self.params else None,
        }

    @classmethod
    def from_dict(cls, signature_dict: Mapping[str, Any]) -> ModelSignature:
        """Read it from what ``MLmodel`` holds.

        Raises
        ------
        DamagedError
            Naming the field that does not hold what it should.
        """
        if not isinstance(signature_dict, Mapping):
            raise DamagedError("MLmodel: signature: expected inputs, outputs and params.")
        inputs, outputs, params = (signature_dict.get(name) for name in ("inputs", "outputs", "params"))
        return cls(
            Schema.from_json(inputs) if inputs else None,
            Schema.from_json(outputs) if outputs else None,
            ParamSchema.from_json(params) if params else None,
        )

    def __repr__(self) -> str:
        return f"inputs: \n  {self.inputs!r}\noutputs: \n  {self.outputs!r}\nparams: \n  {self.params!r}\n"
