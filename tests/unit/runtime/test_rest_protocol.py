"""The rest-json protocol from the server's side, on botocore's own Lambda model."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.model import ServiceModel

from runtime.api import rest, validate
from runtime.api.errors import ApiError, rest_json
from runtime.api.model import Routes, load_service
from runtime.http import Request


@pytest.fixture(scope="module")
def model() -> ServiceModel:
    """Lambda's model."""
    return load_service("lambda")


@pytest.fixture(scope="module")
def routes(model: ServiceModel) -> Routes:
    """Its addresses."""
    return Routes(model)


def request(method: str, path: str, query: str = "", body: Any = None, **headers: str) -> Request:
    """A request with a JSON body."""
    return Request(method, path, query, headers, b"" if body is None else json.dumps(body).encode())


def test_every_operation_of_the_model_is_reached_at_its_own_address(model: ServiceModel, routes: Routes) -> None:
    for name in model.operation_names:
        http = model.operation_model(name).http
        path, _, query = http["requestUri"].partition("?")
        for label in ("FunctionName", "Name", "LayerName", "VersionNumber", "UUID", "Resource", "StatementId"):
            path = path.replace("{" + label + "}", f"x{label}")
        path = "/".join(part if not part.startswith("{") else "xOther" for part in path.split("/"))
        matched = routes.match(http["method"], path, query)
        assert matched is not None, name
        found = matched[0].http
        assert (found["method"], found["requestUri"]) == (http["method"], http["requestUri"])


def test_labels_are_decoded_and_a_final_slash_does_not_matter(routes: Routes) -> None:
    matched = routes.match("GET", "/2015-03-31/functions/arn%3Aaws%3Alambda/configuration/")
    assert matched is not None
    assert (matched[0].name, matched[1]) == ("GetFunctionConfiguration", {"FunctionName": "arn:aws:lambda"})


@pytest.mark.parametrize("query", ["find=LayerVersion&Arn=a", "Arn=a&find=LayerVersion"])
def test_operations_that_differ_in_the_query_only_are_told_apart_in_any_order(routes: Routes, query: str) -> None:
    found = [routes.match("GET", "/2018-10-31/layers", each) for each in (query, "Marker=find=LayerVersion", "")]
    assert [each[0].name for each in found if each is not None] == ["GetLayerVersionByArn", "ListLayers", "ListLayers"]


def test_a_number_in_the_path_is_a_number(model: ServiceModel, routes: Routes) -> None:
    parameters = parse(model, routes, request("GET", "/2018-10-31/layers/base/versions/7"))
    assert parameters == {"LayerName": "base", "VersionNumber": 7}
    with pytest.raises(ApiError) as error:
        parse(model, routes, request("GET", "/2018-10-31/layers/base/versions/seven"))
    assert error.value.code == "SerializationException"


def test_an_address_of_nothing_matches_nothing(routes: Routes) -> None:
    assert routes.match("GET", "/2015-03-31/nothing") is None
    assert routes.match("PATCH", "/2015-03-31/functions") is None


def parse(model: ServiceModel, routes: Routes, asked: Request) -> dict[str, Any]:
    """The parameters of `asked`."""
    matched = routes.match(asked.method, asked.path)
    assert matched is not None
    return rest.parse(matched[0], matched[1], asked)


def test_parameters_come_from_path_query_header_and_body(model: ServiceModel, routes: Routes) -> None:
    parsed = parse(model, routes, request("GET", "/2015-03-31/functions", "MaxItems=7&Marker=m"))
    assert parsed == {"MaxItems": 7, "Marker": "m"}
    body = {"ZipFile": base64.b64encode(b"zip").decode(), "DryRun": True, "Unknown": 1, "RevisionId": None}
    parsed = parse(model, routes, request("PUT", "/2015-03-31/functions/f/code", body=body))
    assert parsed == {"FunctionName": "f", "ZipFile": b"zip", "DryRun": True}
    asked = request("POST", "/2015-03-31/functions/f/aliases", body={"Name": "a", "FunctionVersion": "1"})
    assert parse(model, routes, asked) == {"FunctionName": "f", "Name": "a", "FunctionVersion": "1"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Could not parse request body into json"),
        (b"[]", "Start of structure or map expected"),
        (b'{"Timeout": "3"}', "str at 'Timeout' can not be converted to a integer"),
        (b'{"Timeout": true}', "bool at 'Timeout' can not be converted to a integer"),
        (b'{"Environment": []}', "list at 'Environment' can not be converted to a structure"),
        (b'{"Environment": {"Variables": {"A": 1}}}', "int at 'Environment.Variables.A' can not be converted"),
        (b'{"Layers": {"a": 1}}', "dict at 'Layers' can not be converted to a list"),
    ],
)
def test_a_body_of_the_wrong_form_is_a_serialization_error(
    model: ServiceModel, routes: Routes, body: bytes, words: str
) -> None:
    with pytest.raises(ApiError) as error:
        parse(model, routes, Request("PUT", "/2015-03-31/functions/f/configuration", "", {}, body))
    assert error.value.code == "SerializationException"
    assert words in error.value.message


def test_a_zip_that_is_no_base64_is_a_serialization_error(model: ServiceModel, routes: Routes) -> None:
    with pytest.raises(ApiError, match="'ZipFile' is not valid base64"):
        parse(model, routes, request("PUT", "/2015-03-31/functions/f/code", body={"ZipFile": "%%%"}))


def test_times_are_read_from_numbers_and_text() -> None:
    expected = datetime(2026, 1, 1, tzinfo=UTC)
    for value in (expected.timestamp(), "2026-01-01T00:00:00Z", "2026-01-01T00:00:00", expected):
        assert rest.moment(value, "x") == expected
    with pytest.raises(ApiError):
        rest.moment("yesterday", "x")


def test_violations_of_the_model_are_all_listed_in_aws_s_words(model: ServiceModel) -> None:
    shape = model.operation_model("CreateFunction").input_shape
    parameters = {"FunctionName": "bad name", "Code": {}, "Timeout": 0, "PackageType": "Tar"}
    with pytest.raises(ApiError) as error:
        validate.check(shape, parameters)
    text = error.value.message
    assert text.startswith("4 validation errors detected: ")
    assert "Value null at 'role' failed to satisfy constraint: Member must not be null" in text
    assert "Value 'bad name' at 'functionName' failed to satisfy constraint: Member must satisfy regular" in text
    assert "Value '0' at 'timeout' failed to satisfy constraint: Member must have value greater than or equal" in text
    assert "Value 'Tar' at 'packageType' failed to satisfy constraint: Member must satisfy enum value set" in text


def test_a_sensitive_value_is_not_repeated_in_a_message(model: ServiceModel) -> None:
    shape = model.operation_model("CreateFunction").input_shape
    secret = {"FunctionName": "f", "Role": "arn:aws:iam::123456789012:role/r", "Code": {}}
    with pytest.raises(ApiError) as error:
        validate.check(shape, {**secret, "Environment": {"Variables": {"bad-key-hunter2": "v"}}})
    assert "hunter2" not in error.value.message


def test_a_result_is_written_by_its_shape(model: ServiceModel) -> None:
    operation = model.operation_model("ListFunctions")
    response = rest.serialise(operation, {"Functions": [{"FunctionName": "f", "Role": None}]}, "id")
    assert json.loads(response.body) == {"Functions": [{"FunctionName": "f"}]}
    assert ("x-amzn-RequestId", "id") in response.headers
    assert rest.serialise(model.operation_model("CreateAlias"), {"Name": "a"}, "id").status == 201
    gone = rest.serialise(model.operation_model("DeleteAlias"), {}, "id")
    assert (gone.status, gone.body) == (204, b"")


@pytest.mark.parametrize(
    ("code", "status", "member"),
    [
        ("ResourceNotFoundException", 404, "Message"),
        ("InvalidParameterValueException", 400, "message"),
        ("PreconditionFailedException", 412, "message"),
        ("ServiceException", 500, "Message"),
        ("ValidationException", 400, "message"),
    ],
)
def test_an_error_has_the_status_and_letter_case_of_its_shape(
    model: ServiceModel, code: str, status: int, member: str
) -> None:
    response = rest_json(ApiError(code, "why"), model, "id")
    assert response.status == status
    assert json.loads(response.body) == {"Type": "User" if status < 500 else "Server", member: "why"}
    assert ("x-amzn-ErrorType", code) in response.headers


def test_members_of_an_error_go_where_its_shape_says(model: ServiceModel) -> None:
    error = ApiError("TooManyRequestsException", "slow", members={"Reason": "R", "retryAfterSeconds": "1"})
    response = rest_json(error, model, "id")
    assert response.status == 429
    assert json.loads(response.body) == {"Type": "User", "message": "slow", "Reason": "R"}
    assert ("Retry-After", "1") in response.headers
