"""Modules that were imported before the fork and stay out of sight until a handler imports them itself.

The template imports what functions commonly need, while `record` notes which module needs which. `put_away` then takes
everything out of `sys.modules` that a fresh interpreter would not have there. In a forked process an import finds the
module where it would be found in a fresh one (the finder of its own directory gives it), so a function's own copy of a
module, earlier on `sys.path`, wins as always; and then nothing that was built on the other copy is given either.
"""

from __future__ import annotations

import _warnings
import builtins
import os
import sys
from importlib.machinery import FileFinder, ModuleSpec
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_loaders = sys.modules["_frozen_importlib_external"]._get_supported_file_loaders()
"""As the import system has them, in its order."""


class Stash:
    """`startup` are the names of the modules that a fresh interpreter has before it runs anything."""

    def __init__(self, startup: frozenset[str]) -> None:
        self._startup = startup
        self._import = builtins.__import__
        self._needs: dict[str, dict[str, None]] = {}
        self._effects: dict[str, list[tuple[list[Any], object, bool]]] = {}
        self._read: dict[str, dict[str, str | None]] = {}
        """module → the environment variables it read while it was imported, with their values"""
        self._watched: tuple[list[Any], ...] = (sys.meta_path, _warnings.filters)
        self._before = [list(each) for each in self._watched]
        ours = os.path.dirname(__file__)
        own = {ours, os.path.dirname(ours)}
        self._cached = {entry: finder for entry, finder in sys.path_importer_cache.items() if entry not in own}
        self._all: dict[str, ModuleType] = {}
        self._left: set[str] = set()
        self._homes: dict[str, str] = {}
        self._directories: set[str] = set()
        self._inner: dict[str, set[str]] = {}
        """package → the directories its modules lie in"""
        self._closures: dict[str, list[str]] = {}
        self._path: list[str] = []
        self._shadowed: set[str] = set()
        self._given = 0
        self.on_given: Callable[[int], object] = _nothing

    # before the fork --------------------------------------------------------------------------------------------

    def record(self) -> None:
        """Note from now on what every import statement asks for, and what is read of the environment meanwhile."""
        for name, module in list(sys.modules.items()):  # `importlib._bootstrap` is made by `importlib`, not imported
            parent, spec = name.rpartition(".")[0], getattr(module, "__spec__", None)
            if parent and name not in self._startup and getattr(spec, "name", name) != name:
                self._needs.setdefault(parent, {})[name] = None
        builtins.__import__ = self._note
        self._environment = os.environ
        os.environ = Witness.of(os.environ, self._note_read)  # noqa: B003  (it shares everything with the other)

    def _note_read(self, name: str, value: str | None) -> None:
        self._read.setdefault(_executing(), {})[name] = value

    def _note(self, name, globals=None, locals=None, fromlist=(), level=0):  # type: ignore[no-untyped-def]
        names = set(sys.modules)
        seen = [list(each) for each in self._watched]
        try:
            return self._import(name, globals, locals, fromlist, level)
        finally:
            full = _absolute(name, globals, level)
            needs = self._needs.setdefault(_executing(), {})
            for length in range(1, full.count(".") + 2):
                needs[".".join(full.split(".")[:length])] = None
            for item in fromlist or ():
                if f"{full}.{item}" in sys.modules:
                    needs[f"{full}.{item}"] = None
            new = [each for each in sys.modules if each not in names]
            needs.update(dict.fromkeys(new))
            if full in new:  # also what it made itself: `importlib._bootstrap`, `pyexpat.model`
                self._needs.setdefault(full, {}).update(dict.fromkeys(new))
            self._note_effects(full if full in new or not new else new[-1], seen)

    def _note_effects(self, name: str, seen: list[list[object]]) -> None:
        noted = [id(item) for effects in self._effects.values() for _, item, _ in effects]
        for watched, before in zip(self._watched, seen, strict=True):
            for index, item in enumerate(watched):
                if not any(item is each for each in before) and id(item) not in noted:
                    self._effects.setdefault(name, []).append((watched, item, index >= len(before)))

    def put_away(self, own_package: str) -> None:
        """Take out of sight what a fresh interpreter has not imported; nothing is noted any more."""
        builtins.__import__ = self._import
        os.environ = self._environment  # noqa: B003
        for watched, before in zip(self._watched, self._before, strict=True):
            watched[:] = before
        everywhere = {id(sys.modules[name]) for name in self._startup}
        for name, module in list(sys.modules.items()):
            spec = getattr(module, "__spec__", None)
            if name in self._startup or name == "__main__":
                continue
            del sys.modules[name]
            parent, _, child = name.rpartition(".")
            holder = self._all.get(parent) or sys.modules.get(parent)
            own = spec is not None  # `pyexpat.model` has none: the extension module made it, nothing imports it again
            if own and holder is not None and holder.__dict__.get(child) is module and id(module) not in everywhere:
                delattr(holder, child)
            if name.partition(".")[0] != own_package:
                self._all[name] = module
        self._left = set(self._all)
        for name, module in self._all.items():
            origin = getattr(getattr(module, "__spec__", None), "origin", None)
            if origin and "/" in origin:
                home = os.path.dirname(origin)
                if os.path.basename(origin).startswith("__init__."):  # not __path__: some modules claim to be packages
                    home = os.path.dirname(home)
                self._homes[name] = home
        self._directories = set(self._homes.values())
        for name, home in self._homes.items():
            self._inner.setdefault(name.rpartition(".")[0], set()).add(home)

    def size(self) -> int:
        """How many modules it holds."""
        return len(self._all)

    # after the fork ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Let imports of this process find what is put away, and forget what was imported since it was."""
        for name in list(sys.modules):
            if name not in self._startup and name != "__main__":
                del sys.modules[name]
        sys.path_importer_cache.clear()
        sys.path_importer_cache.update(self._cached)
        self._find_in({home for name, home in self._homes.items() if "." not in name})

    def _find_in(self, directories: Iterable[str]) -> None:
        for directory in directories:
            sys.path_importer_cache[directory] = Finder(self, directory)

    def gives(self, name: str, directory: str) -> bool:
        """Whether importing `name`, found in `directory`, may give the module that is put away."""
        if name not in self._left or self._homes.get(name) != directory or not self._undisturbed():
            return False
        for each in self._closure(name):
            present = sys.modules.get(each)
            if each not in self._homes:
                continue  # part of the interpreter, or made by one of the others
            if present is None and each not in self._left:
                return False  # it was given, and thrown away since
            if present is not None and present is not self._all[each]:
                return False
            if each.partition(".")[0] in self._shadowed:
                return False
            if any(os.environ.get(key) != value for key, value in self._read.get(each, {}).items()):
                return False
        return True

    def give(self, name: str) -> ModuleType:
        """The module, with everything it needs imported too."""
        for each in self._closure(name):
            if each not in sys.modules and each in self._left:
                sys.modules[each] = self._all[each]
            if each in self._left:
                self._left.discard(each)
                self._given += 1
                parent, _, child = each.rpartition(".")
                if parent and parent in sys.modules and each != name:
                    setattr(sys.modules[parent], child, sys.modules[each])
                self._repeat_effects(each)
                self._find_in(self._inner.get(each, ()))
        self.on_given(self._given)
        return self._all[name]

    def module(self, name: str) -> ModuleType:
        """The module itself."""
        return self._all[name]

    def _repeat_effects(self, name: str) -> None:
        for watched, item, last in self._effects.get(name, ()):
            watched.insert(len(watched) if last else 0, item)
            if watched is sys.meta_path:
                self._before[0] = list(watched)
            else:
                getattr(_warnings, "_filters_mutated", _nothing)()

    def _closure(self, name: str) -> list[str]:
        """`name` and everything it needs, what is needed first."""
        if name not in self._closures:
            found: dict[str, None] = {name: None}
            todo = [name]
            while todo:
                for each in self._needs.get(todo.pop(), ()):
                    if each in self._all and each not in found:
                        found[each] = None
                        todo.append(each)
            self._closures[name] = sorted(found)  # a package before what is in it
        return self._closures[name]

    def _undisturbed(self) -> bool:
        """Whether imports work as they do at the start, and `_shadowed` is true of sys.path."""
        if builtins.__import__ is not self._import or sys.meta_path != self._before[0]:
            return False
        if sys.path != self._path:
            self._path = list(sys.path)
            self._shadowed = self._find_shadowed()
        return True

    def _find_shadowed(self) -> set[str]:
        """The top-level names that sys.path leads to other modules than those put away."""
        homes = {name: home for name, home in self._homes.items() if "." not in name}
        missing = {name for name, home in homes.items() if home not in self._path}
        found: set[str] = set()
        for index, entry in enumerate(self._path):
            if entry in self._directories:
                continue
            try:
                names = {each.partition(".")[0] for each in os.listdir(entry or ".")}
            except NotADirectoryError:  # an archive: it may hold anything
                names = set(homes)
            except OSError:
                continue
            later = self._path[index:]
            found.update(name for name in names & homes.keys() if homes[name] in later)
        return found | missing


class Finder(FileFinder):
    """The finder of one directory, which gives what is put away before it looks at files."""

    def __init__(self, stash: Stash, path: str) -> None:
        super().__init__(path, *_loaders)
        self._stash = stash

    def find_spec(self, fullname: str, target: ModuleType | None = None) -> ModuleSpec | None:
        """See FileFinder."""
        if self._stash.gives(fullname, self.path):
            package = hasattr(self._stash.module(fullname), "__path__")
            return ModuleSpec(fullname, _Giver(self._stash), is_package=package)  # type: ignore[arg-type]
        return super().find_spec(fullname, target)


class Witness(os._Environ):  # type: ignore[type-arg]
    """An environment, the same as another, that tells what is read of it."""

    tell: Callable[[str, str | None], object]

    @classmethod
    def of(cls, other: os._Environ[str], tell: Callable[[str, str | None], object]) -> Witness:
        """One that shares everything with `other`."""
        made = cls.__new__(cls)
        vars(made).update(vars(other), tell=tell)
        return made

    def __getitem__(self, key: str) -> str:
        try:
            value: str = super().__getitem__(key)
        except KeyError:
            self.tell(key, None)
            raise
        self.tell(key, value)
        return value


class _Giver:
    """A loader for a module that is there already."""

    def __init__(self, stash: Stash) -> None:
        self._stash = stash

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """See importlib.abc.Loader."""
        module = self._stash.module(spec.name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """See importlib.abc.Loader."""
        module.__spec__ = self._spec
        self._stash.give(module.__name__)


def _absolute(name: str, globals_: dict[str, str] | None, level: int) -> str:
    """The full name of what an import statement with these arguments names."""
    if not level:
        return name
    package = (globals_ or {}).get("__package__") or ""
    base = package.rsplit(".", level - 1)[0] if level > 1 else package
    return f"{base}.{name}" if name else base


def _executing() -> str:
    """The module whose body is being run: what its functions import when they are called later is not its need."""
    frame = sys._getframe(2)
    while frame.f_code.co_name != "<module>" and frame.f_back is not None:
        frame = frame.f_back
    name: str = frame.f_globals.get("__name__", "")
    return name


def _nothing(*_: object) -> None:
    """Nobody wants to know."""
