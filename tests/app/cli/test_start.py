"""A command starts without the web, and without what only others need."""

import subprocess
import sys

import click
import pytest

from app.cli import GROUPS
from config.settings import CHECKOUT

ASKED = """
import sys
from flask.cli import cli
cli.main(args=sys.argv[1:], standalone_mode=False)
print(*sorted({"sqlalchemy", "alembic", "app.web", "payments.gateways.known"} & set(sys.modules)), file=sys.stderr)
"""
WORKER = """
import sys
import wsgi, app.cli.worker, app.joining
of_others = {"app.web", "apiflask", "pydantic", "flask_wtf", "requests", "wechatpy", "alipay"}  # pages, WeChat, Alipay
of_others |= {"reportlab", "PIL", "qrcode", "xlsxwriter", "alembic", "mako"}  # papers, sheets, upgrades
print(*sorted((of_others | {"rich", "pygments"}) & {name for name, held in sys.modules.items() if held}))
"""
OURS = """
import atexit, runpy, sys
atexit.register(lambda: print(*sorted({"apiflask", "pydantic", "sqlalchemy"} & set(sys.modules)), file=sys.stderr))
sys.argv[1:] = ["--help"]
runpy.run_module("app", run_name="__main__")
"""
WEB = "import wsgi; print(len(list(wsgi.app.url_map.iter_rules())))"


def ran(*words: str, program: str = ASKED) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *words], cwd=CHECKOUT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_group_is_what_the_table_says_of_it(group):
    real = group.read()

    assert (group.name, group.help) == (real.name, real.help)
    assert group.list_commands(click.Context(group)) == sorted(real.commands)


@pytest.mark.parametrize("words", [("--help",), ("people", "--help"), ("policy", "verify", "--help")])
def test_a_command_that_asks_no_database_reads_no_database(words):
    done = ran("--app", "wsgi", *words)

    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == []


def test_python_m_app_has_every_group_and_reads_no_page():
    done = ran(program=OURS)

    assert done.returncode == 0, done.stderr
    assert all(group.name in done.stdout for group in GROUPS) and done.stderr.split() == []


def test_the_worker_reads_nothing_of_pages_papers_sheets_and_upgrades():
    done = ran(program=WORKER)

    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_flask_run_is_of_the_web_and_worker_run_is_not():
    asked = "import wsgi; print([wsgi._of_the_web({*words.split()}) for words in ('flask run', 'flask worker run')])"
    done = ran(program=asked)

    assert done.stdout.split() == ["[True,", "False]"], done.stderr


def test_the_web_server_gets_the_web():
    done = ran(program=WEB)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100
