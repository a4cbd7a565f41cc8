"""The things the system does, a story a folder, a verb a file. Only flows commit, and never while a gateway is being
called. Which story knows which is drawn in docs/stories.md; what all are handed stands in parts.py."""
