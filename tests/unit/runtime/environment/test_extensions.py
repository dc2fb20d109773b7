"""Extensions of an environment: registration, next, errors, as the Extensions API answers them."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from runtime.environment.extensions.api import PREFIX, ExtensionsApi, invoke_event, shutdown_event
from runtime.environment.extensions.machine import EXTENSION, Standing, Step
from runtime.environment.extensions.registry import MAX_EXTENSIONS, EventKind, Extension, Extensions, Refused
from runtime.http import Request, Response


class Heard:
    """A side that remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    def extension_registered(self, extension: Extension) -> None:
        self.told.append(("registered", extension.name))

    def extension_ready(self, extension: Extension) -> None:
        self.told.append(("ready", extension.name))

    def extension_failed(self, extension: Extension) -> None:
        self.told.append(("failed", extension.name))


class Caller:
    """Makes requests of an ExtensionsApi and keeps the answers."""

    def __init__(self, *external: str) -> None:
        numbers = itertools.count(1)
        self.extensions = Extensions(external, lambda: f"00000000-0000-4000-8000-{next(numbers):012}")
        self.side = Heard()
        function = {"functionName": "orders", "functionVersion": "3", "handler": "app.handler"}
        self.api = ExtensionsApi(self.extensions, self.side, function, "123456789012")

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> list[Response]:
        """The answers so far: none while `next` waits."""
        answers: list[Response] = []
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.api.handle(Request(method, PREFIX + path, "", named, body), answers.append)
        return answers

    def register(self, name: str, *events: str, **headers: str) -> Response:
        body = json.dumps({"events": events}).encode()
        return self.call("POST", "register", body, lambda_extension_name=name, **headers)[0]

    def next(self, identifier: str) -> list[Response]:
        return self.call("GET", "event/next", lambda_extension_identifier=identifier)


def identifier_of(response: Response) -> str:
    return dict(response.headers)["Lambda-Extension-Identifier"]


def error_of(response: Response) -> tuple[int, str]:
    return response.status, json.loads(response.body)["errorType"]


def test_a_registration_is_answered_with_the_function_and_an_identifier() -> None:
    caller = Caller("watcher")
    answer = caller.register("watcher", "INVOKE", "SHUTDOWN")
    assert answer.status == 200
    assert json.loads(answer.body) == {"functionName": "orders", "functionVersion": "3", "handler": "app.handler"}
    assert identifier_of(answer) == caller.extensions.all[0].identifier
    assert caller.side.told == [("registered", "watcher")]
    assert caller.extensions.are_registered()


def test_the_account_is_told_to_those_who_ask_for_it() -> None:
    answer = Caller("a").register("a", lambda_extension_accept_feature="x, accountId")
    assert json.loads(answer.body)["accountId"] == "123456789012"


def test_events_reach_those_who_subscribed_and_wait() -> None:
    caller = Caller("both", "neither")
    both = identifier_of(caller.register("both", "INVOKE", "SHUTDOWN"))
    neither = identifier_of(caller.register("neither"))
    waiting = caller.next(both)
    assert caller.next(neither) == []
    assert waiting == []
    assert caller.extensions.are_ready()
    (only,) = caller.extensions.waiting_for(EventKind.INVOKE)
    caller.api.send(only, invoke_event(5, "r1", "arn:x", "Root=1"), "r1")
    assert json.loads(waiting[0].body) == {
        "eventType": "INVOKE",
        "deadlineMs": 5,
        "requestId": "r1",
        "invokedFunctionArn": "arn:x",
        "tracing": {"type": "X-Amzn-Trace-Id", "value": "Root=1"},
    }
    assert not caller.extensions.are_ready()
    caller.next(both)
    assert caller.extensions.are_ready()


def test_the_shutdown_event_gives_a_reason_and_a_deadline() -> None:
    assert shutdown_event(7, "spindown") == {"eventType": "SHUTDOWN", "deadlineMs": 7, "shutdownReason": "spindown"}


def test_an_internal_extension_may_not_wait_for_shutdown() -> None:
    caller = Caller()
    assert error_of(caller.register("inner", "SHUTDOWN")) == (403, "Extension.InvalidEventType")
    assert caller.register("inner", "INVOKE").status == 200
    assert error_of(caller.register("inner", "INVOKE")) == (403, "Extension.InvalidExtensionState")


def test_nobody_registers_after_init_and_never_more_than_ten() -> None:
    caller = Caller()
    for number in range(MAX_EXTENSIONS):
        assert caller.register(f"inner{number}", "INVOKE").status == 200
    assert error_of(caller.register("one-more", "INVOKE")) == (403, "Extension.TooManyExtensions")
    closed = Caller()
    closed.extensions.close_registration()
    assert error_of(closed.register("late", "INVOKE")) == (403, "Extension.RegistrationClosed")


@pytest.mark.parametrize(
    ("headers", "error_type"),
    [
        ({}, "Extension.MissingExtensionIdentifier"),
        ({"lambda_extension_identifier": "me"}, "Extension.InvalidExtensionIdentifier"),
        (
            {"lambda_extension_identifier": "00000000-0000-4000-8000-999999999999"},
            "Extension.UnknownExtensionIdentifier",
        ),
    ],
)
def test_only_who_registered_may_ask_for_events(headers: dict[str, str], error_type: str) -> None:
    assert error_of(Caller("a").call("GET", "event/next", b"", **headers)[0]) == (403, error_type)


def test_an_extension_reports_an_error_once_registered_and_with_a_type() -> None:
    caller = Caller("a")
    who = identifier_of(caller.register("a", "INVOKE"))
    silent = caller.call("POST", "init/error", lambda_extension_identifier=who)
    assert error_of(silent[0]) == (403, "Extension.MissingHeader")
    headers = {"lambda_extension_identifier": who, "lambda_extension_function_error_type": "Extension.NoConfig"}
    assert caller.call("POST", "init/error", b"", **headers)[0].status == 202
    assert caller.side.told[-1] == ("failed", "a")
    assert caller.extensions.all[0].error_type == "Extension.NoConfig"
    assert caller.extensions.all[0].standing is Standing.INIT_ERROR


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"events":"INVOKE"}', b'{"events":[1]}', b'{"configurationKeys":[1]}'])
def test_a_registration_that_is_malformed_is_refused(body: bytes) -> None:
    answers = Caller("a").call("POST", "register", body, lambda_extension_name="a")
    assert error_of(answers[0]) == (403, "InvalidRequestFormat")


def test_other_paths_are_not_part_of_the_api() -> None:
    assert Caller().call("POST", "event/next")[0].status == 404


class ExtensionsOverTime(RuleBasedStateMachine):
    """Whatever extensions call in whatever order: nobody is ready who did not ask, nobody over ten, ends are final."""

    def __init__(self) -> None:
        super().__init__()
        numbers = itertools.count(1)
        self.extensions = Extensions(("one", "two"), lambda: str(next(numbers)))
        self.asked: set[str] = set()
        self.gone: set[str] = set()

    @rule(name=st.sampled_from(["one", "two", "three", "four"]), events=st.sets(st.sampled_from(list(EventKind))))
    def register(self, name: str, events: set[EventKind]) -> None:
        try:
            self.extensions.register(name, events)
        except Refused:
            return
        assert name not in self.gone

    @rule(index=st.integers(0, 3), step=st.sampled_from([step for step in Step if step is not Step.REGISTER]))
    def step(self, index: int, step: Step) -> None:
        if index >= len(self.extensions.all):
            return
        extension = self.extensions.all[index]
        try:
            extension.move(step)
        except Refused:
            return
        self.asked.discard(extension.name)
        if step is Step.NEXT:
            self.asked.add(extension.name)
        if step in {Step.EXIT, Step.LAUNCH_FAILED}:
            self.gone.add(extension.name)

    @rule()
    def close(self) -> None:
        self.extensions.close_registration()
        before = len(self.extensions.all)
        with pytest.raises(Refused):
            self.extensions.register("never-seen", ["INVOKE"])
        assert len(self.extensions.all) == before

    @invariant()
    def ready_are_those_who_asked(self) -> None:
        ready = {each.name for each in self.extensions.all if each.standing is Standing.READY}
        assert ready == self.asked
        assert self.extensions.are_ready() == (len(ready) == len(self.extensions.all))

    @invariant()
    def ends_are_final(self) -> None:
        for each in self.extensions.all:
            if each.name in self.gone:
                assert each.standing in {
                    Standing.EXITED, Standing.LAUNCH_ERROR, Standing.INIT_ERROR, Standing.EXIT_ERROR,
                }  # fmt: skip


TestExtensionsOverTime: Any = ExtensionsOverTime.TestCase


def test_a_state_without_a_way_out_is_an_end() -> None:
    assert {standing for standing in Standing if EXTENSION.final(standing)} == {Standing.EXITED, Standing.LAUNCH_ERROR}
