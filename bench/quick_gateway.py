"""WeChat Pay's far side for P5: every order gets the same signed code at once, so that what is measured is ours."""

import asyncio
import sys
from pathlib import Path

from payments.sandbox.keys import load_keys
from payments.sandbox.wechat.voice import Voice

_BODY = b'{"code_url": "weixin://wxpay/bizpayurl?pr=0000000000"}'


def _answer(voice: Voice) -> bytes:
    headers = voice.signed(_BODY, by_public_key=True) | {"Content-Type": "application/json"}
    lines = [
        "HTTP/1.1 200 OK",
        f"Content-Length: {len(_BODY)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + _BODY


async def _main(folder: Path, port: int) -> None:
    voice = Voice(load_keys(folder))

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                await reader.readexactly(length)
                writer.write(_answer(voice))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), int(sys.argv[2])))
