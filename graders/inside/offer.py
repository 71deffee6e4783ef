"""What this machine offers and what not, in words for whoever runs the course. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping

from graders.inside import landlock

_NAMES = {"A": "пространства имён", "B": "Landlock и seccomp"}
_SOCKETS = {"A": "их закрывают пространства имён", "B": "их закрывает seccomp"}


def missing(tier: str, problems: Mapping[str, str]) -> dict[str, str]:
    """What could stand and does not, with the reason and what stands in for it."""
    found: dict[str, str] = {}
    if tier == "B":
        why = f"ядро отказало ({problems['A']})" if "A" in problems else "ступень B задана явно"
        found["namespaces"] = f"{why}: код учеников не может запускать процессы и общаться через сокеты"
    found["cgroup"] = "не используется: память всех процессов и временную папку считает сторож 20 раз в секунду"
    version = landlock.version()
    if not version:
        found["landlock"] = "в этом ядре его нет: файлы закрывают одни пространства имён"
    elif version < landlock.SOCKETS_BY_PATH:
        wanted = f"нужна его версия {landlock.SOCKETS_BY_PATH}, здесь {version}"
        found["socket names"] = f"{wanted}: {_SOCKETS[tier]}"
    return found


def refusal(problems: Mapping[str, str]) -> str:
    """Why nothing can be graded here and what to do about it, without the full stop."""
    reasons = "; ".join(f"{_NAMES[tier]}: {why}" for tier, why in problems.items())
    if any("visible" in why for why in problems.values()):
        return f"код учеников увидел бы чужое ({reasons}); перенесите курс туда, где не лежат библиотеки Python"
    if "Permission denied: '/" in problems.get("B", ""):
        return f"пользователь без прав не прочтёт библиотеки ({reasons}); перенесите Python и курс в открытую папку"
    return (
        f"стены не встают ({reasons}); разрешите пространства имён (sudo sysctl -w user.max_user_namespaces=10000, "
        "в Ubuntu 24.04 и новее ещё kernel.apparmor_restrict_unprivileged_userns=0) или запустите курс на Linux 6.2 "
        "или новее"
    )
