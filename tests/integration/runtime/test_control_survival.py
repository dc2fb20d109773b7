"""What was said about functions is still so after the server was killed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from tests.fakes.runtime_process import RuntimeProcess, package, until

Own = Callable[..., RuntimeProcess]
USES_LAYER = "def handler(event, context):\n    import shared\n    return shared.NAME\n"


def layer(text: str) -> bytes:
    """A layer with one module, `shared`."""
    return package("", **{"python/shared.py": text})


def kept(server: RuntimeProcess, digest: str) -> list[str]:
    """What the code store has of the package with this digest."""
    name = base64.b64decode(digest).hex()
    return sorted(path.name for path in (server.home / "code").glob(f"{name}*"))


def test_policies_limits_configs_urls_and_mappings_outlive_a_kill(own_server: Own) -> None:
    server = own_server()
    server.create("orders", publish=True)
    of = server.client()
    of.create_alias(FunctionName="orders", Name="live", FunctionVersion="1")
    grant = {"StatementId": "s", "Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}
    of.add_permission(FunctionName="orders", Qualifier="live", **grant)
    of.put_function_concurrency(FunctionName="orders", ReservedConcurrentExecutions=3)
    of.put_function_event_invoke_config(FunctionName="orders", MaximumRetryAttempts=0)
    of.create_function_url_config(FunctionName="orders", AuthType="NONE")
    of.put_provisioned_concurrency_config(FunctionName="orders", Qualifier="1", ProvisionedConcurrentExecutions=1)
    server.client("sqs").create_queue(QueueName="jobs")
    queue = "arn:aws:sqs:us-east-1:123456789012:jobs"
    uuid = of.create_event_source_mapping(FunctionName="orders", EventSourceArn=queue)["UUID"]

    def shown() -> dict[str, Any]:
        now = server.client()
        policy = now.get_policy(FunctionName="orders", Qualifier="live")
        return {
            "policy": (policy["Policy"], policy["RevisionId"]),
            "concurrency": now.get_function_concurrency(FunctionName="orders")["ReservedConcurrentExecutions"],
            "events": now.get_function_event_invoke_config(FunctionName="orders")["MaximumRetryAttempts"],
            "url": now.get_function_url_config(FunctionName="orders")["FunctionUrl"].partition(".")[0],
            "mapping": now.get_event_source_mapping(UUID=uuid)["EventSourceArn"],
        }

    before = shown()
    server.kill()
    server.start()
    assert shown() == before

    def ready() -> bool:
        now = server.client()
        config = now.get_provisioned_concurrency_config(FunctionName="orders", Qualifier="1")
        mapping = now.get_event_source_mapping(UUID=uuid)
        return bool(config["Status"] == "READY" and mapping["State"] == "Enabled")

    until(ready)


def test_a_deleted_layer_version_stays_while_it_is_used_and_goes_when_it_is_not(own_server: Own) -> None:
    server = own_server()
    of = server.client()
    used = of.publish_layer_version(LayerName="used", Content={"ZipFile": layer("NAME = 'used'\n")})
    unused = of.publish_layer_version(LayerName="unused", Content={"ZipFile": layer("NAME = 'unused'\n")})
    server.create("orders", USES_LAYER, Layers=[used["LayerVersionArn"]])
    for name in ("used", "unused"):
        of.delete_layer_version(LayerName=name, VersionNumber=1)
    server.kill()
    server.start()
    of = server.client()
    assert kept(server, unused["Content"]["CodeSha256"]) == []
    assert kept(server, used["Content"]["CodeSha256"]) != []
    assert json.loads(of.invoke(FunctionName="orders")["Payload"].read()) == "used"
    of.delete_function(FunctionName="orders")
    assert of.publish_layer_version(LayerName="used", Content={"ZipFile": layer("")})["Version"] == 2
    server.kill()
    server.start()
    assert kept(server, used["Content"]["CodeSha256"]) == []
    listed = server.client().list_layer_versions(LayerName="used")["LayerVersions"]
    assert [each["Version"] for each in listed] == [2]
