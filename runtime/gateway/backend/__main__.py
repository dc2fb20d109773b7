"""`python -m runtime.gateway.backend --directory DIR`: answer the other services until the server of DIR is gone."""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

from core import holder
from core.clock import SystemClock
from core.ids import RandomIds
from runtime.gateway.backend.deliveries import Deliveries
from runtime.gateway.backend.functions import Functions
from runtime.gateway.backend.log_groups import LogGroups
from runtime.gateway.backend.world import World
from runtime.gateway.files import Files, Party

_GRACE_S = 60.0
"""A server that was killed has this long to come back and find its queues as they were."""
_LOOK_S = 1.0
_log = logging.getLogger("runtime.gateway.backend")


def main() -> None:
    """Answer until told to end."""
    options = _parser().parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    files = Files(options.directory)
    temporary = files.directory / "temporary"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode=0o700)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _configure(options.account, options.region, temporary)
    try:
        _serve(files, options.account, options.region)
    finally:
        found = files.backend()
        if found is not None and found.holder == holder.this_process():
            files.forget_backend()
        shutil.rmtree(temporary, ignore_errors=True)
        logging.shutdown()
        os._exit(0)  # threads that still wait for an answer must not delay the end


def _configure(account: str, region: str, temporary: Path) -> None:
    """What moto reads from the environment when it is imported."""
    os.environ.update(
        {
            "MOTO_ACCOUNT_ID": account,
            "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
            "S3_IGNORE_SUBDOMAIN_BUCKETNAME": "true",
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "AKIALOCALROOTBACKEND",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "TMPDIR": str(temporary),
        }
    )


def _serve(files: Files, account: str, region: str) -> None:
    from runtime.gateway.backend.application import Application, listen  # after the environment is as moto needs it
    from runtime.gateway.backend.hooks import Hooks

    functions = Functions(files)
    hooks = Hooks(
        World(functions, Deliveries(functions), SystemClock(), RandomIds(), account, region, LogGroups(files))
    )
    hooks.start()
    server = listen(Application(files.secret(), hooks.prepare))
    watch = threading.Thread(target=_watch, args=(files,), daemon=True)
    watch.start()
    files.tell_backend(Party(holder.this_process(), server.port))
    _log.info("answering for account %s in %s on port %d", account, region, server.port)
    server.serve_forever()


def _watch(files: Files) -> None:
    """End this process when its home is gone, or has had no server for a while."""
    seen_at = time.monotonic()
    while True:
        party = files.server()
        if party is not None and party.alive:
            seen_at = time.monotonic()
            os.environ["MOTO_PORT"] = str(party.port)  # where moto's own AWS clients go
        if time.monotonic() - seen_at > _GRACE_S or not files.directory.exists():
            os.kill(os.getpid(), signal.SIGTERM)
            return
        time.sleep(_LOOK_S)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runtime.gateway.backend", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where server and backend find each other")
    parser.add_argument("--account", required=True)
    parser.add_argument("--region", required=True)
    return parser


if __name__ == "__main__":
    main()
