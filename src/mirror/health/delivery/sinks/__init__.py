"""Where messages go. One file per type, found by listing; the workspace's ``config.toml`` names and sets them up.

[alerts.sinks.ops]
type = "slack"                                 # slack, webhook, email, file or stdout
url = {env = "OPS_WEBHOOK"}                    # a secret is named, never written down: {env = ...} or {file = ...}
serves = ["#data-platform-alerts"]             # channels of one kind, or people and desks
severities = ["CRITICAL", "HIGH"]              # all unless given
"""

from mirror.health.delivery.sinks.settings import STDOUT, Sinks, read_sinks
from mirror.health.delivery.sinks.sink import NotDeliveredError, Sink, Surroundings

__all__ = ["STDOUT", "NotDeliveredError", "Sink", "Sinks", "Surroundings", "read_sinks"]
