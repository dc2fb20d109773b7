"""Event tests from start to end: find the events, make the functions, invoke, compare, clean up, report."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from core.document import suggest
from core.errors import Interrupted, InvalidInput
from core.outcome import Abandoned, Failed, Outcome, Succeeded
from deploy.package.bundle import bundle
from deploy.request import FunctionRelease, from_configuration
from deploy.targets import Target
from stages.base import ActionContext, Dependencies
from stages.local_test.cases import Case
from stages.local_test.discover import find_cases
from stages.local_test.functions import ThrowAwayFunctions
from stages.local_test.match import differences
from stages.local_test.provider import LambdaTestConfiguration
from stages.local_test.report import Result, sentence, write_junit
from stages.wrappers import configuration, mistakes_fail, target_of

REPORT = "junit.xml"
_TIMED_OUT = "TimedOut"


class _TimeOver(Exception):
    """The action's deadline has passed."""


@dataclass(frozen=True, slots=True)
class _Made:
    """The throw-away functions: logical id → name on the service."""

    service: ThrowAwayFunctions
    names: Mapping[str, str]


class EventTests:
    """The provider `LambdaTest`."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies

    def run(self, context: ActionContext) -> Outcome:
        """Succeeded when every event is answered as expected; Failed names the tests and their differences."""
        try:
            return mistakes_fail(lambda: self._run(context))
        except Interrupted as stop:
            return Abandoned(stop.what)
        except _TimeOver:
            return Failed(_TIMED_OUT, "the time was over before all event tests had run")

    def _run(self, context: ActionContext) -> Outcome:
        chosen = configuration(LambdaTestConfiguration, context)
        source = context.input(context.input_artifacts[0])
        target = target_of(self._dependencies, context, chosen.target)
        wanted = {"alias": "test", "template": chosen.template, "role": chosen.role}
        request = from_configuration(
            wanted,
            directory=source,
            target=target,
            execution_id=context.execution_id,
            action_execution_id=context.action_execution_id,
        )
        functions = {each.logical_id: _with_role(each, request.role_for_new) for each in request.functions}
        named = [(case, _function_of(case, chosen.function, functions)) for case in find_cases(source, chosen.events)]
        with ExitStack() as stack:
            made = self._make(context, stack, target, {logical_id: functions[logical_id] for _, logical_id in named})
            results = [self._try(context, case, logical_id, made) for case, logical_id in named]
        return _outcome(context, results)

    def _make(
        self, context: ActionContext, stack: ExitStack, target: Target, wanted: Mapping[str, FunctionRelease]
    ) -> _Made:
        service = ThrowAwayFunctions(target, self._dependencies.clock)
        names = {logical_id: throw_away_name(context.action_execution_id, logical_id) for logical_id in wanted}
        for logical_id, function in wanted.items():
            self._go_on(context)
            package = context.workspace / f"{logical_id}.zip"
            settings = function.settings
            bundle(function.directory, package, handler=settings.handler, runtime=settings.runtime)
            context.log(f"Creating throw-away function {names[logical_id]} on target {target.name}")
            stack.callback(service.delete, names[logical_id])
            service.create(names[logical_id], settings, package.read_bytes(), context.stop_requested)
        return _Made(service, names)

    def _try(self, context: ActionContext, case: Case, logical_id: str, made: _Made) -> Result:
        self._go_on(context)
        invoked = made.service.invoke(made.names[logical_id], case.event)
        found = tuple(differences(case.expect, invoked.answer))
        verdict = "FAILED" if found else "passed"
        context.log(f"{verdict}  {case.name} ({invoked.answer.duration_ms:.0f} ms)  {case.file}")
        for line in found:
            context.log(f"        {line}")
        for line in invoked.log if found else ():
            context.log(f"        | {line}")
        return Result(case, logical_id, found, invoked.answer.duration_ms, invoked.log)

    def _go_on(self, context: ActionContext) -> None:
        """Raises when the action has to end before its end."""
        if reason := context.stop_requested():
            raise Interrupted(reason)
        if context.deadline is not None and self._dependencies.clock.now() >= context.deadline:
            raise _TimeOver


def throw_away_name(action_execution_id: str, logical_id: str) -> str:
    """The same name for every start of an attempt, so that a new start replaces what a crash left behind."""
    digest = hashlib.sha256(f"{action_execution_id}/{logical_id}".encode()).hexdigest()[:12]
    return f"penstock-test-{logical_id[:36]}-{digest}"


def _with_role(function: FunctionRelease, role: str) -> FunctionRelease:
    settings = function.settings
    return function if settings.role else replace(function, settings=replace(settings, role=role))


def _function_of(case: Case, configured: str, functions: Mapping[str, FunctionRelease]) -> str:
    """The logical id of the function that a test means."""
    logical_id = case.function or configured or (next(iter(functions)) if len(functions) == 1 else "")
    if logical_id in functions:
        return logical_id
    known = ", ".join(functions)
    if not logical_id:
        what = "the template has several functions, and the event does not say which it is for"
        raise InvalidInput(what, where=case.file, hint=f'add "function", or configuration.function: {known}')
    hint = suggest(logical_id, functions) or f"it has {known}"
    raise InvalidInput(f"the template has no function '{logical_id}'", where=case.file, hint=hint)


def _outcome(context: ActionContext, results: Sequence[Result]) -> Outcome:
    report = context.workspace / "report"
    write_junit(results, f"{context.pipeline}.{context.stage}.{context.action}", report / REPORT)
    failed = sum(1 for result in results if result.differences)
    variables = {"TestsFailed": str(failed), "TestsTotal": str(len(results))}
    artifacts = dict.fromkeys(context.output_artifacts, report)
    context.log(f"{len(results) - failed} of {len(results)} event tests passed; report: {REPORT}")
    if failed:
        return Failed("TestsFailed", sentence(results), variables, artifacts)
    return Succeeded(sentence(results), variables, artifacts)
