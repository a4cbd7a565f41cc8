"""From registry to rules: what the policy may know about a person. Pure."""

from app.policy.facts import Category, Elsewhere, Employment, Facts, FamilyType, Insurance, Residence, Sex
from app.registry.find import Subject

_EMPLOYMENT = {
    (False, False): Employment.NONE,
    (True, False): Employment.PENSION,
    (False, True): Employment.MEDICAL,
    (True, True): Employment.BOTH,
}


def facts_of(subject: Subject, insurance: Insurance) -> Facts:
    """One person's facts for one insurance, as the registry has them today."""
    pension, medical = subject.standing["RES_PENSION"], subject.standing["RES_MEDICAL"]
    own = subject.standing[insurance]
    return Facts(
        insurance=insurance,
        birth_date=subject.birth_date,
        sex=Sex.M if subject.sex == 1 else Sex.F,
        residence=Residence(subject.residence),
        registered=own.registered,
        alive=subject.alive,
        categories=frozenset(Category(code) for code in own.categories),
        student=subject.student,
        employee_insured=_EMPLOYMENT[pension.employee_insured, medical.employee_insured],
        insured_elsewhere=frozenset(Elsewhere(code) for code in pension.insured_elsewhere | medical.insured_elsewhere),
        already_paid=own.bill is not None and own.bill["state"] == "settled",
        family_type=FamilyType(subject.family_type),
        spouse_birth=subject.spouse_birth,
    )
