"""A server that lives no longer than whoever started it, and shows at once what functions log."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fakes.runtime_process import ROLE, alive, client, package, until

ROOT = Path(__file__).parents[3]


def test_it_ends_with_its_standard_input_and_takes_its_home_along(tmp_path: Path) -> None:
    """And what functions log came through the descriptor, before the answer did."""
    home, announced = tmp_path / "home", tmp_path / "announced"
    read, write = os.pipe()
    command = [sys.executable, "-m", "runtime", "--home", str(home), "--announce", str(announced), "--throw-away"]
    server = subprocess.Popen(
        [*command, "--echo-logs", str(write)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=(write,),
    )
    os.close(write)
    until(announced.exists)
    functions = client("lambda", json.loads(announced.read_text())["url"])
    source = "import os\ndef handler(event, context):\n    print('a word')\n    return os.getpid()\n"
    functions.create_function(
        FunctionName="shown",
        Code={"ZipFile": package(source)},
        Runtime=f"python3.{sys.version_info[1]}",
        Handler="app.handler",
        Role=ROLE,
    )
    functions.get_waiter("function_active_v2").wait(FunctionName="shown")
    functions.invoke(FunctionName="shown")
    shown = os.read(read, 65_536).decode()
    assert "START RequestId" in shown
    assert "\na word\n" in shown
    assert "\nREPORT RequestId" in shown

    assert server.stdin is not None
    server.stdin.close()
    assert server.wait(10) == 0
    os.close(read)
    assert not home.exists()
    assert not alive(server.pid)
