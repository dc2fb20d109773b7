"""The beginnings of stories."""

from __future__ import annotations

from scripts.workshop import Workshop
from tests.e2e import then, when


def servers(workshop: Workshop) -> None:
    """Penstock is up."""
    workshop.up()


def waits(workshop: Workshop, first_s: float, second_s: float) -> None:
    """The release of the example waits that long at 10 % and at 50 %."""
    file = workshop.folder / "pipeline.yaml"
    text = file.read_text()
    steps = f"[10%, wait {first_s:g}s, 50%, wait {second_s:g}s, 100%]"
    before, rest = text.split("deploymentConfig: ", 1)
    file.write_text(f"{before}deploymentConfig: {steps}\n{rest.split(chr(10), 1)[1]}")


def a_first_version(workshop: Workshop) -> None:
    """Version 1 of the orders function is live."""
    workshop.commit("Price orders")
    run = when.the_pipeline_runs(workshop)
    assert run.returncode == 0, run.stdout + run.stderr
    then.the_alias_is_wholly_on(workshop, "1")


def a_second_version(workshop: Workshop) -> None:
    """Version 2 is live after version 1, both without load."""
    a_first_version(workshop)
    workshop.apply("2-currency.patch")
    workshop.commit("Say the currency")
    run = when.the_pipeline_runs(workshop)
    assert run.returncode == 0, run.stdout + run.stderr
    then.the_alias_is_wholly_on(workshop, "2")


def a_pipeline(workshop: Workshop, text: str) -> None:
    """The repository's pipeline.yaml says `text`."""
    (workshop.folder / "pipeline.yaml").write_text(text)
