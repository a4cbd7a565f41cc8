"""What people and spreadsheets write where a name should stand, and is none. Tables only."""

import re

# In small letters. What is written for "nothing", headers, sums, members of a family, attempts.
NONE = frozenset(
    (
        *(
            "无",
            "没有",
            "空",
            "空白",
            "暂无",
            "无名",
            "无名氏",
            "不详",
            "未知",
            "不知道",
            "不明",
            "待定",
            "待补",
            "待查",
            "待核实",
        ),
        *(
            "未填",
            "未填写",
            "未登记",
            "缺",
            "略",
            "同上",
            "见上",
            "如上",
            "匿名",
            "佚名",
            "某",
            "某某",
            "某人",
            "测试",
            "试验",
            "示例",
        ),
        *(
            "姓名",
            "名字",
            "名称",
            "人员姓名",
            "参保人",
            "参保人姓名",
            "户主姓名",
            "缴费人",
            "身份证号",
            "身份证号码",
            "证件号码",
        ),
        *(
            "户主",
            "本人",
            "配偶",
            "妻子",
            "丈夫",
            "儿子",
            "女儿",
            "长子",
            "长女",
            "次子",
            "次女",
            "父亲",
            "母亲",
            "孙子",
            "孙女",
        ),
        *(
            "新生儿",
            "婴儿",
            "小孩",
            "孩子",
            "未取名",
            "未起名",
            "合计",
            "总计",
            "小计",
            "共计",
            "总数",
            "人数",
            "备注",
            "说明",
            "序号",
        ),
        *(
            "制表人",
            "填表人",
            "审核人",
            "单位",
            "日期",
            "性别",
            "险种",
            "村居",
            "户号",
            "空户",
            "死亡",
            "已故",
            "去世",
            "已死亡",
        ),
        *("n/a", "na", "nil", "none", "null", "nan", "name", "unknown", "undefined", "true", "false", "empty", "blank"),
        *("xxxxx", "xxxxxx", "nobody", "noname", "no name", "test test", "value", "error", "tester"),
    )
)
# A letter that was lost on the way: by a font, a code page, a person who could not type it.
UNREAD = frozenset("?？□■▢▣▤▥▦▧▨▩▪▫◻◼◽◾☐☒〓○◯◎×✕✖*＊_＿～~�⍰⎕▯▮囗…")
SEPARATORS = re.compile(r"[/\\|｜;；,，、&＆+＋\n\r]")
# What belongs into other columns: that somebody has died, moved, is the head of the house, has no name yet.
NOTES = re.compile(
    r"(?:已故|去世|死亡|亡故|病故|已亡|过世|迁出|已迁|迁走|外迁|户主|注销|重复|作废|待定|某某)$|^.{2,}(?:之子|之女|之妻|之夫)$"
)
_COMPOUND = (
    "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐宇文长孙司徒夏侯端木独孤南宫轩辕钟离闻人太史公冶申屠淳于单于仲孙赫连澹台"
    "呼延百里东郭西门"
)
_SURNAMES = "|".join(_COMPOUND[at : at + 2] for at in range(0, len(_COMPOUND), 2))
_LETTERS = r"[^\x00-\xff\s•‧・．]{2,}"  # no dots: a blank beside the dot of a name parts nobody
# Two names with a blank or a new line between; 张 示例 and 欧阳 示例 are one person's each.
TWO_NAMES = re.compile(
    rf"(?!(?:{_SURNAMES})[ \u3000]+\S+$){_LETTERS}(?:\s+{_LETTERS})+|.*\S\s*[\n\r]\s*\S.*", re.DOTALL
)
