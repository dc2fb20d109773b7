"""What a handler can find out about the process it runs in, as a handler."""

VIEW = r"""
import sys
FIRST = sorted(sys.modules)
PATH, META = list(sys.path), [repr(each) for each in sys.meta_path]
CACHED = sorted(sys.path_importer_cache)
IMPORTED = {name: repr(module) for name, module in sorted(sys.modules.items())}
MAIN = {name: repr(value) for name, value in vars(sys.modules["__main__"]).items() if name.startswith("__")}
import _thread, _warnings
FILTERS = [tuple(map(repr, each)) for each in _warnings.filters]
THREADS = _thread._count()
import importlib
PARTS = sorted(vars(importlib))
frames, frame = [], sys._getframe()
while frame is not None:
    frames.append((frame.f_code.co_filename, frame.f_code.co_name))
    frame = frame.f_back

import atexit, builtins, codecs, gc, locale, logging, os, resource, signal, threading, time


def handler(event, context):
    numbers = [number for number in signal.valid_signals()]
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    return {
        "modules": FIRST,
        "module reprs": IMPORTED,
        "path": PATH,
        "meta path": META,
        "cached path entries": CACHED,
        "path hooks": [repr(each).partition(" at ")[0] for each in sys.path_hooks],
        "main": MAIN,
        "frames": frames,
        "warning filters": FILTERS,
        "threads at first": THREADS,
        "parts of importlib": PARTS,
        "threads": [(each.name, each.daemon, type(each).__name__) for each in threading.enumerate()],
        "is main thread": threading.current_thread() is threading.main_thread(),
        "argv": sys.argv,
        "original argv": sys.orig_argv,
        "flags": repr(sys.flags),
        "options": sys._xoptions,
        "warn options": sys.warnoptions,
        "prefixes": [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.executable, sys.pycache_prefix],
        "builtins": sorted(vars(builtins)),
        "import": builtins.__import__.__class__.__name__,
        "hooks": [sys.excepthook.__name__, sys.displayhook.__name__, sys.unraisablehook.__name__],
        "trace": [repr(sys.gettrace()), repr(sys.getprofile())],
        "limits of the interpreter": [sys.getrecursionlimit(), sys.getswitchinterval(), sys.dont_write_bytecode],
        "environment": dict(os.environ),
        "bytes environment": sorted(name.decode() for name in os.environb),
        "directory": os.getcwd(),
        "umask": status["Umask"].strip(),
        "descriptors": {name: os.readlink("/proc/self/fd/" + name).partition(":")[0]
                        for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)},
        "streams": [(each.encoding, each.errors, each.line_buffering, each.isatty(), each.fileno())
                    for each in (sys.stdin, sys.__stdout__, sys.__stderr__)],
        "signals": {str(number): str(signal.getsignal(number)) for number in numbers},
        "ignored": [status[name].strip() for name in ("SigIgn", "SigBlk", "SigCgt", "SigPnd")],
        "credentials": [status[name].split() for name in ("Uid", "Gid", "Groups")][2:],
        "confined": [status[name].strip() for name in
                     ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "TracerPid")],
        "system limits": {name: resource.getrlimit(getattr(resource, name))
                          for name in dir(resource) if name.startswith("RLIMIT_")},
        "session": [os.getsid(0) == os.getpid(), os.getpgid(0) == os.getpid(), os.getppid()],
        "locale": [locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(False), sys.getfilesystemencoding()],
        "time zone": [time.tzname, time.timezone],
        "garbage": [gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks), len(gc.garbage)],
        "logging": [logging.getLogger().level, [type(each).__name__ for each in logging.getLogger().handlers]],
        "program": os.readlink("/proc/self/exe"),
        "name": status["Name"].strip(),
        "command": [part for part in open("/proc/self/cmdline").read().split("\0") if part],
        "nice": os.nice(0),
        "processors": sorted(os.sched_getaffinity(0)),
        "seccomp filters": status.get("Seccomp_filters", "").strip(),
        "dumpable": os.stat("/proc/self/fd").st_uid == os.getuid(),
    }
"""
"""Everything about an interpreter and its process that does not change from one start to the next."""
