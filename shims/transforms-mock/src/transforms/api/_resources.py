"""Resources and containers of single-node transforms: checked as Foundry checks them, then only recorded."""

from __future__ import annotations

from typing import Any

from transforms._names import caller
from transforms.errors import LightweightValueError, UnknownArgumentError

GPU_TYPES = (
    "NVIDIA_T4",
    "NVIDIA_V100",
    "NVIDIA_A10G",
    "NVIDIA_A100",
    "NVIDIA_A16",
    "NVIDIA_H100",
    "NVIDIA_H200",
    "NVIDIA_L4",
    "NVIDIA_L40S",
)
_ARGUMENTS = (
    "cpu_cores",
    "memory_mb",
    "memory_gb",
    "gpu_type",
    "container_image",
    "container_tag",
    "container_shell_command",
)


def checked_resources(**resources: Any) -> dict[str, Any]:
    """The given resources without those left out.

    Raises:
        UnknownArgumentError: an argument that does not exist.
        LightweightValueError: both memory units, half a container, a GPU that does not exist, or no positive amount.
    """
    for name in resources:
        if name not in _ARGUMENTS:
            raise UnknownArgumentError("lightweight", name, _ARGUMENTS, caller())
    given = {name: value for name, value in resources.items() if value is not None}
    where = caller()
    if "memory_mb" in given and "memory_gb" in given:
        raise LightweightValueError(f"{where}: give memory_mb or memory_gb, not both.")
    for name in ("cpu_cores", "memory_mb", "memory_gb"):
        if name in given and (
            isinstance(given[name], bool) or not isinstance(given[name], int | float) or given[name] <= 0
        ):
            raise LightweightValueError(f"{where}: {name} is a positive number, got {given[name]!r}.")
    for name in ("container_image", "container_tag", "container_shell_command"):
        if name in given and not isinstance(given[name], str):
            raise LightweightValueError(f"{where}: {name} is a text, got {given[name]!r}.")
    if "gpu_type" in given and given["gpu_type"] not in GPU_TYPES:
        raise LightweightValueError(f"{where}: gpu_type is one of {', '.join(GPU_TYPES)}; got {given['gpu_type']!r}.")
    if any(name.startswith("container_") for name in given):
        for needed in ("container_image", "container_tag"):
            if needed not in given:
                raise LightweightValueError(
                    f"{where}: a container needs container_image and container_tag; add {needed}."
                )
    return given
