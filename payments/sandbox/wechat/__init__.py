"""The far side of WeChat Pay API v3: `routes` answer, `check` is as strict as the real one, `side` serves phones and
callbacks. It shares no code with the adapter."""
