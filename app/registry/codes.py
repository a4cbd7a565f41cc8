"""The words a bureau may write in a cell, and what we store for them. Tables only; a word not listed is refused."""

from collections.abc import Mapping

RESIDENCE = {
    **dict.fromkeys(("hukou", "本区户籍", "本区", "本地户籍", "户籍"), "hukou"),
    **dict.fromkeys(("permit", "居住证"), "permit"),
    **dict.fromkeys(("permit_child", "随迁子女", "居住证随迁子女"), "permit_child"),
    **dict.fromkeys(("nonlocal", "外地", "外地户籍", "非本区户籍"), "nonlocal"),
}
ALIVE = {
    **dict.fromkeys(("1", "健在", "生存", "正常", "alive", "true"), True),
    **dict.fromkeys(("0", "死亡", "去世", "已去世", "dead", "false"), False),
}
STATUS = {
    **dict.fromkeys(("normal", "正常", "正常参保", "参保"), "NORMAL"),
    **dict.fromkeys(("paused", "暂停", "暂停参保"), "PAUSED"),
    **dict.fromkeys(("ended", "终止", "终止参保"), "ENDED"),
}
INSURANCE = {
    **dict.fromkeys(("res_pension", "居民养老", "养老", "城乡居民基本养老保险", "居民养老保险"), "RES_PENSION"),
    **dict.fromkeys(("res_medical", "居民医保", "医保", "医疗", "居民医疗", "390"), "RES_MEDICAL"),
    **dict.fromkeys(("城乡居民基本医疗保险", "居民医疗保险"), "RES_MEDICAL"),
}
CHANGE = {
    **dict.fromkeys(("", "无"), ""),
    **dict.fromkeys(("add", "新增", "增加"), "ADD"),
    **dict.fromkeys(("update", "变更", "修改"), "UPDATE"),
    **dict.fromkeys(("end", "终止", "减少", "退出"), "END"),
}
SEX: Mapping[str, int | None] = {
    "": None,
    **dict.fromkeys(("1", "男", "m", "男性"), 1),
    **dict.fromkeys(("2", "女", "f", "女性"), 2),
}
YES_NO: Mapping[str, bool | None] = {
    "": None,
    **dict.fromkeys(("1", "是", "y", "yes", "true", "有"), True),
    **dict.fromkeys(("0", "否", "n", "no", "false", "无"), False),
}
FAMILY: Mapping[str, str | None] = {
    "": None,
    **dict.fromkeys(("none", "无", "否"), "none"),
    **dict.fromkeys(("only_child", "独生子女", "独生子女家庭"), "only_child"),
    **dict.fromkeys(("two_daughters", "两女绝育", "双女", "两女绝育家庭"), "two_daughters"),
}
SCHOOL: Mapping[str, str | None] = {
    "": None,
    **dict.fromkeys(("none", "无", "否"), "none"),
    **dict.fromkeys(("pupil", "中小学", "中小学生"), "pupil"),
    **dict.fromkeys(("university", "大学", "大学生"), "university"),
}
CATEGORIES: Mapping[str, str | None] = {
    **dict.fromkeys(("dis1", "一级残疾", "残疾一级"), "DIS1"),
    **dict.fromkeys(("dis2", "二级残疾", "残疾二级"), "DIS2"),
    **dict.fromkeys(("dis3", "三级残疾", "残疾三级"), "DIS3"),
    **dict.fromkeys(("dis4", "四级残疾", "残疾四级"), "DIS4"),
    **dict.fromkeys(("wubao", "五保", "五保户", "五保供养对象"), "WUBAO"),
    **dict.fromkeys(("tekun", "特困", "特困人员"), "TEKUN"),
    **dict.fromkeys(("dibao", "低保", "低保对象"), "DIBAO"),
    **dict.fromkeys(("youfu", "优抚", "优抚对象"), "YOUFU"),
    **dict.fromkeys(("poverty", "扶贫户", "贫困户", "已脱贫享受政策人口"), "POVERTY"),
    **dict.fromkeys(("orphan", "孤儿"), "ORPHAN"),
    **dict.fromkeys(("dfuc", "事实无人抚养儿童"), "DFUC"),
    **dict.fromkeys(("illness", "因病致困", "因病致困人员"), "ILLNESS"),
    **dict.fromkeys(("dibao_edge", "低保边缘", "低保边缘家庭成员"), "DIBAO_EDGE"),
    **dict.fromkeys(("relapsed", "返贫致贫", "返贫致贫人口"), "RELAPSED"),
    **dict.fromkeys(("monitored", "监测对象", "防返贫监测对象"), "MONITORED"),
    **dict.fromkeys(("stable_expoor", "稳定脱贫", "稳定脱贫人口"), "STABLE_EXPOOR"),
    **dict.fromkeys(("child_hardship", "困境儿童"), "CHILD_HARDSHIP"),
    **dict.fromkeys(("veteran", "退役军人", "当年退役"), "VETERAN"),
    **dict.fromkeys(("released", "刑满释放", "当年刑满释放"), "RELEASED"),
    # Age is reckoned from the birth date, whatever a list says (D02); and a word for "nothing special".
    **dict.fromkeys(("age60", "age70", "减半老年人", "免缴费老年人", "无", "普通", "普通居民"), None),
}
ELSEWHERE: Mapping[str, str | None] = {
    **dict.fromkeys(("medical_outside_zz", "市外医保"), "medical_outside_zz"),
    **dict.fromkeys(("medical_inside_zz", "市内他区医保"), "medical_inside_zz"),
    **dict.fromkeys(("pension_elsewhere", "异地养老"), "pension_elsewhere"),
    **dict.fromkeys(("drawing_pension", "已领养老金"), "drawing_pension"),
    **dict.fromkeys(("none", "无", "否", "0"), None),
}
