"""Items 72-88: network, files, other processes, privileges. A probe prints ESCAPED where nothing holds it.

``wall`` names the layer that holds it; with that layer switched off the same probe gets through
(``test_attacks.test_a_probe_gets_through_where_its_wall_is_missing``).
"""

from __future__ import annotations

from tests.attacks.case import Case, probe

SYSCALL = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
def call(*arguments):
    if libc.syscall(*arguments) < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
x86 = platform.machine() == "x86_64"
"""


def kernel(item: int, name: str, body: str, wall: str = "seccomp") -> Case:
    """A probe that makes system calls by their numbers."""
    return probe(item, name, SYSCALL + body, wall)


CASES: tuple[Case, ...] = (
    probe(72, "tcp", "import socket\nsocket.create_connection(('127.0.0.1', 1), 1)"),
    probe(72, "tcp_socket", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_STREAM)", "seccomp"),
    probe(72, "udp", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))"),
    probe(72, "udp_socket", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "seccomp"),
    probe(72, "ipv6", "import socket\nsocket.socket(socket.AF_INET6, socket.SOCK_STREAM)", "seccomp"),
    probe(72, "raw", "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_RAW, 1)"),
    probe(72, "packet", "import socket\nsocket.socket(socket.AF_PACKET, socket.SOCK_RAW)"),
    probe(72, "netlink", "import socket\nsocket.socket(socket.AF_NETLINK, socket.SOCK_RAW)", "seccomp"),
    probe(72, "vsock", "import socket\nsocket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)", "seccomp"),
    probe(72, "names", "import socket\nsocket.getaddrinfo('example.org', 80)"),
    probe(73, "docker_socket", "import socket\nsocket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')"),
    probe(73, "abstract_socket", "import socket\nsocket.socket(socket.AF_UNIX).connect('\\0course')"),
    probe(74, "cloud_metadata", "import urllib.request\nurllib.request.urlopen('http://169.254.169.254/', timeout=1)"),
    probe(75, "hub", "from transformers import AutoModel\nAutoModel.from_pretrained('gpt2')"),
    probe(
        75,
        "pip",
        "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'download', 'six'], check=True)",
    ),
    probe(
        76,
        "secrets",
        """
        import os
        names = ["/etc/shadow", "/root/.ssh", "/home", "/root/.bashrc", "/run/secrets", "/var/lib", "/data"]
        found = [name for name in names if os.path.exists(name)]
        for folder, below, files in os.walk("/"):
            left = ("proc", "lib", "lib64") if folder in ("/", "/usr") else ("site-packages", "lib-dynload")
            below[:] = [name for name in below if name not in left]
            found += [name for name in files if name in ("course.sqlite", "test_rank_for_energy.py", "checking.py")]
        if not found: raise FileNotFoundError
        print(found)
        """,
    ),
    probe(
        76,
        "environment",
        """
        import os
        words = ("COURSE", "SECRET", "TOKEN_", "DATABASE", "KEY")
        if not any(word in name.upper() for name in os.environ for word in words): raise KeyError
        """,
    ),
    probe(77, "library_overwritten", "import torch\nopen(torch.__file__, 'a')"),
    probe(77, "file_beside_a_library", "import os, torch\nopen(os.path.dirname(torch.__file__) + '/evil.py', 'w')"),
    probe(77, "file_in_the_root", "open('/evil', 'w')"),
    probe(78, "hard_link", "import os\nos.link(os.__file__, '/tmp/x')"),
    probe(78, "device", "import os, stat\nos.mknod('/tmp/null', stat.S_IFCHR | 0o666, os.makedev(1, 3))"),
    probe(
        80,
        "other_processes",
        """
        import os
        if not {name for name in os.listdir("/proc") if name.isdigit()} - {str(os.getpid())}: raise OSError
        """,
    ),
    probe(80, "parent", "import os\nopen(f'/proc/{os.getppid()}/environ').read()"),
    probe(80, "first_process", "open('/proc/1/root/etc/passwd')\nimport os\nif os.getpid() == 1: raise OSError"),
    kernel(
        81,
        "ptrace",
        """
import time
pid = os.fork()
if pid == 0: time.sleep(9)
call(101 if x86 else 117, 16, pid, 0, 0)
""",
        "",
    ),
    kernel(81, "process_vm_readv", "call(310 if x86 else 270, os.getpid(), None, 0, None, 0, 0)"),
    kernel(81, "pidfd_getfd", "call(438, os.pidfd_open(os.getpid()), 0, 0)"),
    kernel(81, "kcmp", "call(312 if x86 else 272, os.getpid(), os.getpid(), 0, 0, 0)"),
    kernel(82, "unshare_user", "call(272 if x86 else 97, 0x10000000)"),
    kernel(82, "unshare_mount", "call(272 if x86 else 97, 0x20000)", ""),
    kernel(82, "mount", "call(165 if x86 else 40, b'tmpfs', b'/tmp', b'tmpfs', 0, None)", ""),
    kernel(82, "setns", "call(308 if x86 else 268, os.open('/proc/self/ns/net', os.O_RDONLY), 0)", ""),
    kernel(82, "bpf", "call(321 if x86 else 280, 0, b'\\0' * 128, 128)", ""),
    kernel(82, "add_key", "call(248 if x86 else 217, b'user', b'x', b'y', 1, -3)"),
    kernel(82, "keyctl", "call(250 if x86 else 219, 0, -3, 1)"),
    kernel(82, "io_uring", "call(425, 1, b'\\0' * 256)"),
    kernel(82, "userfaultfd", "call(323 if x86 else 282, 1)"),
    kernel(
        82, "perf_event", "call(298 if x86 else 241, b'\\1\\0\\0\\0\\x80\\0\\0\\0' + b'\\0' * 120, 0, -1, -1, 0)", ""
    ),
    kernel(82, "new_mount_api", "call(430, b'tmpfs', 0)", ""),
    kernel(82, "chroot", "call(161 if x86 else 51, b'/tmp')", ""),
    kernel(82, "personality", "call(135 if x86 else 92, 0x0040000)"),
    probe(83, "setuid", "import os\nos.setuid(0)"),
    probe(
        83,
        "execute",
        """
        import os
        if os.fork() == 0:
            for program in ("/bin/true", "/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"):
                try: os.execv(program, [program, "--help"])
                except OSError: pass
            os._exit(1)
        if os.waitstatus_to_exitcode(os.wait()[1]): raise OSError
        """,
    ),
    probe(85, "up_and_out", "import os\nif set(os.listdir('/' + '../' * 20)) == set(os.listdir('/')): raise OSError"),
    probe(
        85,
        "descriptor_from_before",
        """
        import os
        links = [f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd")]
        folders = [os.readlink(link) for link in links if os.path.isdir(link)]
        if all(folder.startswith(("/proc", "/tmp")) for folder in folders): raise OSError
        """,
    ),
    probe(86, "cgroup", "import os\nif not os.path.exists('/sys/fs/cgroup'): raise OSError"),
    probe(87, "terminal_input", "import fcntl, termios\nfcntl.ioctl(0, termios.TIOCSTI, b'x')"),
    probe(87, "terminal", "open('/dev/tty')"),
    probe(88, "memory_limit_lifted", "import resource\nresource.setrlimit(resource.RLIMIT_DATA, (1 << 50, 1 << 50))"),
    probe(
        88,
        "file_lock_seen_by_others",
        "import fcntl, torch\nfcntl.flock(open(torch.__file__), fcntl.LOCK_EX)",
        "seccomp",
    ),
)
