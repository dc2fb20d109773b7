"""The text of the git hooks: a block of POSIX sh that leaves one file in the spool, and can live beside other code.

The block never fails, prints nothing and waits for nothing: whatever goes wrong, git's command goes on. It costs one
git call and one rename (post-receive: one cat and one sed more). Odd characters: a ref may hold quotes but no blanks,
backslashes or control characters; a path may hold anything. Quotes and backslashes are escaped here, the spool's
reader takes all other bytes as they are.
"""

from __future__ import annotations

import hashlib
import os
import re
import shlex
from pathlib import Path

HOOKS = ("post-commit", "post-receive")

# Where a hook goes that was there before and that no block of sh can be put into.
KEPT = ".penstock-kept"
HEADER = "#!/bin/sh\n"
CALL_KEPT = f"""# The hook that was here before:
[ ! -x "$0{KEPT}" ] || exec "$0{KEPT}" "$@"
"""

_SHELL = re.compile(r"#![^\n]*?[/\s](?:sh|bash|dash|ash|ksh|mksh|zsh)(?:\s|$)")

_FUNCTIONS = r"""  penstock_quote() {
    quoted= rest=$1
    while :; do
      case $rest in
        *[\"\\]*)
          head=${rest%%[\"\\]*}
          rest=${rest#"$head"}
          quoted=$quoted$head\\${rest%"${rest#?}"}
          rest=${rest#?} ;;
        *)
          quoted=$quoted$rest
          return ;;
      esac
    done
  }
  penstock_write() {
    case $repository in /*) ;; *) repository=$PWD/$repository ;; esac
    penstock_quote "$repository"
    umask 077
    [ -d "$home/spool" ] || mkdir "$home/spool"
    file=$home/spool/$commit-$$
    printf '{"version": 1, "hook": "%s", "repository": "%s", "updates": [%s]}\n' "$hook" "$quoted" "$updates" \
      >"$file.tmp" && mv -f "$file.tmp" "$file.json" || rm -f "$file.tmp"
  }
"""

_POST_COMMIT = r"""(
  home=@HOME@ hook=post-commit
  [ -d "$home" ] || exit 0
@FUNCTIONS@  found=$(git rev-parse HEAD --symbolic-full-name HEAD --git-common-dir) || exit 0
  newline='
'
  commit=${found%%"$newline"*}
  found=${found#*"$newline"}
  ref=${found%%"$newline"*}
  repository=${found#*"$newline"}
  case $ref in refs/heads/*) ;; *) exit 0 ;; esac
  penstock_quote "$ref"
  updates="\"- $commit $quoted\""
  penstock_write
) </dev/null >/dev/null 2>&1 || :
"""

_POST_RECEIVE = r"""penstock_input=$(cat 2>/dev/null) || :
(
  home=@HOME@ hook=post-receive
  [ -d "$home" ] && [ -n "$penstock_input" ] || exit 0
@FUNCTIONS@  repository=$(git rev-parse --git-common-dir) || exit 0
  commit=${penstock_input#* }
  commit=${commit%% *}
  updates=$(LC_ALL=C sed -e 's/["\\]/\\&/g' -e 's/.*/"&"/' -e '$!s/$/,/' <<PENSTOCK
$penstock_input
PENSTOCK
  )
  penstock_write
) </dev/null >/dev/null 2>&1 || :
exec <<PENSTOCK
$penstock_input
PENSTOCK
"""

_BODIES = {"post-commit": _POST_COMMIT, "post-receive": _POST_RECEIVE}


def block(hook: str, home: Path) -> str:
    """The lines that spool the events of `hook` into `home`, between two marker lines of that home's own."""
    body = _BODIES[hook].replace("@FUNCTIONS@", _FUNCTIONS).replace("@HOME@", shlex.quote(str(home)))
    first, last = _markers(home)
    return f"{first}\n{body}{last}\n"


def is_shell(text: str) -> bool:
    """Whether a block can be put into a hook that reads so: it names a shell, or nothing (git uses sh then)."""
    return _SHELL.match(text) is not None if text.startswith("#!") else "\0" not in text


def with_block(text: str, hook: str, home: Path) -> str:
    """`text` with the block for `home`, in its old place or right behind the first line's `#!`."""
    new = block(hook, home)
    before, old, after = _split(text, home)
    if old:
        return before + new + after
    shebang, rest = "", text
    if text.startswith("#!"):
        shebang, _, rest = text.partition("\n")
        shebang += "\n"
    return shebang + new + rest


def without_block(text: str, home: Path) -> str:
    """`text` without the block for `home`."""
    before, _, after = _split(text, home)
    return before + after


def has_block(text: str, home: Path) -> bool:
    """Whether `text` holds a block for `home`, of any version."""
    return bool(_split(text, home)[1])


def has_any_block(text: str) -> bool:
    """Whether `text` holds a block for any home."""
    return "\n# >>> penstock " in f"\n{text}"


def _markers(home: Path) -> tuple[str, str]:
    tag = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
    return f"# >>> penstock {tag} >>>", f"# <<< penstock {tag} <<<"


def _split(text: str, home: Path) -> tuple[str, str, str]:
    """`text` before, in and after the block; without one everything is before."""
    first, last = (re.escape(marker) for marker in _markers(home))
    found = re.search(rf"^{first}\n.*?^{last}\n", text, re.DOTALL | re.MULTILINE)
    return (text[: found.start()], found.group(), text[found.end() :]) if found else (text, "", "")
