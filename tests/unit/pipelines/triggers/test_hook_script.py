"""The block of sh in a hook: put in, replaced, taken out, and everything around it kept to the letter."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.triggers import hook_script
from pipelines.triggers.hook_script import (
    HEADER,
    HOOKS,
    block,
    has_any_block,
    has_block,
    is_shell,
    with_block,
    without_block,
)

HOME = Path("/home/me/.penstock")
OTHER = Path("/srv/other/.penstock")
FOREIGN = "#!/bin/bash -e\n\necho hello\nexit 3\n"


@pytest.mark.parametrize("hook", HOOKS)
def test_it_stands_behind_the_first_line_so_that_nothing_before_can_exit(hook: str) -> None:
    text = with_block(FOREIGN, hook, HOME)
    assert text == "#!/bin/bash -e\n" + block(hook, HOME) + "\necho hello\nexit 3\n"
    assert with_block("echo no shebang\n", hook, HOME) == block(hook, HOME) + "echo no shebang\n"


@pytest.mark.parametrize("hook", HOOKS)
def test_putting_it_in_twice_changes_nothing(hook: str) -> None:
    once = with_block(FOREIGN, hook, HOME)
    assert with_block(once, hook, HOME) == once


@pytest.mark.parametrize("text", [FOREIGN, HEADER, "", "echo no end of line", "#!/bin/sh"])
def test_taking_it_out_gives_the_text_before(text: str) -> None:
    for hook in HOOKS:
        given_back = without_block(with_block(text, hook, HOME), HOME)
        assert given_back.rstrip("\n") == text.rstrip("\n")


def test_an_older_block_is_replaced_in_its_place() -> None:
    text = with_block(FOREIGN, "post-commit", HOME)
    older = text.replace("umask 077", "umask 022")
    assert has_block(older, HOME)
    assert with_block(older, "post-commit", HOME) == text


def test_two_homes_have_a_block_each() -> None:
    both = with_block(with_block(FOREIGN, "post-commit", HOME), "post-commit", OTHER)
    assert has_block(both, HOME)
    assert has_block(both, OTHER)
    assert without_block(both, HOME) == with_block(FOREIGN, "post-commit", OTHER)
    assert has_any_block(without_block(both, HOME))
    assert not has_any_block(without_block(without_block(both, HOME), OTHER))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")))
def test_any_foreign_text_comes_back(foreign: str) -> None:
    text = f"#!/bin/sh\n{foreign}"
    assert without_block(with_block(text, "post-receive", HOME), HOME) == text


def test_a_home_with_quotes_stays_one_word() -> None:
    assert "home='/it'\"'\"'s $HOME/`x`'" in block("post-commit", Path("/it's $HOME/`x`"))


@pytest.mark.parametrize(
    ("text", "shell"),
    [
        ("#!/bin/sh\n", True),
        ("#!/bin/sh", True),
        ("#! /bin/bash -eu\n", True),
        ("#!/usr/bin/env bash\n", True),
        ("#!/usr/bin/env -S zsh -f\n", True),
        ("#!/usr/local/bin/dash\n", True),
        ("echo without\n", True),
        ("#!/usr/bin/env python3\n", False),
        ("#!/usr/bin/fish\n", False),
        ("#!/usr/bin/python3\nimport sh\n", False),
        ("#!/opt/sh/python\n", False),
        ("#!/bin/tcsh\n", False),
        ("\x7fELF\0\0", False),
    ],
)
def test_only_shells_take_a_block(text: str, shell: bool) -> None:
    assert is_shell(text) is shell


def test_every_hook_of_ours_has_a_script() -> None:
    assert all(hook_script.block(hook, HOME) for hook in HOOKS)
