"""A template's functions in the private runtime, kept as the files are: asked before each request."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from app.sam_local.deploying import Deployer
from app.sam_local.problems import LocalError
from app.sam_local.project import Project
from app.sam_local.watch import Nothing, Watch, watch
from core.errors import InvalidInput
from sam.local.model import LocalFunction

Load = Callable[[], Project]
Say = Callable[[str], None]


class Live:
    """`load` reads the template anew; `say` tells what happened. `watching` False: files are read once.

    A function that cannot be made is told about and left out; it is tried again when something of it changes.
    """

    def __init__(self, load: Load, deployer: Deployer, say: Say, *, watching: bool) -> None:
        self._load = load
        self._deployer = deployer
        self._say = say
        self._watching = watching
        self._changed: set[Path] = set()
        self._watch: Watch = Nothing()
        self._made: dict[str, LocalFunction] = {}
        self.project = load()
        self._follow()
        for function in self.project.template.functions:
            self._make(function)

    def is_made(self, logical_id: str) -> bool:
        """Whether that function can be invoked."""
        return logical_id in self._made

    def url_host(self, function: LocalFunction) -> str:
        """The Host by which the runtime knows the function's URL; "" when it has none yet."""
        return self._deployer.url_host(function)

    def find(self, identifier: str) -> LocalFunction | None:
        """The function of that logical id, else of that name."""
        for function in self.project.template.functions:
            if function.logical_id == identifier:
                return function
        for function in self.project.template.functions:
            if function.function_name == identifier:
                return function
        return None

    def look(self) -> bool:
        """Whether something changed that `apply` has to bring into effect. Cheap when nothing did."""
        self._changed |= self._watch.changed()
        return bool(self._changed)

    def apply(self) -> None:
        """Bring what changed into effect; not for several threads at once."""
        changed, self._changed = self._changed, set()
        template = not changed.isdisjoint((self.project.path, *self.project.included))
        if template:
            self._reload()
        for function in self.project.template.functions:
            if not changed.isdisjoint(_places(self.project, function)) or (template and self._differs(function)):
                self._make(function)

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()

    def _reload(self) -> None:
        try:
            project = self._load()
        except (LocalError, InvalidInput) as problem:
            self._say(f"the template stays as it was: {problem}")
            return
        kept = {function.function_name for function in project.template.functions}
        for logical_id, function in list(self._made.items()):
            if function.function_name not in kept:
                self._deployer.remove(function)
                del self._made[logical_id]
        self.project = project
        self._say("the template was read again")
        self._follow()

    def _differs(self, function: LocalFunction) -> bool:
        made = self._made.get(function.logical_id)
        return made is None or replace(made, location=function.location) != function

    def _make(self, function: LocalFunction) -> None:
        try:
            if function.logical_id in self._made:
                if self._deployer.replace(self.project, function):
                    self._say(f"{function.logical_id} was reloaded")
            else:
                self._deployer.create(self.project, function)
            self._made[function.logical_id] = function
        except LocalError as problem:
            self._say(str(problem))

    def _follow(self) -> None:
        self._watch.close()
        if self._watching:
            functions = self.project.template.functions
            places = [place for function in functions for place in _places(self.project, function)]
            self._watch = watch([self.project.path, *self.project.included, *places])


def _places(project: Project, function: LocalFunction) -> Sequence[Path]:
    """Where the function's code and layers are."""
    return list(_each_place(project, function))


def _each_place(project: Project, function: LocalFunction) -> Iterator[Path]:
    if function.code_uri:
        yield project.place(function.code_uri)
    for layer in function.layers:
        if layer.content_uri:
            yield project.place(layer.content_uri)
