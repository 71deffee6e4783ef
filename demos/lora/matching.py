"""Which layers a list of target names takes, by PEFT's rule, and a warning when that is not what was meant.

The rule (``peft.tuners.tuners_utils.check_target_module_exists``): a name takes every module whose full name equals it
or ends with a dot and it. PEFT refuses when nothing is taken or when something that is no layer is; it is silent when
only some names are found. Leaves out regular expressions: they would run in the page's own process.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from common import numbers
from demos.lora.architectures import Architecture, Module
from demos.lora.models import ALL_LINEAR, ARCHITECTURES, expand
from demos.params import ParamsError

Level = Literal["", "warning", "error"]
MOST_NAMES, LONGEST_NAME = 64, 200


@dataclass(frozen=True, slots=True)
class Match:
    """What a list of target names takes."""

    targets: tuple[str, ...]  # names as PEFT gets them, presets expanded
    layers: tuple[tuple[Module, int], ...]  # each layer that is taken, and how many; none when PEFT refuses
    found: tuple[str, ...]
    missing: tuple[str, ...]
    refused: tuple[str, ...]  # names that take something LoRA cannot wrap

    @property
    def accepted(self) -> bool:
        """Whether PEFT builds the model."""
        return bool(self.layers)


def match(architecture: Architecture, targets: tuple[str, ...]) -> Match:
    """Match target names (or the id of a preset) against an architecture.

    Raises:
        ParamsError: no name at all, too many, a regular expression.
    """
    names = tuple(dict.fromkeys(expand(architecture, targets)))
    _check(names)
    if len(names) == 1 and names[0].lower() == ALL_LINEAR:
        everything = tuple((module, architecture.times(module.path)) for module in architecture.linear)
        return Match((ALL_LINEAR,), everything, (ALL_LINEAR,), (), ())
    refused = tuple(n for n in names if any(_taken(architecture, path, (n,)) for path in architecture.untouchable()))
    counts = tuple((module, _taken(architecture, module.path, names)) for module in architecture.modules)
    layers = tuple((module, number) for module, number in counts if number and not refused)
    found = tuple(n for n in names if any(_taken(architecture, module.path, (n,)) for module in architecture.modules))
    return Match(names, layers, found, tuple(n for n in names if n not in found and n not in refused), refused)


def paths(architecture: Architecture, taken: Match) -> tuple[tuple[Module, tuple[str, ...]], ...]:
    """Each layer that is taken, and the full names of its copies that are."""
    everything = taken.targets == (ALL_LINEAR,)
    return tuple(
        (layer, tuple(key for key in architecture.keys(layer.path) if everything or _any_takes(taken.targets, key)))
        for layer, _ in taken.layers
    )


def alarm(architecture: Architecture, taken: Match) -> tuple[Level, str]:
    """How bad it is and one or two Russian sentences; empty when every name was found."""
    title = architecture.title
    if taken.refused:
        names = ", ".join(taken.refused)
        return "error", f"PEFT откажется: «{names}» в {title} — не линейный слой и не эмбеддинг. Уберите это имя."
    if not taken.missing:
        return "", ""
    missing, instead = ", ".join(taken.missing), _instead(architecture, taken.missing)
    if not taken.found:
        return "error", f"PEFT откажется: в {title} нет слоёв с именами {missing}.{instead}"
    count = len(taken.missing) + len(taken.found)
    verb = numbers.word(len(taken.found), "нашлось", "нашлись", "нашлись")
    return "warning", (
        f"Из {count} имён в {title} {verb} только {', '.join(taken.found)}; {missing} здесь нет, "
        f"и PEFT об этом промолчит: обучится лишь часть слоёв.{instead}"
    )


def _instead(architecture: Architecture, missing: tuple[str, ...]) -> str:
    """What computes the same thing here: « Вместо q_proj, k_proj здесь qkv_proj.»"""
    replaced: dict[str, list[str]] = {}
    for name in missing:
        parts = _known_parts().get(name, set())
        here = tuple(architecture.label(m) for m in architecture.linear if parts & set(m.covers)) if parts else ()
        if here:
            replaced.setdefault(", ".join(here), []).append(name)
    if not replaced:
        return f" Слои этой модели: {', '.join(map(architecture.label, architecture.linear))}."
    return "".join(f" Вместо {', '.join(names)} здесь {here}." for here, names in replaced.items())


@cache
def _known_parts() -> dict[str, set[str]]:
    """Layer name → the projections that it computes in any architecture offered."""
    parts: dict[str, set[str]] = {}
    for architecture in ARCHITECTURES.values():
        for module in architecture.linear:
            for name in (module.name, architecture.label(module)):
                parts.setdefault(name, set()).update(module.covers)
    return parts


def _taken(architecture: Architecture, path: str, names: tuple[str, ...]) -> int:
    """How many of the modules that a path stands for these names take."""
    if any(_takes(name, path) for name in names):
        return architecture.times(path)
    # the only number in a full name is that of the layer, so a name with numbers can take those layers and no other
    parts = {part for name in names for part in name.split(".") if part.isascii() and part.isdigit()}
    layers = {int(part) for part in parts} & set(range(architecture.times(path)))
    return sum(any(_takes(name, path.format(layer=layer)) for name in names) for layer in layers)


def _any_takes(names: tuple[str, ...], key: str) -> bool:
    return any(_takes(name, key) for name in names)


def _takes(name: str, key: str) -> bool:
    return key == name or key.endswith(f".{name}")


def _check(names: tuple[str, ...]) -> None:
    if not names:
        raise ParamsError("Целевые слои: выберите хотя бы один слой.")
    if len(names) > MOST_NAMES:
        raise ParamsError(f"Целевые слои: слишком длинный список — больше {MOST_NAMES} имён.")
    for name in names:
        if len(name) > LONGEST_NAME or not name.replace("-", "").replace("_", "").replace(".", "").isalnum():
            raise ParamsError(
                f"Целевые слои: «{name[:40]}» — не имя слоя; калькулятор понимает имена через запятую и «{ALL_LINEAR}»."
            )
