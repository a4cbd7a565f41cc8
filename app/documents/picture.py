"""A picture that somebody sends us, or that goes out with an answer: a true PNG or JPEG, drawn anew, so that nothing of
where and by what it was taken goes with it. Pure."""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from core.errors import BadInput

LARGEST = 2 * 1024 * 1024  # bytes, at either gateway
LARGEST_PHOTO = 8 * 1024 * 1024
MOST_PIXELS = 25_000_000
LONGEST_SIDE = 2000
KINDS = ("PNG", "JPEG")


class BadPicture(BadInput):
    """No PNG or JPEG, too large, or none that can be drawn."""

    text = "图片没有收下：要真正的照片或截图，不超过两兆。"


class BadPhoto(BadInput):
    """The same of a photo as a phone takes it."""

    text = "照片没有收下：要真正的照片或截图，不超过八兆。可以先截一张图再传。"


def photo(given: bytes) -> bytes:
    """As `redrawn`, of what a phone's camera made. BadPhoto."""
    try:
        return redrawn(given, most=LARGEST_PHOTO)
    except BadPicture as error:
        raise BadPhoto from error


def redrawn(given: bytes, *, most: int = LARGEST) -> bytes:
    """The same picture, as a JPEG or PNG of ours without metadata, upright, at most 2 MB. BadPicture."""
    if not 0 < len(given) <= most:
        raise BadPicture
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            held = Image.open(io.BytesIO(given), formats=KINDS)
            if held.width * held.height > MOST_PIXELS:
                raise BadPicture
            kind, drawn = held.format, ImageOps.exif_transpose(held).convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise BadPicture from error
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    clean = Image.new("RGB", drawn.size)
    clean.paste(drawn)
    for form, how in ((kind, {}), ("JPEG", {"quality": 85}), ("JPEG", {"quality": 60})):
        written = io.BytesIO()
        clean.save(written, form, **how)
        if written.tell() <= LARGEST:
            return written.getvalue()
    raise BadPicture
