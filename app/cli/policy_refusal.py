"""How the terminal says what is wrong with a year's file."""

import re

from core.errors import AppError

_TYPES = {
    "int": "整数",
    "float": "小数",
    "str": "文字",
    "bool": "是或否",
    "dict": "一张表",
    "list": "一列",
    "date": "日期",
    "datetime": "带钟点的日期",
}


def _mistyped(found: re.Match[str]) -> str:
    wanted, written = (_TYPES.get(each, each) for each in (found[2], found[3]))
    return f"{found[1]} 的写法不对：要{wanted}，写的是{written}"


_WRONG = (
    (r"(.+): is missing", r"缺少 \1"),
    (r"(.+): is empty", r"\1 是空的"),
    (r"(.+): is not a key of this table", r"没有 \1 这一项，是不是写错了名字"),
    (r"(.+): must be (\w+), not (\w+)", _mistyped),
    (r"(.+): out of bounds: (.+)", r"\1 超出范围：\2"),
    (r"(.+): no worked example shows it", r"\1 没有案例，请在文末补一个"),
    (r"(.+): (\w+) is (.*), expected (.*)", r"案例 \1 与标准不符：\2 算出来是 \3，案例写的是 \4"),
    (r"(.+): no such (?:word|category): (.+)", r"\1 里有不认识的词：\2"),
    (r"(.+): (\d+) bands for the tier (\d+)", r"\1：\3 分这一档对应了 \2 段补贴，应当正好一段"),
    (r"(.+): no tier in the band from (\d+)", r"\1：\2 分起的一段补贴里没有档次"),
    (r"(.+): is not personal \+ subsidy", r"\1 不等于个人缴费加财政补助"),
    (r"(.+): lies before (\w+)", r"\1 早于 \2"),
)


def refusal(error: AppError) -> str:
    """A year's file that is refused: the sentence, then what is wrong where."""
    reason, cannot = str(error), "这个文件还不能用，错在："
    for pattern, words in _WRONG:
        if re.fullmatch(pattern, reason, re.DOTALL):
            return f"{cannot}\n{re.sub(pattern, words, reason, flags=re.DOTALL)}（{reason}）"
    return f"{cannot}\n{reason}"
