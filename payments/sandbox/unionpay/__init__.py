"""The far side of UnionPay ACP 5.1.0: `routes` answer, `check` is as strict as the real one, `side` serves phones and
callbacks. It shares no code with the adapter."""
