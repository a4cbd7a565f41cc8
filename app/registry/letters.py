"""Letters that are written in several ways, each brought to its one form: radicals that are no letters of their own,
letters that older tables of GB 18030 kept elsewhere, the dots of a name, what cannot be seen. Tables only."""

import unicodedata

# CJK radicals that stand for a whole letter (Unicode, EquivalentUnifiedIdeograph.txt); NFKC knows the Kangxi ones.
_RADICALS = (
    "⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺"
    "⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲"
)
_AS_LETTERS = (
    "厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀"
    "聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀"
)
_KANGXI = range(0x2F00, 0x2FD6)
# Letters that older tables of GB 18030 put into the private area and newer ones into the common one (A82).
_MOVED = {
    **{0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6, 0xE82C: 0x9FB7, 0xE832: 0x9FB8, 0xE843: 0x9FB9},
    **{0xE854: 0x9FBA, 0xE864: 0x9FBB, 0xE863: 0x4DAE},
}
_DOTS = "•‧∙⋅・･.．●◦∘˙᛫⸱⸳ㆍꞏ﹒。｡"
WIDE = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# What a number pasted from a page or a message carries along: soft hyphens, zero widths, directions, byte order marks.
UNSEEN = dict.fromkeys(
    (0xAD, 0x61C, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
)
_SHAPES = dict.fromkeys((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))  # how a letter is drawn, not which it is
ONE_FORM = {
    **dict(zip(map(ord, _RADICALS), _AS_LETTERS, strict=True)),
    **{radical: unicodedata.normalize("NFKC", chr(radical)) for radical in _KANGXI},
    **_MOVED,
    **{ord(dot): "·" for dot in _DOTS},
    **_SHAPES,
}
