"""Who asks now: a model's live deployment over HTTP, which follows the release of its environment.

``LiveServer`` is what ``mirror serve`` runs. A request passes :mod:`~mirror.serving.door` (who calls, log, counts),
:mod:`~mirror.serving.application` (endpoints), :mod:`~mirror.serving.reception` (its body, within limits),
:mod:`~mirror.serving.workline` (a bounded line before a fixed number of threads) and :mod:`~mirror.serving.wire` (its
form, then the model); :mod:`~mirror.serving.follower` keeps the version that answers equal to what is released.
"""

from mirror.serving.deployment import Deployment
from mirror.serving.server import Address, LiveServer
from mirror.serving.settings import Limits
from mirror.serving.tokens import Tokens

__all__ = ["Address", "Deployment", "Limits", "LiveServer", "Tokens"]
