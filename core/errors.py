"""What can go wrong, sorted by what the caller should do. Leaves live beside what breaks.

AppError
├── BadInput   change what you sent          400 (422 when named fields are wrong)
├── Refused    you may not                   403 (401 when it is a signature or a login)
├── NotFound   no such thing                 404
├── Conflict   right thing, wrong moment     409
└── TryLater   an outsider is silent         503
"""

import re
from typing import ClassVar


class AppError(Exception):
    """Anything we say no with: a stable code and one sentence a villager understands."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "APP_ERROR"
    text: ClassVar[str] = "系统出了点问题，请稍后再试。"

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).upper()

    def __init__(self, detail: str = "", /, *, fields: dict[str, str] | None = None, **words: object) -> None:
        """`detail` is for the log; `fields` maps a field's name to its sentence; `words` fill the text's places."""
        super().__init__(detail or self.code)
        self.fields = fields or {}
        self.words = words

    def sentence(self) -> str:
        """The Chinese sentence shown to the person, with its places filled."""
        return self.text.format(**self.words) if self.words else self.text


class BadInput(AppError):
    """Change what you sent."""

    status = 400
    text = "填写的内容不对，请检查后再试。"


class Refused(AppError):
    """You may not."""

    status = 403
    text = "您没有权限办理这一项。"


class NotFound(AppError):
    """No such thing, or none that you may know of."""

    status = 404
    text = "没有找到。"


class Conflict(AppError):
    """The right thing at the wrong moment."""

    status = 409
    text = "现在不能办理这一项，请刷新后再看。"


class TryLater(AppError):
    """An outsider is silent; nothing was decided."""

    status = 503
    text = "暂时连不上，请过一会儿再试。"
