"""Why a row of a department's list was not taken, in words for the department; and what is told of a row that was."""

from collections.abc import Mapping

from app.registry.failures import OF_MANY as CELLS_OF_MANY
from app.registry.failures import REASONS as CELLS

REASONS: Mapping[str, str] = {
    **CELLS,
    "DUP_ROW": "与{where}是同一个人、同一个险种、同一类别",
    "CATEGORY_UNKNOWN": "人员类别“{word}”不认识，请指定它是哪一类",
    "NOT_YOURS": "“{word}”由{whose}认定，不由贵部门报",
    "NAME_ID_MISMATCH": "这个身份证号登记的是另一个姓名，请核对证件",
    "NOT_REGISTERED": "没有参保登记，先到镇便民服务中心登记，再报这一行",
    "NOT_RESIDENT": "户口不在本区，也没有有效的居住证，请在户口所在地办理",
    "EMPLOYEE_INSURED": "已参加职工保险，不用再交居民保险",
    "DUP_ELSEWHERE": "已在别处参保，不能交两份",
    "DECEASED": "登记显示此人已去世；登记错了的，请家属到派出所或镇便民服务中心更正",
    "AGE_OUT": "不在养老保险的缴费年龄里（未满16岁、已满60岁或已领养老金）",
    "STUDENT": "在校学生，不用交养老保险",
    "EXPIRED": "认定在{until}到期了，请续办后再报",
    "NOT_OFFERED": "本区这一年度不收这个险种",
    "INSURANCE_UNKNOWN": "代缴险种写：养老、医疗",
}
OF_MANY: Mapping[str, str] = {
    **REASONS,
    **CELLS_OF_MANY,
    "DUP_ROW": "与另一行是同一个人、同一个险种、同一类别",
    "CATEGORY_UNKNOWN": "人员类别不认识，请指定它是哪一类",
    "NOT_YOURS": "类别由别的部门认定，不由贵部门报",
    "EXPIRED": "认定已经到期，请续办后再报",
}
OWN: Mapping[str, str] = {  # what the person himself is told; never which category
    "EXPIRED": "认定到期了",
    "EMPLOYEE_INSURED": "登记显示您参加了职工保险",
    "DUP_ELSEWHERE": "登记显示您在别处参了保",
    "NOT_RESIDENT": "登记显示您的户口不在本区，也没有居住证",
    "AGE_OUT": "登记显示您不在缴费年龄里",
    "STUDENT": "登记显示您在上学",
}
OWN_ELSE = "名单里有一处要核对"
NOT_DONE = "政府替您交的名单里，您的名字还没办成，原因：{reason}。镇医保服务站会在三天内联系您，先不要自己交钱。"
NOTES: Mapping[str, str] = {
    "ALREADY_SELF_PAID": "已自己交过费：办成以后，多交的自动申请退费",
    "SAID_BEFORE": "原来就是这一类，没有改动",
    "OTHER_DEPARTMENT": "也在别的部门名单里，由谁代缴按政策顺序定",
}


def not_done(code: str) -> str:
    """What somebody is told of his own row."""
    return NOT_DONE.format(reason=OWN.get(code, OWN_ELSE))


def reason(code: str, said: Mapping[str, str]) -> str:
    """The sentence of a failure, with the words of its row."""
    return REASONS[code].format(**said)
