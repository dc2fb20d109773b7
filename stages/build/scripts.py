"""The two shell scripts that make one shell session out of commands arriving one by one.

The outer script reads the path of a command file from its channel and starts the inner shell with it. The inner shell
runs that file and then those it reads itself, all in one session, and prints a mark with the exit status after each.
When a command ends the inner shell (`exit`, `set -e`, a kill), the outer one prints the mark, and starts a new inner
shell for the next command, which begins with the directory and the exported variables that the last one left.
File descriptor 8 is the channel and 9 the log; the commands see neither. `__penstock_` names are ours.
"""

from __future__ import annotations

OUTER = r"""
case $1 in
    -) exec 8<&0 ;;
    *) exec 8<"$1" ;;
esac
exec 9>&1 2>&1 </dev/null
if ! command -v "$2" >/dev/null 2>&1; then
    printf '%s\n' "the shell $2 is not there" >&9
    exit 127
fi
while IFS= read -r file <&8; do
    "$2" "$3" "$file"
    printf '\n%s ended %s\n' "$4" "$?" >&9
done
"""

INNER = r"""
if [ -f '@state@' ]; then . '@state@' 2>/dev/null; fi
if [ -f '@state@.cwd' ]; then IFS= read -r __penstock_file <'@state@.cwd'; cd -- "$__penstock_file"; fi
__penstock_save() {
    { export -p >'@state@'; pwd >'@state@.cwd'; } 2>/dev/null
}
trap '{ set +x; __penstock_save; } 2>/dev/null' EXIT
__penstock_file=$1 __penstock_flags=
shift
while :; do
    case $__penstock_flags in *x*) set -x ;; esac
    . "$__penstock_file" 8<&- 9>&-
    { __penstock_status=$? __penstock_flags=$-; set +x; } 2>/dev/null
    __penstock_save
    command printf '\n%s done %s\n' '@mark@' "$__penstock_status" >&9
    IFS= read -r __penstock_file <&8 || break
done
"""


def inner(state: str, mark: str) -> str:
    """The inner script; `state` is the path where a shell leaves what the next one begins with."""
    return INNER.replace("@state@", state.replace("'", "'\\''")).replace("@mark@", mark)


def read_variable(name: str, file: str) -> str:
    """A command that writes the variable's value, if it is set, into `file`."""
    quoted = "'" + file.replace("'", "'\\''") + "'"
    return f'if [ "${{{name}+x}}" ]; then command printf %s "${name}" >{quoted}; fi\n'
