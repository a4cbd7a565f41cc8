"""`python -m config.rehearsal KEYS URL SECRETS`: what a production server needs to talk to the sandbox's far sides, for
trying the server before any real account is there. KEYS is the far sides' folder, URL their https address as this
server sees it, SECRETS where the files go. Prints the lines for the settings; a secret goes into a file."""

import os
import sys
from pathlib import Path

from config.local import sandbox_keys

_PLAIN = ("_BASE_URL", "_FILE_URL", "_MCHID", "_APPID", "_APP_ID", "_SERIAL_NO", "_SELLER_ID", "_MER_ID")


def lines(keys: Path, url: str, secrets: Path) -> list[str]:
    """NAME=value for what is no secret, NAME_FILE=path for the rest, whose files are written."""
    held = {**sandbox_keys(keys, base_url=url), "SMS_PROVIDER": "http", "SMS_URL": url}
    held |= {"MINIPROGRAM_BASE_URL": url, "OFFICIAL_ACCOUNT_BASE_URL": url}
    told = []
    for name, value in held.items():
        if name.endswith((*_PLAIN, "_PROVIDER", "_URL")):
            told.append(f"{name}={value}")
        else:
            told.append(f"{name}_FILE={_kept(secrets / name.lower(), value)}")
    return told


def _kept(path: Path, value: str) -> Path:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(value)
    return path


if __name__ == "__main__":
    sys.stdout.write("".join(f"{line}\n" for line in lines(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))))
