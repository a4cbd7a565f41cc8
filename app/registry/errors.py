"""What can go wrong when somebody is looked up or brought in."""

from core.errors import BadInput, NotFound


class BadIdNumber(BadInput):
    """An identity number that cannot be right; `fields` says how to look again."""

    status = 422
    text = "身份证号有一位不对，请对照身份证再看一遍。"


class BadName(BadInput):
    """A name that is empty, too long, or carries invisible characters."""

    status = 422
    text = "姓名填写不对，请按身份证上的姓名填写。"


class NoSuchPerson(NotFound):
    """Nobody of this name and number; the same answer for a wrong name and for an unknown number (A41)."""

    text = "没有查到。请核对姓名和身份证号；还没登记参保的，请带户口簿或居住证到镇便民服务中心登记。"
