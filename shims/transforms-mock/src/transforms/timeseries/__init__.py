"""Foundry's ``transforms.timeseries``: declared and registered; the series themselves are held by Foundry."""

from transforms._names import module_getattr
from transforms.api._remote import RemoteInput


class TimeSeriesInput(RemoteInput):
    """A time series sync to read, by RID."""

    kind = "timeseries_input"
    service = "Foundry's time series service"


__all__ = ["TimeSeriesInput"]

__getattr__ = module_getattr("transforms.timeseries", __all__)
