"""Debian's aiosmtpd on a free port of the loopback: what it takes becomes a line of JSON each, ended by standard input."""
import asyncio
import json
import sys

from aiosmtpd.smtp import SMTP


def tell(fact):
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


class Keep:
    async def handle_DATA(self, server, session, envelope):
        tell({
            "from": envelope.mail_from,
            "recipients": envelope.rcpt_tos,
            "raw": envelope.original_content.decode("utf-8", "replace"),
        })
        return "250 OK"


def connection():
    tell({"connection": True})
    return SMTP(Keep(), enable_SMTPUTF8=True, hostname="peer.example.org")


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", 0)
    tell({"port": server.sockets[0].getsockname()[1]})
    # Whoever started it holds the other end: when that is gone, so is this.
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
