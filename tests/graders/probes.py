"""Snippets that get through exactly when certain walls are left out; each prints ESCAPED or HELD.

``call(name, *arguments)`` makes a refused system call and returns its error's name; ``attempt(act)`` prints whether
``act`` raised OSError; ``told`` is what the test passes. Leaves out running them (``test_walls``).
"""

from __future__ import annotations

from dataclasses import dataclass

PREPARED = """
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *arguments):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(denied[name]), *(ctypes.c_long(each) for each in arguments))
    return errno.errorcode[ctypes.get_errno()] if result < 0 else ""
def attempt(act):
    try: print("ESCAPED", repr(act())[:60])
    except OSError as error: print("HELD", error)
def status(name):
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))
"""


@dataclass(frozen=True)
class Probe:
    """``source`` escapes without the layers ``without``, and is held by each of them alone where ``each`` is set."""

    name: str
    without: tuple[str, ...]
    source: str
    tiers: str = "AB"
    users: tuple[str, ...] = ("root", "ordinary")  # for whom these layers are what holds
    each: bool = False
    landlock: int = 1  # the version from which Landlock holds it too

    def __str__(self) -> str:
        return self.name


_SECCOMP = ("seccomp",)
_WALLS = ("landlock", "seccomp")
PROBES = (
    Probe("udp", _SECCOMP, "import socket\nattempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))"),
    Probe("netlink", _SECCOMP, "import socket\nattempt(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))"),
    Probe("tcp", _WALLS, "import socket\nattempt(lambda: socket.create_connection(('127.0.0.1', told['port'])))", "B",
          each=True, landlock=4),
    Probe("unix_socket", _SECCOMP, "import socket\n"
          "attempt(lambda: socket.socket(socket.AF_UNIX).connect(told['socket']))", "B"),
    Probe("datagram_pair", _SECCOMP, "import socket\n"
          "attempt(lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM))", "B"),
    Probe("program", _WALLS, "attempt(lambda: os.execv(told['loader'], [told['loader'], '--help']))", each=True),
    Probe("new_namespace", _SECCOMP, "print('HELD' if call('unshare', 0) == 'EPERM' else 'ESCAPED')"),
    Probe("trace", _SECCOMP, "print('HELD' if call('ptrace', 0, 0, 0, 0) == 'EPERM' else 'ESCAPED')"),
    Probe("memfd", _SECCOMP, "attempt(lambda: os.memfd_create('x'))"),
    Probe("shared_anonymous_memory", _SECCOMP, "import mmap\nattempt(lambda: mmap.mmap(-1, 4096))"),
    Probe("shared_zero_device", ("landlock",), "attempt(lambda: open('/dev/zero', 'r+b'))"),
    Probe("lock", _SECCOMP, "import fcntl\nattempt(lambda: fcntl.flock(open(os.__file__), fcntl.LOCK_EX))"),
    Probe("record_lock", _SECCOMP, "import fcntl\nattempt(lambda: fcntl.lockf(open(os.__file__), fcntl.LOCK_SH))"),
    Probe("watched_files", _SECCOMP, "print(call('inotify_init1', 0) and 'HELD' or 'ESCAPED')"),
    Probe("signals_by_the_kernel", _SECCOMP,
          "import fcntl\nattempt(lambda: fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, os.getpid()))"),
    Probe("pushed_input", _SECCOMP, "import fcntl\ntry: fcntl.ioctl(open('/dev/null'), 0x5412, b'x')\n"
          "except OSError as error: print('HELD' if error.errno == errno.EPERM else 'ESCAPED')"),
    Probe("queue", _SECCOMP, "print('HELD' if call('msgget', 0, 0o600) == 'EPERM' else 'ESCAPED')"),
    Probe("keys", _SECCOMP, "print('HELD' if call('keyctl', 0, -3, 0) == 'EPERM' else 'ESCAPED')"),
    Probe("scheduling", _SECCOMP, "attempt(lambda: os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0)))"),
    Probe("limits_of_another", _SECCOMP,
          "import resource\nattempt(lambda: resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE))"),
    Probe("process", _SECCOMP, "attempt(lambda: os.fork() or os._exit(0))", "B"),
    Probe("signal", _WALLS, "attempt(lambda: os.kill(told['pid'], 0))", "B", ("ordinary",), each=True, landlock=6),
    Probe("mode", _SECCOMP, "open('x', 'w')\nattempt(lambda: os.chmod('x', 0o777))", "B"),
    Probe("survival", _SECCOMP, "print('HELD' if libc.prctl(1, 0, 0, 0, 0) else 'ESCAPED')", "B"),
    Probe("file_of_another", ("landlock",), "attempt(lambda: open(told['file']).read())", "B"),
    Probe("shared_folder", ("landlock",), "attempt(lambda: open(f'{told[\"folder\"]}/{os.getpid()}', 'w'))", "B"),
    Probe("process_of_another", ("landlock",), "attempt(lambda: open(f'/proc/{told[\"pid\"]}/status').read())", "B"),
    Probe("environment_of_another", ("landlock",), "attempt(lambda: open(f'/proc/{os.getppid()}/environ').read())", "B",
          ("ordinary",)),
    Probe("network_of_the_machine", ("landlock",), "attempt(lambda: open('/proc/self/net/tcp').read())", "B"),
    Probe("name_of_the_machine", ("namespaces",),
          "print('HELD' if os.uname().nodename == 'sandbox' else 'ESCAPED')", "A"),
    Probe("left_files", ("scratch",), "print('ESCAPED' if os.path.exists('/tmp/left') else 'HELD')\n"
          "if not os.path.exists('/tmp/left'): open('/tmp/left', 'w')", "A"),
    Probe("identity", ("identity",), "print('HELD' if os.getuid() else 'ESCAPED')", users=("root",)),
    Probe("bounding_set", ("bounds",), "print('ESCAPED' if int(status('CapBnd'), 16) else 'HELD')", "A"),
    Probe("capabilities", ("privileges",), "print('ESCAPED' if int(status('CapEff'), 16) else 'HELD')", "A",
          ("ordinary",)),
    Probe("descriptors", ("limits",), "attempt(lambda: [os.dup(0) for _ in range(300)])"),
    Probe("large_file", ("limits",), "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
          "attempt(lambda: open('large', 'w').truncate((64 << 20) + 1))", "B"),
)  # fmt: skip
