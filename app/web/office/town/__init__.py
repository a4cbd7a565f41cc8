"""A town's own: its agents, and the counter of its service hall."""
