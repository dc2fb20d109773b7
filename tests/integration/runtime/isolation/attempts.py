"""What a hostile handler tries. Each attempt is a function body that is given what it could at most know, and returns
something true when it got what it wanted; it may fail in any way."""

from __future__ import annotations

import textwrap
from typing import NamedTuple

HELPERS = r'''
import ctypes, errno, glob, os, signal, socket, stat, struct, subprocess, sys, tempfile, threading, time
libc = ctypes.CDLL(None, use_errno=True)

def call(number, *arguments):
    """A raw system call (x86_64): its result; an error raises."""
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def c(name, *arguments):
    """A call of the C library: its result; an error raises."""
    result = getattr(libc, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result

def read(path, size=1 << 20):
    with open(path, "rb") as file:
        return file.read(size)

def worked(*steps):
    """The steps that did not fail."""
    done = []
    for step in steps:
        try:
            done.append(repr(step()))
        except Exception:
            pass
    return done
'''
ATTACKER = f"""
def handler(event, context):
    scope = {{"context": context}}
    exec({HELPERS!r}, scope)
    exec("def attempt(know):\\n" + event["body"], scope)
    try:
        return {{"got": scope["attempt"](event)}}
    except BaseException as error:
        return {{"failed": f"{{type(error).__name__}}: {{error}}"}}
"""
VICTIM = """
import ctypes, os, subprocess, tempfile
from pathlib import Path
subprocess.Popen(["sleep", "600"])  # with all its variables
CODE_SECRET = "secret-of-the-code"
Path(tempfile.gettempdir(), "mine").write_text("secret-of-tmp")
libc = ctypes.CDLL(None, use_errno=True)
segment = libc.shmget(0x5EC2E7, 4096, 0o1666)
queue = libc.msgget(0x5EC2E7, 0o1666)
def handler(event, context):
    return {"who": WHO, "user": os.getuid(), "api": os.environ["AWS_LAMBDA_RUNTIME_API"], "segment": segment,
            "own": [os.environ["SECRET"], CODE_SECRET, Path(tempfile.gettempdir(), "mine").read_text()]}
"""


class Attempt(NamedTuple):
    """One way out. `open_world` says that it succeeds where nothing is isolated, which shows that it is a real one."""

    name: str
    body: str
    open_world: bool = False

    def source(self) -> str:
        """The body, indented as that of a function."""
        return textwrap.indent(textwrap.dedent(self.body).strip("\n"), "    ")


FILES = (
    Attempt("the API token", "return read(know['token'])", open_world=True),
    Attempt("the catalog", "return read(know['home'] + '/catalog.db')", open_world=True),
    Attempt(
        "the catalog through the server's /proc",
        "return read(f\"/proc/{know['server']}/root{know['home']}/catalog.db\")",
        open_world=True,
    ),
    Attempt("the code of others", "return glob.glob(know['home'] + '/code/*')", open_world=True),
    Attempt("the logs of others", "return glob.glob(know['home'] + '/logs/**/*.log', recursive=True)", open_world=True),
    Attempt(
        "any file with a secret in it",
        """
            found = []
            for top in set(os.listdir("/")) - {"proc", "usr", "bin", "lib", "lib32", "lib64", "libx32", "sbin",
                "dev", "sys"}:
                for directory, _, names in os.walk("/" + top):
                    if directory.startswith(("/var/lang", "/var/runtime")):
                        continue
                    for name in names:
                        path = os.path.join(directory, name)
                        try:
                            if stat.S_ISREG(os.lstat(path).st_mode) and b"secret-of-" in read(path):
                                found.append(path)
                        except OSError:
                            pass
            return found
        """,
    ),
    Attempt(
        "the machine's root", "return [name for name in know['roots'] if os.path.exists('/' + name)]", open_world=True
    ),
    Attempt(
        "the place the keeper took things from",
        """
            return worked(lambda: os.stat("/.host/etc"), lambda: os.stat("/.host/root"),
                lambda: os.stat("/.penstock/inside/stash.py"))
        """,
    ),
    Attempt(
        "beyond its root",
        """
            os.makedirs("/tmp/deep")
            outside = os.open("/", os.O_RDONLY)
            done = worked(lambda: os.chroot("/tmp/deep"), lambda: c("pivot_root", b".", b"."))
            os.fchdir(outside)
            return done + [name for name in os.listdir("/../../..") if name in know["roots"]]
        """,
    ),
    Attempt(
        "links in /tmp that lead out",
        """
            targets = [know["token"], know["home"], "/proc/1/root", "/proc/1/cwd", f"/proc/{know['server']}/root"]
            for number, target in enumerate(targets):
                os.symlink(target, f"/tmp/link{number}")
            return [os.readlink(f"/tmp/link{n}") for n in range(len(targets))
                if worked(lambda: os.listdir(f"/tmp/link{n}"))]
        """,
    ),
    Attempt(
        "hard links to what is not its own",
        """
            paths = ["/etc/passwd", "/var/task/app.py", "/usr/bin/env", "/proc/1/environ",
                "/var/runtime/bootstrap.py"]
            return worked(*(lambda path=path: os.link(path, "/tmp/hard" + str(len(path))) for path in paths))
        """,
    ),
    Attempt(
        "the /tmp of others",
        """
            return [path for path in glob.glob("/tmp/**", recursive=True) + glob.glob("/var/tmp/**", recursive=True)
                    if os.path.isfile(path) and b"secret-of-tmp" in read(path)]
        """,
    ),
)
WRITING = (
    Attempt(
        "its code", "open(os.environ['LAMBDA_TASK_ROOT'] + '/app.py', 'a').write('#'); return True", open_world=True
    ),
    Attempt(
        "new files beside its code",
        "open(os.environ['LAMBDA_TASK_ROOT'] + '/new.py', 'w'); return True",
        open_world=True,
    ),
    Attempt(
        "its code after a change of mode or mount",
        """
            return worked(
                lambda: os.chmod("/var/task/app.py", 0o777), lambda: os.chown("/var/task/app.py", os.getuid(), -1),
                lambda: os.rename("/var/task/app.py", "/var/task/b.py"), lambda: os.remove("/var/task/app.py"),
                lambda: c("mount", b"none", b"/var/task", b"", 32 | 4096, None),
                    lambda: os.truncate("/var/task/app.py", 0))
        """,
    ),
    Attempt("its layers", "return worked(lambda: open('/opt/new', 'w'), lambda: open('/opt/data.txt', 'a'))"),
    Attempt(
        "what other functions run on",
        """
            places = ["/var/runtime/awslambdaric", "/var/runtime", "/var/lang/lib", "/var/lang/bin", "/usr/bin",
                "/usr/lib",
                      "/etc", "/", "/var", "/bin", "/home", "/dev", "/root"]
            return worked(*(lambda place=place: open(place + "/planted", "w") for place in places),
                          lambda: open("/etc/passwd", "a"), lambda: open("/var/runtime/bootstrap.py", "a"),
                          lambda: open("/var/lang/lib/python3." + str(sys.version_info[1]) + "/json/__init__.py",
                              "a"))
        """,
    ),
    Attempt(
        "the kernel's settings",
        """
            return worked(lambda: open("/proc/sys/kernel/core_pattern", "w"), lambda: open("/proc/sysrq-trigger",
                "w"),
                          lambda: open("/proc/sys/vm/overcommit_memory", "w"),
                              lambda: open("/proc/1/oom_score_adj", "w"),
                          lambda: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000"),
                              lambda: open("/proc/irq/1/smp_affinity", "w"))
        """,
    ),
)
PROCESSES = (
    Attempt(
        "the environment of others",
        """
            found = []
            for path in glob.glob("/proc/[0-9]*/environ"):
                try:
                    found.append(b"secret-of-the-environment" in read(path))
                except OSError:
                    pass
            return any(found)
        """,
        open_world=True,
    ),
    Attempt(
        "processes of others",
        """
            return [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()]
        """,
        open_world=True,
    ),
    Attempt(
        "what process 1 has",
        """
            return worked(lambda: os.readlink("/proc/1/root"), lambda: os.listdir("/proc/1/fd"),
                lambda: read("/proc/1/environ"),
                          lambda: read("/proc/1/maps"), lambda: os.open("/proc/1/mem", os.O_RDWR),
                              lambda: read("/proc/1/cmdline"))
        """,
    ),
    Attempt(
        "signals to others",
        "return worked(*(lambda pid=pid: os.kill(pid, 0) for pid in [1, know['server'], *know['pids']]))",
        open_world=True,
    ),
    Attempt("an end to process 1", "os.kill(1, signal.SIGKILL); return True"),
    Attempt(
        "tracing",
        """
            child = os.fork()
            if child == 0:
                time.sleep(5)
                os._exit(0)
            try:
                return worked(lambda: call(101, 16, child, None, None), lambda: call(101, 0x4206, child, None, None),
                              lambda: call(101, 16, 1, None, None), lambda: call(101, 0, 0, None, None),
                              lambda: call(310, child, None, 0, None, 0, 0), lambda: call(311, 1, None, 0, None, 0,
                                  0))
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        """,
    ),
    Attempt(
        "another user",
        """
            users = [0, 1, know["user"], os.getuid() + 1]
            return worked(*(lambda user=user: os.setuid(user) for user in users),
                *(lambda user=user: os.setgid(user) for user in users),
                          *(lambda user=user: os.seteuid(user) for user in users), lambda: os.setgroups([0]),
                          lambda: os.setresuid(-1, 0, -1), lambda: os.nice(-5))
        """,
    ),
    Attempt(
        "programs that make root",
        """
            programs = [path for directory in ("/usr/bin", "/usr/sbin", "/bin", "/usr/lib")
                for path in glob.glob(directory + "/*")
                        if os.path.isfile(path) and os.stat(path).st_mode & (stat.S_ISUID | stat.S_ISGID)]
            found = []
            for program in programs:
                run = subprocess.Popen([program], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
                time.sleep(0.01)
                try:
                    if os.stat(f"/proc/{run.pid}").st_uid == 0:
                        found.append(program)
                except OSError:
                    pass
                run.kill()
                run.wait()
            import shutil
            shutil.copy("/usr/bin/id", "/tmp/id")
            os.chmod("/tmp/id", 0o6755)
            said = subprocess.run(["/tmp/id", "-u"], capture_output=True, text=True).stdout.strip()
            return found + ([said] if said != str(os.getuid()) else [])
        """,
    ),
    Attempt(
        "capabilities",
        """
            status = dict(line.split(":", 1) for line in open("/proc/self/status"))
            header, data = struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[0xFFFFFFFF] * 6)
            return worked(lambda: call(126, header, data)) + [
                name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb") if int(status[name], 16)]
        """,
    ),
)
KERNEL = (
    Attempt(
        "namespaces of its own",
        """
            flags = [0x10000000, 0x00020000, 0x20000000, 0x40000000, 0x08000000, 0x04000000, 0x02000000, 0x10020000]
            return worked(*(lambda flag=flag: c("unshare", flag) for flag in flags),
                          *(lambda flag=flag: call(56, flag | 17, None, None, None, None) for flag in flags))
        """,
    ),
    Attempt(
        "namespaces of others",
        """
            paths = glob.glob("/proc/1/ns/*") + glob.glob("/proc/self/ns/*")
            return worked(*(lambda path=path: c("setns", os.open(path, os.O_RDONLY), 0) for path in paths))
        """,
    ),
    Attempt(
        "mounts",
        """
            os.makedirs("/tmp/m")
            return worked(lambda: c("mount", b"tmpfs", b"/tmp/m", b"tmpfs", 0, None), lambda: c("mount", b"proc",
                b"/tmp/m", b"proc", 0, None),
                          lambda: c("mount", b"/", b"/tmp/m", None, 4096, None), lambda: c("umount2", b"/proc", 2),
                          lambda: c("umount2", b"/var/task", 2), lambda: call(428, -100, b"/", 1),
                              lambda: call(430, b"tmpfs", 0),
                          lambda: call(442, -100, b"/", 0, None, 0))
        """,
    ),
    Attempt(
        "control groups",
        """
            os.makedirs("/tmp/cg")
            return worked(lambda: c("mount", b"cgroup", b"/tmp/cg", b"cgroup", 0, b"memory"), lambda: c("mount",
                b"none", b"/tmp/cg", b"cgroup2", 0, None),
                          lambda: open("/sys/fs/cgroup/memory/cgroup.procs", "w")) + [
                          path for path in know["groups"] if os.path.exists(path)]
        """,
    ),
    Attempt(
        "devices",
        """
            made = worked(lambda: os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, know["disk"]),
                          lambda: os.mknod("/tmp/null", stat.S_IFCHR | 0o666, os.makedev(1, 3)))
            harmless = {"null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr"}
            return made + sorted(set(os.listdir("/dev")) - harmless)
        """,
    ),
    Attempt(
        "the kernel's memory",
        """
            return worked(lambda: os.open("/dev/mem", os.O_RDONLY), lambda: os.open("/dev/kmem", os.O_RDONLY),
                lambda: call(103, 3, b" " * 99, 99),
                          lambda: os.open("/proc/kcore", os.O_RDONLY), lambda: os.open("/dev/kmsg", os.O_RDONLY),
                              lambda: call(173, 0, 1, 1))
        """,
    ),
    Attempt(
        "the kernel's workshop",
        """
            attributes = ctypes.create_string_buffer(256)
            return worked(lambda: call(321, 0, attributes, 72), lambda: call(298, attributes, 0, -1, -1, 0),
                lambda: call(323, 0),
                          lambda: call(425, 8, attributes), lambda: call(250, 0, -3, 1), lambda: call(248, b"user",
                              b"name", b"x", 1, -3),
                          lambda: call(175, attributes, 1, b""), lambda: call(313, 0, b"", 0), lambda: call(246, 0,
                              0, None, 0),
                          lambda: call(304, -100, attributes, 0))
        """,
    ),
    Attempt(
        "the machine itself",
        """
            return worked(lambda: c("reboot", 0), lambda: c("sethostname", b"mine", 4), lambda: c("swapon",
                b"/tmp/x", 0),
                          lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()), lambda: c("acct",
                              b"/tmp/acct"),
                          lambda: c("quotactl", 0x80000200, b"/dev/root", 0, None))
        """,
    ),
)
NETWORK = (
    Attempt(
        "the server's ports",
        """
            def bind(port):
                with socket.socket() as taken:
                    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                        taken.setsockopt(socket.SOL_SOCKET, option, 1)
                    taken.bind(("127.0.0.1", port))
                    taken.listen()
            return worked(*(lambda port=port: bind(port) for port in know["ports"]))
        """,
    ),
    Attempt(
        "another environment's Runtime API",
        """
            import http.client
            answers = []
            for method, path in (("GET", "/2018-06-01/runtime/invocation/next"), ("POST",
                "/2018-06-01/runtime/init/error"),
                                 ("POST", "/2020-01-01/extension/register"), ("PUT", "/2022-07-01/telemetry")):
                connection = http.client.HTTPConnection(know["api"], timeout=0.5)
                try:
                    connection.request(method, path, b"{}" if method != "GET" else None)
                    answers.append(connection.getresponse().status)
                except (OSError, http.client.HTTPException) as error:
                    if isinstance(error, TimeoutError):
                        answers.append("it listens")
            return answers
        """,
        open_world=True,
    ),
    Attempt(
        "raw packets",
        """
            return worked(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
                lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
                          lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
                              lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET),
                          lambda: socket.socket(socket.AF_CAN, socket.SOCK_RAW, 1))
        """,
    ),
    Attempt(
        "the machine's interfaces",
        """
            import fcntl
            plain = socket.socket()
            return worked(lambda: fcntl.ioctl(plain, 0x8914, struct.pack("16sH14x", b"lo", 0)),
                          lambda: fcntl.ioctl(plain, 0x8916, struct.pack("16sHH4s8x", b"lo", 2, 0, bytes([127, 0,
                              0, 9]))))
        """,
    ),
    Attempt(
        "the System V objects of others",
        "return worked(lambda: c('shmget', 0x5EC2E7, 4096, 0o666), lambda: c('msgget', 0x5EC2E7, 0o666), "
        "lambda: c('shmat', know['segment'], None, 0))",
    ),
    Attempt(
        "memory that is shared by name",
        "return worked(lambda: c('shm_open', b'/penstock', 0o102, 0o600), lambda: os.stat('/dev/shm'))",
    ),
)

DESCRIPTORS = Attempt(
    "descriptors it was not meant to have",
    """
        names = [name for name in os.listdir("/proc/self/fd") if int(name) > 2]
        links = [os.readlink(f"/proc/self/fd/{name}") for name in names if os.path.lexists(f"/proc/self/fd/{name}")]
        others = [link for link in links if not link.startswith(("socket:", "/proc/"))]
        for name in names:
            try:
                found = socket.socket(fileno=os.dup(int(name)))
                if found.type == socket.SOCK_SEQPACKET or found.family not in (socket.AF_INET, socket.AF_UNIX):
                    others.append(repr(found))
            except OSError:
                pass
        return others
    """,
)
"""For an environment in which nothing else was tried."""
