"""What a killed server leaves behind (its state) and what it does not (processes)."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.fakes.runtime_process import WHO, Connection, RuntimeProcess, alive, host_pid, until

Own = Callable[..., RuntimeProcess]


def test_functions_versions_aliases_and_tags_survive_a_kill(own_server: Own) -> None:
    server = own_server()
    server.create("kept", "def handler(e, c):\n    return c.function_version\n", publish=True, Tags={"team": "water"})
    server.update("kept", "def handler(e, c):\n    return 'two ' + c.function_version\n")
    lambda_ = server.client()
    lambda_.publish_version(FunctionName="kept")
    routing = {"AdditionalVersionWeights": {"2": 0.25}}
    made = lambda_.create_alias(FunctionName="kept", Name="live", FunctionVersion="1", RoutingConfig=routing)
    before = lambda_.list_versions_by_function(FunctionName="kept")["Versions"]
    server.kill()
    server.start()
    lambda_ = server.client()
    assert lambda_.list_versions_by_function(FunctionName="kept")["Versions"] == before
    alias = lambda_.get_alias(FunctionName="kept", Name="live")
    assert (alias["RoutingConfig"], alias["RevisionId"]) == (routing, made["RevisionId"])
    assert lambda_.get_function(FunctionName="kept")["Tags"] == {"team": "water"}
    assert json.loads(lambda_.invoke(FunctionName="kept:1")["Payload"].read()) == "1"
    assert json.loads(lambda_.invoke(FunctionName="kept:2")["Payload"].read()) == "two 2"


def test_an_update_that_a_kill_interrupted_is_finished_at_the_next_start(own_server: Own) -> None:
    server = own_server()
    server.create("half", "def handler(e, c):\n    return 1\n")
    server.stop()
    database = server.home / "catalog.db"
    script = (
        "import json, sqlite3, sys\n"
        "db = sqlite3.connect(sys.argv[1])\n"
        "document = json.loads(db.execute('SELECT document FROM versions').fetchone()[0])\n"
        "document['last_update'] = 'InProgress'\n"
        "db.execute('UPDATE versions SET document = ?', (json.dumps(document),))\n"
        "db.commit()\n"
    )
    subprocess.run([sys.executable, "-c", script, str(database)], check=True)
    for unpacked in (server.home / "code").iterdir():
        if unpacked.is_dir():
            subprocess.run(["rm", "-r", str(unpacked)], check=True)
    server.start()
    shown = server.client().get_function_configuration(FunctionName="half")
    assert (shown["State"], shown["LastUpdateStatus"]) == ("Active", "Successful")
    assert json.loads(server.client().invoke(FunctionName="half")["Payload"].read()) == 1


def written(server: RuntimeProcess) -> int:
    """How many invocations the metrics on disk count."""
    with sqlite3.connect(f"file:{server.home}/metrics.db?mode=ro", uri=True) as database:
        rows = database.execute("SELECT document FROM buckets").fetchall()
    return sum(json.loads(document)["invocations"] for (document,) in rows)


def test_metrics_survive_a_kill(own_server: Own) -> None:
    server = own_server()
    server.create("counted", "def handler(e, c):\n    if e.get('fail'): raise ValueError\n")
    for event in (b"{}", b"{}", b'{"fail": 1}'):
        server.client().invoke(FunctionName="counted", Payload=event)

    def total(metric: str) -> float:
        now = datetime.now(UTC)
        answer = server.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Lambda",
            MetricName=metric,
            Dimensions=[{"Name": "FunctionName", "Value": "counted"}],
            StartTime=now - timedelta(minutes=5),
            EndTime=now + timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return float(sum(point["Sum"] for point in answer["Datapoints"]))

    assert (total("Invocations"), total("Errors")) == (3, 1)
    until(lambda: written(server) == 3, 2)
    server.kill()
    server.start()
    assert (total("Invocations"), total("Errors")) == (3, 1)


def test_no_process_outlives_a_killed_server(own_server: Own) -> None:
    server = own_server()
    server.create("lives", "import subprocess\ndef handler(e, c):\n    subprocess.Popen(['sleep', '300'])\n")
    server.client().invoke(FunctionName="lives")
    server.create("runs", "import time\ndef handler(e, c):\n    time.sleep(60)\n", Timeout=60)
    server.client().invoke(FunctionName="runs", InvocationType="Event")
    until(lambda: len(server.descendants()) >= 4)
    server.kill()
    until(lambda: server.descendants() == [])


def test_no_process_outlives_server_and_template_killed_together(own_server: Own) -> None:
    server = own_server()
    server.create("both", f"import os\ndef handler(e, c):\n    return {WHO}\n")
    environment = json.loads(server.client().invoke(FunctionName="both")["Payload"].read())
    template = server.template()
    os.kill(server.pid, signal.SIGSTOP)  # so that it cannot react to the template's end before it dies itself
    os.kill(template, signal.SIGKILL)
    server.kill()
    until(lambda: server.descendants() == [])
    until(lambda: host_pid(environment) is None)


def test_processes_of_a_dead_server_are_swept_at_the_next_start(own_server: Own) -> None:
    server = own_server()
    server.kill()
    stray = subprocess.Popen(["sleep", "300"], env={"PENSTOCK_RUNTIMES": f"{server.home}/runtimes/"})
    server.start()
    assert stray.wait(5) == -signal.SIGKILL


def test_a_killed_template_is_replaced_and_running_environments_do_not_notice(own_server: Own) -> None:
    server = own_server()
    for name in ("before", "after"):
        server.create(name, f"import os\ndef handler(e, c):\n    return {WHO}\n")
    first = json.loads(server.client().invoke(FunctionName="before")["Payload"].read())
    template = server.template()
    os.kill(template, signal.SIGKILL)
    until(lambda: not alive(template))
    assert json.loads(server.client().invoke(FunctionName="before")["Payload"].read()) == first
    assert host_pid(json.loads(server.client().invoke(FunctionName="after")["Payload"].read())) is not None
    until(lambda: server.template() not in {0, template})


def test_two_servers_cannot_share_a_directory(own_server: Own) -> None:
    server = own_server()
    command = [sys.executable, "-m", "runtime", "--home", str(server.home)]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=root, check=False)
    assert done.returncode == 3
    assert "another server uses this directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_in_use_is_said_in_one_line(own_server: Own, tmp_path: Path) -> None:
    server = own_server()
    command = [sys.executable, "-m", "runtime", "--home", str(tmp_path / "other"), "--port", str(server.port)]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, cwd=root, check=False)
    assert done.returncode == 5
    assert "the runtime cannot start" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_change_that_was_answered_survives_a_kill_right_after(own_server: Own) -> None:
    server = own_server()
    server.create("weighed", "def handler(e, c):\n    return 1\n", publish=True)
    server.update("weighed", "def handler(e, c):\n    return 2\n")
    lambda_ = server.client()
    lambda_.publish_version(FunctionName="weighed")
    lambda_.create_alias(FunctionName="weighed", Name="live", FunctionVersion="1")
    for number in range(5):
        weight = number / 10
        connection = Connection(server.port)
        body = json.dumps({"RoutingConfig": {"AdditionalVersionWeights": {"2": weight}}}).encode()
        status, _, _ = connection.request("PUT", "/2015-03-31/functions/weighed/aliases/live", body)
        assert status == 200
        server.kill()
        server.start()
        shown = server.client().get_alias(FunctionName="weighed", Name="live")
        assert shown["RoutingConfig"]["AdditionalVersionWeights"] == {"2": weight}
