"""What a page of ours may load, and where its forms may go: to us, and where a payment leads to its gateway."""


def policy(*also: str) -> str:
    """The Content-Security-Policy; `also` are origins that forms may be sent to, redirects included."""
    targets = " ".join(dict.fromkeys(("'self'", *also)))
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )
