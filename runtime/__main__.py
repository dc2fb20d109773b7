"""`python -m runtime --home DIR --announce FILE`: run the local Lambda endpoint until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import fcntl
import json
import logging
import os
import resource
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from core.clock import SystemClock
from core.errors import NotAllowed, PenstockError, Unavailable
from core.files import write_atomic
from core.ids import RandomIds
from core.units import iso
from runtime.server import Server
from runtime.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code: 0 after an orderly stop, else that of the error."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    home: Path = options.home.resolve()
    settings = Settings(
        home=home,
        host=options.host,
        port=options.port,
        account=options.account,
        region=options.region,
        concurrency=options.concurrency,
        max_environments=options.max_environments,
        idle_s=options.idle_seconds,
        init_timeout_s=options.init_seconds,
        isolation=options.isolation == "auto",
        sandbox_users=options.sandbox_users,
        strict_roles=options.strict_roles,
        retry_delays_s=tuple(float(delay) for delay in options.retry_delays.split(",") if delay),
        echo_logs=options.echo_logs,
        throw_away=options.throw_away,
        one_shot=options.one_shot,
        untimed=options.no_timeouts,
    )
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.umask(0o022)  # nobody else comes past that; functions, who have user ids of their own, must read their code
        with (home / "lock").open("w") as lock:
            _take(lock.fileno(), home)
            _raise_file_limit()
            asyncio.run(_serve(settings, options.announce))
        if settings.throw_away:
            shutil.rmtree(home, ignore_errors=True)
    except PenstockError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  (this is the command's own face)
        return error.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    defaults = Settings(home=Path())
    parser = argparse.ArgumentParser(prog="python -m runtime", description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="directory that keeps functions, code, logs, metrics")
    parser.add_argument("--host", default=defaults.host)
    parser.add_argument("--port", type=int, default=defaults.port, help="0 takes a free one")
    parser.add_argument("--announce", type=Path, help="file that is told pid, port and url when the server listens")
    parser.add_argument("--account", default=defaults.account)
    parser.add_argument("--region", default=defaults.region)
    parser.add_argument("--concurrency", type=int, default=defaults.concurrency, help="invocations at once")
    parser.add_argument("--max-environments", type=int, default=defaults.max_environments, help="processes at once")
    parser.add_argument("--idle-seconds", type=float, default=defaults.idle_s, help="idle environments end after this")
    parser.add_argument("--init-seconds", type=float, default=defaults.init_timeout_s, help="limit of the Init phase")
    parser.add_argument(
        "--isolation", choices=("auto", "off"), default="auto", help="off runs functions as this user, unprotected"
    )
    users = "-".join(str(user) for user in defaults.sandbox_users)
    parser.add_argument(
        "--sandbox-users", type=_user_range, default=users, help="user ids for sandboxes, when this server is root"
    )
    parser.add_argument("--strict-roles", action="store_true", help="refuse execution roles that IAM does not know")
    delays = ",".join(f"{delay:g}" for delay in defaults.retry_delays_s)
    parser.add_argument("--retry-delays", default=delays, help="seconds before each retry of an asynchronous event")
    parser.add_argument("--echo-logs", type=int, metavar="FD", help="write what functions log to this descriptor, too")
    parser.add_argument("--no-timeouts", action="store_true", help="let functions take as long as they like")
    parser.add_argument("--one-shot", action="store_true", help="start quickly, for a single invocation")
    throw_away = "end when standard input ends, and remove the home then"
    parser.add_argument("--throw-away", action="store_true", help=throw_away)
    return parser


def _user_range(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    return int(first), int(last)


def _take(descriptor: int, home: Path) -> None:
    """Hold the home for this process alone."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotAllowed("another server uses this directory", where=str(home), hint="stop it first") from None


def _raise_file_limit() -> None:
    """Allow as many connections and log pipes as the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


async def _serve(settings: Settings, announce: Path | None) -> None:
    clock = SystemClock()
    server = Server(settings, clock, RandomIds())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if settings.throw_away:
        loop.add_reader(sys.stdin.fileno(), stop.set)  # nobody writes there: it is readable when it has ended
    try:
        await server.start()
    except OSError as error:
        raise Unavailable("the runtime cannot start", where=str(settings.home), why=str(error)) from error
    if announce is not None:
        facts = {"pid": os.getpid(), "port": server.port, "url": server.url, "started_at": iso(clock.now())}
        write_atomic(announce, json.dumps(facts))
    logging.getLogger("runtime").info("listening on %s", server.url)
    await stop.wait()
    await server.stop()


if __name__ == "__main__":
    sys.exit(main())
