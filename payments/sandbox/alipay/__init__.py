"""The far side of Alipay (gateway.do, RSA2): `routes` answer, `check` is as strict as the real one, `side` serves
phones and callbacks. It shares no code with the adapter."""
