"""The HTML report: one self-contained file a person wants to open.

``collect`` reads a workspace into a :class:`ReportSnapshot`, ``render`` turns a snapshot into a page. Nothing but the
snapshot reaches the page, so equal snapshots give equal bytes.
"""

from mirror.report.collect import collect
from mirror.report.render import render, write_report
from mirror.report.snapshot import ReportSnapshot

__all__ = ["ReportSnapshot", "collect", "render", "write_report"]
