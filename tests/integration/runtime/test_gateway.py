"""Every other service behind the same endpoint: S3 in all its forms, a crash of the server, what is not there."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.fakes.runtime_process import Connection, RuntimeProcess, alive, until

MEGABYTE = 1 << 20
SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture(scope="module")
def bucket(server: RuntimeProcess) -> str:
    """The name of a bucket."""
    server.client("s3").create_bucket(Bucket="things")
    return "things"


def memory_kb(pid: int) -> int:
    """The most memory the process has used."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])


def test_an_object_is_put_read_listed_and_deleted(server: RuntimeProcess, bucket: str) -> None:
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key="a b/ü+.txt", Body=b"hello", Metadata={"kind": "x"})
    got = s3.get_object(Bucket=bucket, Key="a b/ü+.txt", Range="bytes=1-3")
    assert (got["Body"].read(), got["ContentRange"], got["Metadata"]) == (b"ell", "bytes 1-3/5", {"kind": "x"})
    assert s3.head_object(Bucket=bucket, Key="a b/ü+.txt")["ContentLength"] == 5
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket, Prefix="a ")["Contents"]] == ["a b/ü+.txt"]
    s3.delete_object(Bucket=bucket, Key="a b/ü+.txt")
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket=bucket, Key="a b/ü+.txt")


def test_the_bucket_may_be_in_the_hosts_name(server: RuntimeProcess, bucket: str) -> None:
    server.client("s3").put_object(Bucket=bucket, Key="virtual", Body=b"in the host")
    for host in (f"{bucket}.localhost:{server.port}", f"{bucket}.s3.us-east-1.localhost", f"{bucket}.s3.localhost"):
        headers = {"Host": host, "Authorization": SIGNED}
        status, _, body = Connection(server.port).request("GET", "/virtual", b"", headers)
        assert (status, body) == (200, b"in the host")


def test_presigned_addresses_work_without_further_credentials(server: RuntimeProcess, bucket: str) -> None:
    for version in ("s3v4", "s3"):
        s3 = boto3.client(
            "s3", endpoint_url=server.url, region_name="us-east-1", aws_access_key_id="testing",
            aws_secret_access_key="testing", config=Config(signature_version=version),
        )  # fmt: skip
        place = {"Bucket": bucket, "Key": f"presigned-{version}"}
        put = s3.generate_presigned_url("put_object", Params=place)
        with urllib.request.urlopen(urllib.request.Request(put, b"from afar", method="PUT")) as answer:
            assert answer.status == 200
        with urllib.request.urlopen(s3.generate_presigned_url("get_object", Params=place)) as answer:
            assert answer.read() == b"from afar"


def test_large_objects_pass_through_without_being_held(server: RuntimeProcess, bucket: str) -> None:
    before, size = memory_kb(server.pid), 96 * MEGABYTE
    data = os.urandom(MEGABYTE) * 96
    server.client("s3").put_object(Bucket=bucket, Key="large", Body=data)
    digest, read = hashlib.sha256(), 0
    for piece in server.client("s3").get_object(Bucket=bucket, Key="large")["Body"].iter_chunks(MEGABYTE):
        digest.update(piece)
        read += len(piece)
    assert (read, digest.hexdigest()) == (size, hashlib.sha256(data).hexdigest())
    assert memory_kb(server.pid) - before < 32 * 1024


def test_multipart_uploads(server: RuntimeProcess, bucket: str) -> None:
    config = TransferConfig(multipart_threshold=6 * MEGABYTE, multipart_chunksize=5 * MEGABYTE)
    data = os.urandom(12 * MEGABYTE)
    server.client("s3").upload_fileobj(BytesIO(data), bucket, "parts", Config=config)
    assert server.client("s3").head_object(Bucket=bucket, Key="parts")["ETag"].endswith('-3"')
    target = BytesIO()
    server.client("s3").download_fileobj(bucket, "parts", target)
    assert target.getvalue() == data


def test_bodies_of_unknown_length_and_in_aws_chunks(server: RuntimeProcess, bucket: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    pieces = (b"x" * 70_000 for _ in range(30))
    connection.request("PUT", f"/{bucket}/chunked", pieces, {"Transfer-Encoding": "chunked"}, encode_chunked=True)
    assert connection.getresponse().read() == b""
    assert server.client("s3").head_object(Bucket=bucket, Key="chunked")["ContentLength"] == 2_100_000
    body = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
    headers = {
        "Content-Encoding": "aws-chunked", "X-Amz-Content-Sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "X-Amz-Decoded-Content-Length": "11", "X-Amz-Trailer": "x-amz-checksum-crc32",
    }  # fmt: skip
    assert Connection(server.port).request("PUT", f"/{bucket}/aws-chunked", body, headers)[0] == 200
    assert server.client("s3").get_object(Bucket=bucket, Key="aws-chunked")["Body"].read() == b"hello world"


def test_a_client_that_waits_for_100_continue_gets_it(server: RuntimeProcess, bucket: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        head = f"PUT /{bucket}/waited HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"y" * 2_000_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_goes_away_leaves_no_object(server: RuntimeProcess, bucket: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"PUT /{bucket}/half HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n".encode())
        connection.sendall(b"y" * 1_000_000)
    s3 = server.client("s3")
    s3.put_object(Bucket=bucket, Key="after", Body=b"")
    assert "half" not in [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]]


def test_many_clients_at_once(server: RuntimeProcess, bucket: str) -> None:
    script = (
        "import sys, concurrent.futures as f; sys.path.insert(0, '.');"
        "from tests.fakes.runtime_process import client; s3 = client('s3', sys.argv[1]);"
        "go = lambda n: s3.put_object(Bucket=sys.argv[2], Key=f'many/{n}', Body=b'x' * n * 40000);"
        "list(f.ThreadPoolExecutor(16).map(go, range(64)))"
    )
    subprocess.run([sys.executable, "-c", script, server.url, bucket], check=True, timeout=60)
    found = server.client("s3").list_objects_v2(Bucket=bucket, Prefix="many/")["Contents"]
    assert sorted(each["Size"] for each in found) == [number * 40_000 for number in range(64)]


def test_every_service_is_for_the_configured_account_and_region(own_server: Callable[..., RuntimeProcess]) -> None:
    server = own_server("--account", "111122223333", "--region", "eu-west-1")

    def made(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=server.url, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
        )

    assert made("sts").get_caller_identity()["Account"] == "111122223333"
    assert made("sns").create_topic(Name="t")["TopicArn"] == "arn:aws:sns:eu-west-1:111122223333:t"
    url = made("sqs").create_queue(QueueName="q")["QueueUrl"]
    assert url == f"{server.url}/111122223333/q"
    table = made("dynamodb").create_table(
        TableName="t", KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
    )  # fmt: skip
    assert table["TableDescription"]["TableArn"] == "arn:aws:dynamodb:eu-west-1:111122223333:table/t"


def test_lambda_logs_and_metrics_are_never_motos(server: RuntimeProcess) -> None:
    server.client("sqs").list_queues()
    server.create("ours")
    names = [each["FunctionName"] for each in server.client().list_functions()["Functions"]]
    assert "ours" in names
    server.client().invoke(FunctionName="ours")
    logs = server.client("logs")
    until(lambda: logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/ours")["logGroups"])


def test_what_moto_does_not_have_is_named(server: RuntimeProcess) -> None:
    with pytest.raises(ClientError, match="imagebuilder is not answered") as refused:
        server.client("imagebuilder").list_images()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert Connection(server.port).request("POST", "/moto-api/reset")[0] == 404


def test_nobody_asks_the_backend_but_the_server(server: RuntimeProcess, bucket: str) -> None:
    party = json.loads((server.home / "gateway" / "backend.json").read_text())
    assert Connection(party["port"]).request("GET", f"/{bucket}")[0] == 403
    assert (server.home / "gateway").stat().st_mode & 0o077 == 0
    assert (server.home / "gateway" / "secret").stat().st_mode & 0o077 == 0


def test_queues_survive_a_killed_server_and_end_with_an_orderly_stop(
    own_server: Callable[..., RuntimeProcess],
) -> None:
    server = own_server()
    queue = server.client("sqs").create_queue(QueueName="kept")["QueueUrl"]
    server.client("sqs").send_message(QueueUrl=queue, MessageBody="still here")
    backend = json.loads((server.home / "gateway" / "backend.json").read_text())
    server.kill()
    server.start()
    sqs = server.client("sqs")
    found = sqs.receive_message(QueueUrl=sqs.get_queue_url(QueueName="kept")["QueueUrl"])["Messages"]
    assert [each["Body"] for each in found] == ["still here"]
    assert json.loads((server.home / "gateway" / "backend.json").read_text()) == backend
    assert server.stop() == 0
    assert server.descendants() == []
    server.start()
    assert server.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_backend_that_dies_is_started_again(own_server: Callable[..., RuntimeProcess]) -> None:
    server = own_server()
    server.client("sqs").create_queue(QueueName="lost")
    pid = int(json.loads((server.home / "gateway" / "backend.json").read_text())["holder"].split("/")[2])
    os.kill(pid, 9)
    until(lambda: not alive(pid))
    assert server.client("sqs").list_queues().get("QueueUrls", []) == []


def test_a_backend_ends_when_its_home_is_removed(tmp_path: Path) -> None:
    server = RuntimeProcess(tmp_path / "home")
    server.start()
    server.client("sqs").list_queues()
    pid = int(json.loads((server.home / "gateway" / "backend.json").read_text())["holder"].split("/")[2])
    server.kill()
    subprocess.run(["rm", "-rf", str(server.home)], check=True)
    until(lambda: not alive(pid))


def test_the_first_call_of_another_service_comes_soon(own_server: Callable[..., RuntimeProcess]) -> None:
    server = own_server()
    assert not (server.home / "gateway").exists()  # nothing is started before it is needed
    s3 = server.client("s3")
    s3.create_bucket(Bucket="first-call")
    assert (server.home / "gateway" / "backend.json").exists()
