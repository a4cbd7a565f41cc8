#!/usr/bin/python3 -I
"""The one way from the application to pgBackRest: run as `postgres`, by a sudo rule that allows this program only.

It takes a verb and at most two words, each of a fixed shape; everything else stands in keeper.conf beside it, which
root owns. So who has the application's account can take a backup, look at what is there, and restore into the drill's
folder; he can neither read the repository nor touch the running server's folder. Standard library only: it runs
without the application. Says one line of JSON, or one line of trouble with exit status 1. docs/backup.md tells of its
verbs.
"""

import configparser
import fcntl
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parent
MARK = ".liangxian-drill"  # only a folder that has it is ever emptied
MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,6})?\+00|latest|backup")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
ROLES = ("liangxian_owner", "liangxian_office", "liangxian_app")
PATIENCE_S = 6 * 3600
UNBLOCKED = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


class Trouble(Exception):
    """Something does not work; the words are for the operator."""


class Keeper:
    """pgBackRest and the drill's server, as keeper.conf says."""

    def __init__(self, told: Mapping[str, str]) -> None:
        self.told = told
        self.home = Path(told["drill_home"])
        self.sockets = Path(told["drill_sockets"])
        self.port = told.get("drill_port", "5499")

    def backup(self, kind: str) -> object:
        """Archive checked, a backup in every repository, the copy taken away; then `look`. A full one is verified."""
        if kind not in ("full", "diff"):
            raise Trouble("backup full|diff")
        self._pgbackrest("check")
        for repository in self._repositories():
            self._pgbackrest("backup", f"--type={kind}", f"--repo={repository}")
        if copy := self.told.get("copy_command", "").split():
            self._run(copy, "copy_command")
        return {**self._look(), "damage": self._damage() if kind == "full" else None}

    def check(self) -> object:
        """What was committed until now is in the archive: a segment is closed, and waited for."""
        self._pgbackrest("check")
        return {}

    def look(self) -> object:
        """What is in the repositories."""
        return self._look()

    def verify(self) -> object:
        """Every file of every repository against its checksum."""
        return {"damage": self._damage()}

    def restore(self, moment: str, name: str) -> object:
        """A second server in the drill's folder, as everything stood at `moment` (UTC), at its last (`latest`), or at
        the end of the newest backup (`backup`). It listens on a socket of its own, archives nothing, answers nobody
        else."""
        if not MOMENT.fullmatch(moment):
            raise Trouble("a moment is written 2026-11-29 04:00:00+00, or latest, or backup")
        folder = self._folder(name)
        self.forget(name)
        folder.mkdir(mode=0o700, parents=True)
        (folder / MARK).touch()
        data = folder / "data"
        data.mkdir(mode=0o700)
        target = {"latest": ["--type=default"], "backup": ["--type=immediate", "--target-action=promote"]}.get(
            moment, ["--type=time", f"--target={moment}", "--target-action=promote"]
        )
        where = [f"--pg1-path={data}", f"--tablespace-map-all={folder / 'tablespaces'}"]  # never the running one's
        self._pgbackrest("restore", *where, "--archive-mode=off", *target)
        self._start(folder)
        return {"sockets": str(self.sockets), "port": int(self.port), "bytes": _size(data)}

    def amcheck(self, name: str) -> object:
        """Every index and heap of the drill's server against each other."""
        self._folder(name)
        words = ["--all", "--install-missing", "--heapallindexed", f"--host={self.sockets}", f"--port={self.port}"]
        done = self._program("pg_amcheck", *words, "--username=postgres")
        return {"damage": _lines(done.stdout + done.stderr) if done.returncode else []}

    def checksums(self, name: str) -> object:
        """The drill's server is stopped, and every page looked at."""
        data = self._folder(name) / "data"
        self._program("pg_ctl", "-D", str(data), "-m", "fast", "-w", "stop")
        done = self._program("pg_checksums", "--check", "-D", str(data))
        return {"damage": _lines(done.stdout + done.stderr) if done.returncode else []}

    def forget(self, name: str) -> object:
        """The drill's server ended and its folder gone, whoever left it there."""
        folder = self._folder(name)
        if not folder.exists():
            return {"gone": False}
        if not (folder / MARK).is_file():
            raise Trouble(f"{folder} is no drill's folder: nothing is touched")
        if (folder / "data" / "postmaster.pid").exists():
            self._program("pg_ctl", "-D", str(folder / "data"), "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)
        return {"gone": True}

    def _folder(self, name: str) -> Path:
        """A folder right below the drill's home, which no running server's folder touches. Trouble."""
        if not NAME.fullmatch(name):
            raise Trouble("a drill's folder is named by small letters, digits and -")
        folder = self.home / name
        if folder.is_symlink() or self.home.is_symlink():
            raise Trouble(f"{folder} is a link")
        for running in (Path(one["pg"]) for one in self._servers()):
            mine, other = folder.resolve(), running.resolve()
            if mine == other or mine in other.parents or other in mine.parents:
                raise Trouble(f"{folder} touches the running server's {running}")
        return folder

    def _servers(self) -> list[dict[str, str]]:
        """The folders that pgBackRest's configuration names as servers."""
        files = [Path(self.told["pgbackrest_config"]), *sorted(Path(self.told["pgbackrest_include"]).glob("*.conf"))]
        found = re.findall(r"(?m)^\s*pg\d+-path\s*=\s*(\S+)", "\n".join(one.read_text() for one in files))
        if not found:
            raise Trouble("no pg1-path in the configuration of pgBackRest: which server is the running one?")
        return [{"pg": one} for one in found]

    def _start(self, folder: Path) -> None:
        """Recovery to the moment, then promoted. Trouble with the server's own last words."""
        data = folder / "data"
        mapped = [("postgres", pwd.getpwuid(os.getuid()).pw_name), *((role, self.told["app_user"]) for role in ROLES)]
        (folder / "ident").write_text("".join(f"drill {system} {role}\n" for role, system in mapped))
        (folder / "hba").write_text("local all all peer map=drill\n")
        (folder / "conf").write_text("")
        self.sockets.mkdir(parents=True, exist_ok=True)
        self.sockets.chmod(0o755)  # the application is another user; the umask would keep it out
        settings = {
            "config_file": folder / "conf",
            "hba_file": folder / "hba",
            "ident_file": folder / "ident",
            "listen_addresses": "",
            "port": self.port,
            "unix_socket_directories": self.sockets,
            "archive_mode": "off",
            "archive_command": "",
            "primary_conninfo": "",
            "synchronous_standby_names": "",
            "shared_preload_libraries": "",
            "session_preload_libraries": "",
            "hot_standby": "off",
            "ssl": "off",
            "logging_collector": "off",
            "log_destination": "stderr",
            "log_min_messages": "log",
            "log_error_verbosity": "terse",
            "log_parameter_max_length_on_error": "0",
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        log = folder / "log"
        words = ["-D", str(data), "-l", str(log), "-w", "-t", str(PATIENCE_S), "-o", options, "start"]
        started = self._program("pg_ctl", *words).returncode == 0
        # pg_ctl is content with a server that still recovers; we wait for the one that answers, or has given up.
        asked = ["pg_isready", "--quiet", f"--host={self.sockets}", f"--port={self.port}"]
        until = time.monotonic() + PATIENCE_S
        while started and time.monotonic() < until and self._program(*asked).returncode:
            started = (data / "postmaster.pid").exists()
            time.sleep(0.2)
        if not started:
            told = _lines(log.read_text(errors="replace"))
            last = [line for line in told if re.search("FATAL|PANIC", line) and "accepting connections" not in line]
            raise Trouble(f"the restored server does not start: {' | '.join(last[-3:]) or 'see its log'}")

    def _look(self) -> dict[str, object]:
        try:
            said = json.loads(self._pgbackrest("info", "--output=json"))
        except ValueError:
            raise Trouble("what the repository tells cannot be read: is its passphrase the right one?") from None
        stanza = said[0] if said else {"backup": []}
        away = self.told.get("away_repository", "")
        return {
            "backups": [
                {
                    "label": one["label"],
                    "kind": one["type"],
                    "repository": one["database"]["repo-key"],
                    "started": one["timestamp"]["start"],
                    "stopped": one["timestamp"]["stop"],
                    "bytes": one["info"]["size"],
                    "added": one["info"]["repository"]["delta"],
                    "away": bool(self.told.get("copy_command")) or str(one["database"]["repo-key"]) == away,
                    "damaged": bool(one.get("error")),
                }
                for one in stanza["backup"]
            ],
            "stanza": self.told["stanza"],
        }

    def _repositories(self) -> list[str]:
        return self.told.get("repositories", "1").split()

    def _damage(self) -> list[str]:
        """What pgBackRest finds wrong with the files of a repository, a line each. 2.45 tells it in its words and ends
        with status 0: every figure that should be nothing is looked at."""
        found: list[str] = []
        for repository in self._repositories():
            told = self._pgbackrest("verify", f"--repo={repository}", "--output=text", "--verbose", may_fail=True)
            wrong = [line for line in _lines(told) if _is_damage(line)]
            found += [f"repo{repository}: {line}" for line in wrong]
        return found

    def _pgbackrest(self, verb: str, *words: str, may_fail: bool = False) -> str:
        command = [
            self.told.get("pgbackrest", "/usr/bin/pgbackrest"),
            f"--config={self.told['pgbackrest_config']}",
            f"--config-include-path={self.told['pgbackrest_include']}",
            f"--stanza={self.told['stanza']}",
            *words,
            verb,
        ]
        return self._run(command, f"pgbackrest {verb}", may_fail=may_fail)

    def _run(self, command: Sequence[str], named: str, *, may_fail: bool = False) -> str:
        try:
            done = subprocess.run(  # noqa: S603 our own words and paths, no shell
                command,
                env=UNBLOCKED,
                cwd="/",
                capture_output=True,
                text=True,
                errors="replace",  # a wrong passphrase makes noise of everything
                timeout=PATIENCE_S,
                check=False,
            )
        except OSError as error:
            raise Trouble(f"{named}: {error.strerror}") from error
        if done.returncode and not may_fail:
            said = [line for line in _lines(done.stdout + done.stderr) if "ERROR" in line] or _lines(done.stderr)[-2:]
            raise Trouble(f"{named}: {' '.join(' | '.join(said[:4]).split()) or f'exit status {done.returncode}'}")
        return done.stdout + (done.stderr if may_fail else "")

    def _program(self, name: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(self.told["pg_bin"]) / name), *words]
        with (self.home / ".said").open("w+") as said:  # a server that stays keeps its pipe: a file lets us go on
            done = subprocess.run(  # noqa: S603
                command,
                env=UNBLOCKED,
                cwd="/",
                stdout=said,
                stderr=said,
                stdin=subprocess.DEVNULL,
                text=True,
                check=False,
            )
            said.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, said.read(), "")


def _is_damage(line: str) -> bool:
    """A line of `verify` that tells of a fault: a figure of what should be nothing, or a status that is not well."""
    counted = re.findall(r"(?:missing|invalid|other): (\d+)", line)
    return any(map(int, counted)) or bool(re.search(r"\b(?:ERROR|WARN)\b|status: (?:error|invalid)", line))


def _lines(words: str) -> list[str]:
    return [line.strip() for line in words.splitlines() if line.strip()]


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


VERBS: Mapping[str, tuple[Callable[..., object], int]] = {
    "backup": (Keeper.backup, 1),
    "check": (Keeper.check, 0),
    "look": (Keeper.look, 0),
    "verify": (Keeper.verify, 0),
    "restore": (Keeper.restore, 2),
    "amcheck": (Keeper.amcheck, 1),
    "checksums": (Keeper.checksums, 1),
    "forget": (Keeper.forget, 1),
}


def main(words: Sequence[str]) -> int:
    """One verb; a drill and a backup each one at a time."""
    os.umask(0o077)
    try:
        verb, count = VERBS.get(words[0] if words else "", (None, 0))
        if verb is None or len(words) != count + 1:
            raise Trouble(
                "keeper.py backup full|diff · look · verify · restore MOMENT NAME · amcheck|checksums|forget NAME"
            )
        read = configparser.ConfigParser(interpolation=None)
        if not read.read(HERE / "keeper.conf"):
            raise Trouble("keeper.conf is missing")
        keeper = Keeper(read["keeper"])
        keeper.home.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (keeper.home / f".lock-{'backup' if words[0] == 'backup' else 'drill'}").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sys.stdout.write(json.dumps(verb(keeper, *words[1:])) + "\n")
    except BlockingIOError:
        sys.stderr.write("another one is at it\n")
        return 1
    except (Trouble, OSError, KeyError, ValueError) as trouble:
        sys.stderr.write(f"{trouble}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
