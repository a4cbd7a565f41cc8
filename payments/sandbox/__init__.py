"""The outside world: the far sides of the gateways over real HTTP, with their own keys and lists of paid trades.

A process of its own; shares no code with the adapters, so that a mistake in one of them cannot agree with itself.
Production settings refuse to start it.
"""

from payments.sandbox.app import create_sandbox
from payments.sandbox.config import SandboxConfig

__all__ = ["SandboxConfig", "create_sandbox"]
