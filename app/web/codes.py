"""A gateway's code as a picture that a page carries in itself."""

from base64 import b64encode
from io import BytesIO

import qrcode
from qrcode.constants import ERROR_CORRECT_M


def picture(text: str) -> str:
    """A QR code as a data: address of a PNG, quiet zone included."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=8, border=4)
    code.add_data(text)
    code.make(fit=True)
    held = BytesIO()
    code.make_image(fill_color="black", back_color="white").save(held, "PNG")
    return f"data:image/png;base64,{b64encode(held.getvalue()).decode()}"
