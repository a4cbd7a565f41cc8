"""A code to scan: as a picture that a page carries in itself, and as a drawing that prints sharp at any size."""

from base64 import b64encode
from io import BytesIO

import qrcode
from qrcode.constants import ERROR_CORRECT_M
from qrcode.image.svg import SvgPathImage


def picture(text: str) -> str:
    """A QR code as a data: address of a PNG, quiet zone included."""
    held = BytesIO()
    _code(text).make_image(fill_color="black", back_color="white").save(held, "PNG")
    return f"data:image/png;base64,{b64encode(held.getvalue()).decode()}"


def drawing(text: str) -> bytes:
    """A QR code as an SVG document, quiet zone included."""
    held = BytesIO()
    _code(text).make_image(image_factory=SvgPathImage).save(held)
    return held.getvalue()


def drawn(text: str) -> str:
    """The same as a data: address."""
    return f"data:image/svg+xml;base64,{b64encode(drawing(text)).decode()}"


def _code(text: str) -> qrcode.QRCode:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=8, border=4)
    code.add_data(text)
    code.make(fit=True)
    return code
