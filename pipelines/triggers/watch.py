"""The pipeline files whose triggers are watched: read again when they change, the last good one kept meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import InvalidInput
from pipelines.definition.model import PipelineDefinition
from store.records import PipelineRecord

Load = Callable[[str, str], PipelineDefinition]
Restore = Callable[[Mapping[str, Any]], PipelineDefinition]
_Signature = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Watched:
    """A pipeline file. While it has mistakes, `problem` says them and `definition` is the last good one."""

    file: Path
    text: str
    definition: PipelineDefinition
    problem: str = ""

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self.definition.name


class PipelineFiles:
    """Reads pipeline files, each only when it changed."""

    def __init__(self, load: Load, restore: Restore, base: Path) -> None:
        self._load = load
        self._restore = restore
        self._base = base
        self._known: dict[Path, tuple[_Signature, Watched | None]] = {}

    def current(self, records: Iterable[PipelineRecord], others: Iterable[Path]) -> list[Watched]:
        """Every pipeline that has a file, of the stored ones and of `others`; what was never good is left out.

        A stored pipeline whose file is gone, or now holds another pipeline, is left out too.
        """
        stored = {(self._base / record.file).resolve(): record for record in records}
        files = dict.fromkeys((*stored, *((self._base / path).resolve() for path in others)))
        return [watched for file in files if (watched := self._watched(file, stored.get(file))) is not None]

    def _watched(self, file: Path, record: PipelineRecord | None) -> Watched | None:
        try:
            found = file.stat()
            signature = (found.st_mtime_ns, found.st_size, found.st_ino)
            known = self._known.get(file)
            if known is None or known[0] != signature:
                good = known[1].definition if known is not None and known[1] is not None else None
                known = (signature, self._read(file, good, record))
                self._known[file] = known
        except OSError:
            self._known.pop(file, None)
            return None
        return known[1]

    def _read(self, file: Path, good: PipelineDefinition | None, record: PipelineRecord | None) -> Watched | None:
        text = ""
        try:
            text = file.read_bytes().decode("utf-8")
            return Watched(file, text, self._load(text, str(file)))
        except UnicodeDecodeError:
            problem = f"{file} is not UTF-8 text"
        except InvalidInput as error:
            problem = str(error)
        if good is None and record is not None:
            good = self._restore(record.definition)
        return None if good is None else Watched(file, text, good, problem)
