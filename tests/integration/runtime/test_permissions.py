"""Who may do what, through real clients: services, other accounts, roles, users, and functions themselves."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from runtime.gateway.trusted import headers_of
from runtime.policy.callers import Service
from tests.fakes.runtime_process import Connection, RuntimeProcess, package, until

HOME, OTHER = "123456789012", "999999999999"
LAMBDA_MAY_ASSUME = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
HOME_MAY_ASSUME = {"Effect": "Allow", "Principal": {"AWS": HOME}, "Action": "sts:AssumeRole"}
CALLS = """
import boto3, json

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        answer = getattr(client, event["operation"])(**event.get("parameters", {}))
    except Exception as error:
        return {"code": error.response["Error"]["Code"], "message": error.response["Error"]["Message"],
                "status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    answer.pop("ResponseMetadata")
    return json.loads(json.dumps(answer, default=str))
"""


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def arn(function: str) -> str:
    return f"arn:aws:lambda:us-east-1:{HOME}:function:{function}"


def signed(server: RuntimeProcess, service: str, key: str, secret: str = "secret", token: str | None = None) -> Any:
    """A client that signs with these."""
    make: Any = boto3.client
    return make(
        service, endpoint_url=server.url, region_name="us-east-1", aws_access_key_id=key,
        aws_secret_access_key=secret, aws_session_token=token, config=Config(retries={"total_max_attempts": 1}),
    )  # fmt: skip


def assumed(server: RuntimeProcess, role: str, service: str = "lambda", **more: str) -> Any:
    """A client of a session of the role."""
    made = server.client("sts").assume_role(RoleArn=role, RoleSessionName="tester", **more)["Credentials"]
    return signed(server, service, made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])


def new_role(server: RuntimeProcess, name: str, *statements: Mapping[str, Any], trust: Any = LAMBDA_MAY_ASSUME) -> str:
    """The ARN of a new role with these statements for its only policy."""
    iam = server.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=policy(trust))
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy(*statements))
    return str(made["Role"]["Arn"])


def refusal(call: Any, **parameters: Any) -> tuple[str, int, str]:
    """Code, status and message of the refusal that the call meets."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"], error["Error"]["Message"]


def called(server: RuntimeProcess, function: str, service: str, operation: str, **parameters: Any) -> Any:
    """What the function got from its own AWS call."""
    event = json.dumps({"service": service, "operation": operation, "parameters": parameters})
    answer = server.client().invoke(FunctionName=function, Payload=event)
    return json.loads(answer["Payload"].read())


class Backend:
    """What a service does: invoke a function with the proof that it is the service."""

    def __init__(self, server: RuntimeProcess) -> None:
        self._connection = Connection(server.port)
        self._secret = (server.home / "gateway" / "secret").read_text()

    def invoke(self, function: str, principal: str, source_arn: str, source_account: str = HOME) -> int:
        """The status of the answer."""
        headers = headers_of(Service(principal, source_arn, source_account), self._secret)
        return self._connection.request("POST", f"/2015-03-31/functions/{function}/invocations", b"{}", headers)[0]


@pytest.fixture(scope="module")
def backend(server: RuntimeProcess) -> Backend:
    """The backend of the other services; it runs from the first call on."""
    server.client("iam").list_roles()
    return Backend(server)


# services --------------------------------------------------------------------------------------------------------


def test_a_service_needs_a_permission_that_names_its_source(server: RuntimeProcess, backend: Backend) -> None:
    server.create("served")
    bucket = ("s3.amazonaws.com", "arn:aws:s3:::uploads")
    assert backend.invoke("served", *bucket) == 403
    server.client().add_permission(
        FunctionName="served", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com",
        SourceArn="arn:aws:s3:::up*", SourceAccount=HOME,
    )  # fmt: skip

    assert backend.invoke("served", *bucket) == 200
    assert backend.invoke("served", "s3.amazonaws.com", "arn:aws:s3:::downloads") == 403
    assert backend.invoke("served", *bucket, OTHER) == 403
    assert backend.invoke("served", "sns.amazonaws.com", "arn:aws:s3:::uploads") == 403

    server.client().remove_permission(FunctionName="served", StatementId="s3")
    assert backend.invoke("served", *bucket) == 403


def test_a_permission_covers_the_qualifier_it_was_given_for(server: RuntimeProcess, backend: Backend) -> None:
    server.create("aliased", publish=True)
    server.client().create_alias(FunctionName="aliased", Name="live", FunctionVersion="1")
    server.client().add_permission(
        FunctionName="aliased", Qualifier="live", StatementId="sns", Action="lambda:InvokeFunction",
        Principal="sns.amazonaws.com",
    )  # fmt: skip
    topic = ("sns.amazonaws.com", f"arn:aws:sns:us-east-1:{HOME}:news")

    assert [backend.invoke(name, *topic) for name in ("aliased:live", "aliased", "aliased:1")] == [200, 403, 403]


def test_only_the_backend_is_believed_to_be_a_service(server: RuntimeProcess, backend: Backend) -> None:
    server.create("believing")
    headers = headers_of(Service("s3.amazonaws.com", "arn:aws:s3:::uploads", HOME), "a guess")

    status, _, _ = Connection(server.port).request(
        "POST", "/2015-03-31/functions/believing/invocations", b"{}", headers
    )

    assert status == 200  # as root, the owner of this machine: the claim alone is worth nothing
    assert backend.invoke("believing", "s3.amazonaws.com", "arn:aws:s3:::uploads") == 403


# other accounts --------------------------------------------------------------------------------------------------


def test_another_account_needs_a_permission(server: RuntimeProcess) -> None:
    server.create("shared")
    stranger = signed(server, "lambda", OTHER)
    message = (
        f"User: arn:aws:iam::{OTHER}:root is not authorized to perform: lambda:InvokeFunction on resource: "
        f"{arn('shared')} because no resource-based policy allows the lambda:InvokeFunction action"
    )
    assert refusal(stranger.invoke, FunctionName=arn("shared")) == ("AccessDeniedException", 403, message)
    server.client().add_permission(
        FunctionName="shared", StatementId="other", Action="lambda:InvokeFunction", Principal=OTHER
    )

    assert stranger.invoke(FunctionName=arn("shared"))["StatusCode"] == 200
    assert refusal(stranger.get_function, FunctionName=arn("shared"))[:2] == ("AccessDeniedException", 403)
    assert refusal(stranger.list_functions)[:2] == ("AccessDeniedException", 403)
    assert refusal(signed(server, "lambda", "888888888888").invoke, FunctionName=arn("shared"))[1] == 403


def test_a_session_of_another_accounts_role_is_of_that_account(server: RuntimeProcess) -> None:
    server.create("lent")
    visitor = assumed(server, f"arn:aws:iam::{OTHER}:role/visitor")
    code, status, message = refusal(visitor.invoke, FunctionName="lent")
    assert (code, status) == ("AccessDeniedException", 403)
    assert message.startswith(f"User: arn:aws:sts::{OTHER}:assumed-role/visitor/tester is not authorized")
    server.client().add_permission(
        FunctionName="lent", StatementId="visitor", Action="lambda:InvokeFunction",
        Principal=f"arn:aws:iam::{OTHER}:role/visitor",
    )  # fmt: skip

    assert visitor.invoke(FunctionName="lent")["StatusCode"] == 200


def test_an_explicit_deny_binds_even_root(server: RuntimeProcess) -> None:
    server.create("locked")
    api = server.client()
    statement = {"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "lambda:InvokeFunction"}
    api.put_resource_policy(ResourceArn=arn("locked"), Policy=policy({**statement, "Resource": arn("locked")}))

    _, status, message = refusal(api.invoke, FunctionName="locked")

    assert status == 403
    assert message.endswith("with an explicit deny in a resource-based policy")
    api.delete_resource_policy(ResourceArn=arn("locked"))
    assert api.invoke(FunctionName="locked")["StatusCode"] == 200


# roles and users -------------------------------------------------------------------------------------------------


def test_a_session_may_do_what_its_role_may_from_the_moment_it_may(server: RuntimeProcess) -> None:
    server.create("guarded")
    role = new_role(server, "operator", trust=HOME_MAY_ASSUME)
    operator = assumed(server, role)
    message = (
        f"User: arn:aws:sts::{HOME}:assumed-role/operator/tester is not authorized to perform: lambda:InvokeFunction "
        f"on resource: {arn('guarded')} because no identity-based policy allows the lambda:InvokeFunction action"
    )
    assert refusal(operator.invoke, FunctionName="guarded") == ("AccessDeniedException", 403, message)
    allow = {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "lambda:Get*"], "Resource": arn("guarded")}
    iam = server.client("iam")
    iam.put_role_policy(RoleName="operator", PolicyName="own", PolicyDocument=policy(allow))

    assert operator.invoke(FunctionName="guarded")["StatusCode"] == 200
    assert operator.get_function(FunctionName="guarded")["Configuration"]["FunctionName"] == "guarded"
    assert refusal(operator.delete_function, FunctionName="guarded")[1] == 403
    assert refusal(operator.list_functions)[1] == 403

    narrow = policy({"Effect": "Allow", "Action": "lambda:Get*", "Resource": "*"})
    limited = assumed(server, role, Policy=narrow)
    assert limited.get_function(FunctionName="guarded")
    assert "no session policy allows" in refusal(limited.invoke, FunctionName="guarded")[2]

    iam.delete_role_policy(RoleName="operator", PolicyName="own")
    assert refusal(operator.invoke, FunctionName="guarded")[1] == 403


def test_a_managed_policy_a_group_and_a_boundary_count(server: RuntimeProcess) -> None:
    server.create("managed")
    iam = server.client("iam")
    iam.create_user(UserName="ann")
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    ann = signed(server, "lambda", key["AccessKeyId"], key["SecretAccessKey"])
    assert "user/ann is not authorized" in refusal(ann.get_function, FunctionName="managed")[2]

    iam.create_group(GroupName="team")
    iam.add_user_to_group(UserName="ann", GroupName="team")
    iam.attach_group_policy(GroupName="team", PolicyArn="arn:aws:iam::aws:policy/AWSLambda_ReadOnlyAccess")
    assert ann.get_function(FunctionName="managed")
    assert refusal(ann.invoke, FunctionName="managed")[1] == 403

    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_user_policy(UserName="ann", PolicyName="own", PolicyDocument=policy(everything))
    assert ann.invoke(FunctionName="managed")["StatusCode"] == 200

    bounds = policy({**everything, "Action": "lambda:Get*"})
    limit = iam.create_policy(PolicyName="limit", PolicyDocument=bounds)["Policy"]["Arn"]
    trust = policy(HOME_MAY_ASSUME)
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=trust, PermissionsBoundary=limit)
    iam.put_role_policy(RoleName="bounded", PolicyName="own", PolicyDocument=policy(everything))
    bounded = assumed(server, f"arn:aws:iam::{HOME}:role/bounded")
    assert bounded.get_function(FunctionName="managed")
    assert "no permissions boundary allows" in refusal(bounded.invoke, FunctionName="managed")[2]


def test_a_known_key_with_another_secret_is_refused(server: RuntimeProcess) -> None:
    iam = server.client("iam")
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]["AccessKeyId"]

    assert refusal(signed(server, "lambda", key).list_functions)[:2] == ("InvalidSignatureException", 403)
    assert refusal(signed(server, "s3", key).list_buckets)[:2] == ("SignatureDoesNotMatch", 403)
    assert refusal(signed(server, "sqs", key).list_queues)[0] == "SignatureDoesNotMatch"
    assert refusal(signed(server, "dynamodb", key).list_tables)[0] == "InvalidSignatureException"
    assert refusal(signed(server, "sns", key).list_topics)[:2] == ("SignatureDoesNotMatch", 403)


def test_a_key_that_was_taken_back_is_no_key(server: RuntimeProcess) -> None:
    iam = server.client("iam")
    iam.create_user(UserName="leaver")
    made = iam.create_access_key(UserName="leaver")["AccessKey"]
    key, leaver = made["AccessKeyId"], signed(server, "sts", made["AccessKeyId"], made["SecretAccessKey"])
    assert leaver.get_caller_identity()["Arn"] == f"arn:aws:iam::{HOME}:user/leaver"

    iam.update_access_key(UserName="leaver", AccessKeyId=key, Status="Inactive")
    assert refusal(leaver.get_caller_identity)[:2] == ("InvalidClientTokenId", 403)
    iam.update_access_key(UserName="leaver", AccessKeyId=key, Status="Active")
    assert leaver.get_caller_identity()
    iam.delete_access_key(UserName="leaver", AccessKeyId=key)
    assert (
        refusal(signed(server, "lambda", key, made["SecretAccessKey"]).list_functions)[0]
        == "UnrecognizedClientException"
    )


def test_a_role_must_be_passed_by_who_may(server: RuntimeProcess) -> None:
    passed = new_role(server, "passed")
    create = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*"}
    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": passed, "Condition": to_lambda}
    without = assumed(server, new_role(server, "deployer-without", create, trust=HOME_MAY_ASSUME))
    with_ = assumed(server, new_role(server, "deployer-with", create, passing, trust=HOME_MAY_ASSUME))
    code = {"ZipFile": package()}
    function = {
        "FunctionName": "passing",
        "Role": passed,
        "Runtime": f"python3.{sys.version_info[1]}",
        "Handler": "app.handler",
    }

    code_, status, message = refusal(without.create_function, Code=code, **function)

    assert (code_, status) == ("AccessDeniedException", 403)
    assert f"is not authorized to perform: iam:PassRole on resource: {passed} because" in message
    assert with_.create_function(Code=code, **function)["Role"] == passed
    until(lambda: server.client().get_function(FunctionName="passing")["Configuration"]["State"] == "Active")
    assert refusal(without.update_function_configuration, FunctionName="passing", Role=passed)[1] == 403
    assert without.update_function_configuration(FunctionName="passing", Timeout=5)["Timeout"] == 5


def test_lambda_must_be_able_to_assume_the_role(server: RuntimeProcess) -> None:
    wrong = new_role(server, "for-ec2", trust={**LAMBDA_MAY_ASSUME, "Principal": {"Service": "ec2.amazonaws.com"}})
    elsewhere = {"StringEquals": {"aws:SourceAccount": OTHER}}
    narrow = new_role(server, "for-others", trust={**LAMBDA_MAY_ASSUME, "Condition": elsewhere})
    only = {"ArnLike": {"aws:SourceArn": arn("wanted")}}
    fitting = new_role(server, "for-one", trust={**LAMBDA_MAY_ASSUME, "Condition": only})
    expected = (
        "InvalidParameterValueException", 400, "The role defined for the function cannot be assumed by Lambda."
    )  # fmt: skip

    assert refusal(server.create, name="untrusted", Role=wrong) == expected
    assert refusal(server.create, name="untrusted", Role=narrow) == expected
    assert refusal(server.create, name="unwanted", Role=fitting) == expected
    server.create("wanted", Role=fitting)
    assert refusal(server.client().update_function_configuration, FunctionName="wanted", Role=wrong) == expected


def test_the_execution_role_must_allow_what_lambda_does_with_it(server: RuntimeProcess) -> None:
    queue = server.client("sqs").create_queue(QueueName="work", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
    queue_arn = f"arn:aws:sqs:us-east-1:{HOME}:{queue.rpartition('/')[2]}"
    role = new_role(server, "poller", {"Effect": "Allow", "Action": "sqs:GetQueueAttributes", "Resource": "*"})
    server.create("polled", Role=role)
    mapping = {"FunctionName": "polled", "EventSourceArn": queue_arn, "Enabled": False}
    problem = "The provided execution role does not have permissions to call ReceiveMessage on SQS"
    create = server.client().create_event_source_mapping

    assert refusal(create, **mapping) == ("InvalidParameterValueException", 400, problem)
    dead = {"TargetArn": queue_arn}
    update = server.client().update_function_configuration
    assert "call SendMessage on SQS" in refusal(update, FunctionName="polled", DeadLetterConfig=dead)[2]

    allowed = policy({"Effect": "Allow", "Action": "sqs:*", "Resource": queue_arn})
    server.client("iam").put_role_policy(RoleName="poller", PolicyName="own", PolicyDocument=allowed)
    assert create(**mapping)["EventSourceArn"] == queue_arn


# functions -------------------------------------------------------------------------------------------------------


def test_a_function_calls_another_only_if_its_role_may(server: RuntimeProcess) -> None:
    server.create("target")
    role = new_role(server, "caller")
    server.create("calling", CALLS, Role=role)
    invoke = ("calling", "lambda", "invoke")

    refused = called(server, *invoke, FunctionName="target")
    assert (refused["code"], refused["status"]) == ("AccessDeniedException", 403)
    assert (
        f"assumed-role/caller/calling is not authorized to perform: lambda:InvokeFunction on resource: {arn('target')}"
        in refused["message"]
    )
    allow = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": arn("target")}
    server.client("iam").put_role_policy(RoleName="caller", PolicyName="own", PolicyDocument=policy(allow))

    assert called(server, *invoke, FunctionName="target")["StatusCode"] == 200
    assert called(server, *invoke, FunctionName="target:$LATEST")["status"] == 403
    update = {"FunctionName": "target", "Name": "live", "FunctionVersion": "1"}
    assert called(server, "calling", "lambda", "update_alias", **update)["status"] == 403


CLAIMS = """
import boto3, http.client, os
from botocore.config import Config

def code(client, operation, **parameters):
    try:
        getattr(client, operation)(**parameters)
    except Exception as error:
        return error.response["Error"]["Code"]
    return "done"

def client(service, key, secret):
    return boto3.client(service, aws_access_key_id=key, aws_secret_access_key=secret)

def unsigned(path):
    host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://")
    connection = http.client.HTTPConnection(host)
    connection.request("GET", path)
    return connection.getresponse().status

def handler(event, context):
    claims = [("testing", "testing"), ("AKIALOCALROOTRUNTIME", "local"), ("123456789012", "x"), ("999999999999", "x")]
    return {
        "who": sorted({client("sts", *claim).get_caller_identity()["Arn"] for claim in claims}),
        "lambda": [code(client("lambda", *claim), "delete_function", FunctionName="victim") for claim in claims],
        "s3": [code(client("s3", *claim), "list_buckets") for claim in claims],
        "unsigned": unsigned("/2015-03-31/functions/"),
    }
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="sandboxes have users of their own only when the server is root")
def test_a_function_is_itself_whatever_it_claims(server: RuntimeProcess) -> None:
    server.create("victim")
    server.create("claiming", CLAIMS, Role=new_role(server, "nobody"), Timeout=30)

    found = json.loads(server.client().invoke(FunctionName="claiming")["Payload"].read())

    assert found["who"] == [f"arn:aws:sts::{HOME}:assumed-role/nobody/claiming"]
    assert found["lambda"] == ["AccessDeniedException"] * 4
    assert found["s3"] == ["AccessDenied"] * 4
    assert found["unsigned"] == 403


def test_a_resource_policy_lets_a_functions_role_in(server: RuntimeProcess) -> None:
    server.create("inviting")
    role = new_role(server, "guest")
    server.create("visiting", CALLS, Role=role)
    server.client().add_permission(
        FunctionName="inviting", StatementId="guest", Action="lambda:InvokeFunction", Principal=role
    )

    assert called(server, "visiting", "lambda", "invoke", FunctionName="inviting")["StatusCode"] == 200


def test_what_a_function_asks_of_other_services_is_held_against_its_role(server: RuntimeProcess) -> None:
    server.client("s3").create_bucket(Bucket="private")
    server.client("s3").put_object(Bucket="private", Key="open/a", Body=b"1")
    read = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::private/open/*"}
    server.create("reading", CALLS, Role=new_role(server, "reader", read))

    assert called(server, "reading", "s3", "head_object", Bucket="private", Key="open/a")["ContentLength"] == 1
    refused = called(server, "reading", "s3", "get_object", Bucket="private", Key="closed/a")
    assert (refused["code"], refused["status"]) == ("AccessDenied", 403)
    assert "s3:GetObject on resource: arn:aws:s3:::private/closed/a because no identity-based" in refused["message"]
    assert called(server, "reading", "s3", "list_objects_v2", Bucket="private")["code"] == "AccessDenied"
    assert called(server, "reading", "dynamodb", "list_tables")["code"] == "AccessDeniedException"
    assert called(server, "reading", "sns", "list_topics")["code"] == "AccessDenied"
    assert called(server, "reading", "logs", "describe_log_groups")["code"] == "AccessDeniedException"
    assert called(server, "reading", "cloudwatch", "list_metrics")["code"].startswith("AccessDenied")


def test_a_function_knows_who_it_is(server: RuntimeProcess) -> None:
    role = new_role(server, "somebody")
    server.create("selfaware", CALLS, Role=role)

    identity = called(server, "selfaware", "sts", "get_caller_identity")

    assert identity["Arn"] == f"arn:aws:sts::{HOME}:assumed-role/somebody/selfaware"
    assert identity["Account"] == HOME
    role_id = server.client("iam").get_role(RoleName="somebody")["Role"]["RoleId"]
    assert identity["UserId"] == f"{role_id}:selfaware"
    assert server.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{HOME}:root"


def test_a_role_that_iam_does_not_know_restricts_nothing_and_the_log_says_so(server: RuntimeProcess) -> None:
    role = f"arn:aws:iam::{HOME}:role/nowhere"
    server.create("unrestricted", CALLS, Role=role)

    assert "Buckets" in called(server, "unrestricted", "s3", "list_buckets")
    assert called(server, "unrestricted", "sts", "get_caller_identity")["Arn"].endswith("role/nowhere/unrestricted")
    until(lambda: f"[WARN] the local IAM has no role {role}: " in server.log_text("unrestricted"))


def test_credentials_stay_the_same_and_stay_out_of_sight(server: RuntimeProcess) -> None:
    source = (
        "import os, hashlib\ndef handler(event, context):\n"
        "    return [os.environ[n] for n in ('AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN')]\n"
    )
    server.create("keeping", source)
    first, second = (json.loads(server.client().invoke(FunctionName="keeping")["Payload"].read()) for _ in range(2))

    assert first == second
    assert first[0].startswith("ASIA")
    assert len(first[0]) == 20
    seen = server.log_text("keeping") + (server.home.parent / "runtime.log").read_text()
    assert not any(secret in seen for secret in first)
    outside = signed(server, "sts", *first)
    assert outside.get_caller_identity()["Arn"].endswith("/keeping")
    assert refusal(signed(server, "sts", first[0], "wrong", first[2]).get_caller_identity)[1] == 403


def test_a_role_is_assumed_only_by_whom_it_trusts(server: RuntimeProcess) -> None:
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    server.create("climbing", CALLS, Role=new_role(server, "climber", may))
    closed = new_role(server, "summit")
    opened = new_role(
        server, "hill", trust={**HOME_MAY_ASSUME, "Principal": {"AWS": f"arn:aws:iam::{HOME}:role/climber"}}
    )

    refused = called(server, "climbing", "sts", "assume_role", RoleArn=closed, RoleSessionName="up")
    allowed = called(server, "climbing", "sts", "assume_role", RoleArn=opened, RoleSessionName="up")

    assert (refused["code"], refused["status"]) == ("AccessDenied", 403)
    assert allowed["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{HOME}:assumed-role/hill/up"


def test_strict_servers_take_known_roles_only(own_server: Any) -> None:
    strict = own_server("--strict-roles")

    assert refusal(strict.create, name="one")[0] == "InvalidParameterValueException"
    strict.create("two", Role=new_role(strict, "known"))
