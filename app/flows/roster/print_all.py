"""Every list of a town that was agreed to, as one file to be printed, in the order of its villages: done by the office
process for who asked, for so many names take longer than a page may."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from app.access.roles import Role
from app.documents.hanging import Poster
from app.flows.hand_in.keep import keep_made
from app.flows.hand_in.work import Job, Progress
from app.flows.parts import Parts
from app.flows.roster import closings
from core.errors import Conflict


class NothingToPrint(Conflict):
    """No list of the town was agreed to, or their days are over."""

    text = "本镇街现在没有复核过、正在公示日子里的参保缴费公示，没有可打印的。"


class PrintOld(Conflict):
    """Another version was agreed to since, or somebody of a list was erased."""

    text = "打印以后公示有了变动，这一份不能再用。请回到参保缴费公示重新打印。"


class Whose(NamedTuple):
    """Whose file it is."""

    by: str
    role: str


def print_all(parts: Parts, job: Job, progress: Progress) -> Mapping[str, Any]:
    """How many `lists` of how many `villages`, the `file`, and what it is made of. NothingToPrint."""
    from app.documents.poster import draw_all  # noqa: PLC0415 few processes draw

    year, town, size = (job.about[each] for each in ("year", "town", "size"))
    rows, edition = closings.to_print(parts, year, town), closings.edition(parts, year, town)
    if not rows:
        raise NothingToPrint(town)

    def posters() -> Iterator[Poster]:
        for number, row in enumerate(rows, 1):
            yield closings.poster(parts, row, on=parts.clocks.today())
            progress(number, len(rows))

    title = f"{rows[0].town}{year}年参保缴费公示"
    outcome: dict[str, Any] = {"lists": len(rows), "villages": len({row.village_code for row in rows})}
    outcome["edition"] = edition
    with TemporaryDirectory(prefix="liangxian-") as folder:
        path = Path(folder) / "posters.pdf"
        path.write_bytes(draw_all(posters(), size=size, title=title))
        with parts.engine.begin() as connection:
            whose = Whose(job.by, Role.TOWN)
            outcome["file"] = keep_made(parts, connection, path, name=f"{title}-{size}.pdf", of=whose)
            job.end(connection, outcome, parts)
    return outcome
