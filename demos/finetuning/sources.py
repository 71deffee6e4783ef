"""Where the base of a run comes from: the bundled model, a folder of COURSE_MODELS_DIR, or a model id of the hub.

A folder is read as data before ``transformers`` sees it (``configuration``): safetensors only, no code of its own, an
architecture that we know, files that agree with each other, and a step that fits the memory, with numbers if it does
not. A hub model is downloaded into the models folder once, as ``org--name``, and is a folder from then on. Leaves out
opening it (``quantized``).
"""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from common import numbers
from demos.finetuning import base_model, configuration, devices, elsewhere, templates
from demos.finetuning.configuration import CONFIG, Described
from demos.finetuning.counting import count
from demos.finetuning.devices import Device
from demos.finetuning.spec import COURSE_BASE, RunSpec
from demos.memory import training
from demos.params import ParamsError, nearest
from settings import Settings, current

LENGTH = 128
"""Tokens of an example that the memory check supposes: the course's own data is shorter."""
WANTED = (
    "config.json",
    "generation_config.json",
    "*.safetensors",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)
"""What is downloaded of a hub model, and nothing else."""
log = logging.getLogger(__name__)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_HUB_ID = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,95})/([A-Za-z0-9][A-Za-z0-9._-]{0,95})")


@dataclass(frozen=True, slots=True)
class Source:
    """A base that may be opened."""

    title: str
    place: Path
    described: Described
    need: training.Result  # bytes of a step of the run that was asked for


def resolve(spec: RunSpec, settings: Settings | None = None, device: Device | None = None) -> Source:
    """The base that ``spec`` names, checked; a hub model is downloaded when it is not here yet.

    Raises:
        ParamsError: there is none, it is not safe to open, or it does not fit the memory; one Russian sentence.
    """
    place = base_model.FOLDER if spec.base == COURSE_BASE else _find(spec, settings or current(), device)
    described = configuration.describe(place, title(spec))
    need = check_memory(spec, described, device or devices.here())
    return Source(title(spec), place, described, need)


def title(spec: RunSpec) -> str:
    """What the base is called."""
    return "мини-переводчик" if spec.base == COURSE_BASE else spec.base[:100]


def folders(settings: Settings | None = None) -> tuple[str, ...]:
    """Names that a form may offer besides the bundled model."""
    place = (settings or current()).models_dir
    if not place.is_dir():
        return ()
    return tuple(sorted(path.name for path in place.iterdir() if _NAME.fullmatch(path.name) and path.is_dir()))


def tokenizer(place: Path, vocab: int) -> Any:
    """The tokenizer of a checked folder, with a template that marks the assistant's part.

    Raises:
        ParamsError: it cannot be read, or has more than the ``vocab`` tokens of the model.
    """
    from transformers import AutoTokenizer

    try:
        found = AutoTokenizer.from_pretrained(place, local_files_only=True, trust_remote_code=False)
    except Exception:
        log.exception("tokenizer of %s", place.name)
        raise ParamsError(f"Токенизатор модели «{place.name}» не читается: проверьте tokenizer.json.") from None
    if len(found) > vocab:
        raise ParamsError(
            f"Токенизатор модели «{place.name}» от другой модели: в нём {numbers.integer(len(found))} токенов, "
            f"а у модели место для {numbers.integer(vocab)}."
        )
    templates.fit(found, place.name)
    return found


def check_memory(spec: RunSpec, described: Described, device: Device) -> training.Result:
    """What a step of ``spec`` needs on ``device``.

    Raises:
        ParamsError: more than is free; says how much of what, and what would fit.
    """
    need = _need(spec, described, device)
    if training.fits(need.total, device.free, device.kind):
        return need
    parts = {"веса": need.weights, "градиенты": need.gradients, "оптимизатор": need.optimizer}
    parts["активации"] = need.activations
    listed = ", ".join(f"{name} {numbers.size(size)}" for name, size in parts.items())
    raise ParamsError(
        f"Не поместится: {spec.title} на модели «{described.architecture.title}» возьмёт около "
        f"{numbers.size(need.total)} ({listed}), а свободно {numbers.size(device.free)} ({device.title}). "
        f"{_instead(spec, described, device)}"
    )


def _need(spec: RunSpec, described: Described, device: Device) -> training.Result:
    dtype = devices.choose_dtype(device, spec.dtype)
    narrow = dtype == "bfloat16" and spec.quantization != "none"  # as trl keeps adapters; full tuning stays in float32
    counted = count(described.architecture, spec)
    plan = elsewhere.plan(
        spec, counted, LENGTH, dtype=dtype, precision="bfloat16" if narrow else "float32", device=device.kind
    )
    return training.estimate(described.architecture, plan)


def _instead(spec: RunSpec, described: Described, device: Device) -> str:
    """The first cheaper recipe that fits."""
    small = replace(
        spec, batch=1, accumulation=min(64, spec.batch * spec.accumulation), checkpointing=spec.method != "prefix"
    )
    lora = replace(small, method="lora", quantization="nf4", checkpointing=True)
    advice = {
        "Хватит памяти по одному примеру в шаге с накоплением и чекпоинтингом активаций.": small,
        "Хватит памяти на QLoRA (NF4) по одному примеру в шаге с чекпоинтингом.": lora,
    }
    for sentence, other in advice.items():
        if training.fits(_need(other, described, device).total, device.free, device.kind):
            return sentence
    return "Возьмите модель поменьше."


def _find(spec: RunSpec, settings: Settings, device: Device | None) -> Path:
    """The folder of a named model; a hub model is brought here first."""
    owned = _HUB_ID.fullmatch(spec.base)
    if not owned and not _NAME.fullmatch(spec.base):
        raise ParamsError(
            f"«{spec.base[:60]}» — не имя модели: нужна папка внутри COURSE_MODELS_DIR или имя вида «автор/модель»."
        )
    folder = settings.models_dir / ("--".join(owned.groups()) if owned else spec.base)
    if owned and not folder.exists():
        _download(spec, folder, settings, device)
    if not folder.is_dir():
        raise ParamsError(
            f"Нет модели «{spec.base}»{nearest(spec.base, folders(settings))}: положите её папку в COURSE_MODELS_DIR."
        )
    if folder.is_symlink() or any(path.is_symlink() for path in folder.iterdir()):
        raise ParamsError(f"В папке модели «{spec.base}» есть ссылки на другие места: скопируйте сами файлы.")
    return folder


def _download(spec: RunSpec, folder: Path, settings: Settings, device: Device | None) -> None:
    """Bring a hub model into ``folder``: config.json first, weights only when a step would fit."""
    if not settings.hub_models:
        raise ParamsError(
            f"Модели с huggingface.co здесь выключены, а модели «{spec.base}» в папке нет: "
            "её включает тот, кто запускает курс (COURSE_HUB_MODELS=1)."
        )
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".download-", dir=settings.models_dir) as scratch:
        place = Path(scratch) / "model"
        _fetch(spec.base, place, (CONFIG,))
        architecture = configuration.read_config(configuration.load(place / CONFIG, spec.base), spec.base)
        check_memory(spec, Described(architecture, "bfloat16", 0), device or devices.here())
        _check_disk(architecture.base * 2, settings.models_dir)
        _fetch(spec.base, place, WANTED)
        shutil.rmtree(place / ".cache", ignore_errors=True)
        configuration.describe(place, spec.base)
        place.rename(folder)


def _fetch(name: str, place: Path, patterns: tuple[str, ...]) -> None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

    try:
        snapshot_download(name, local_dir=place, allow_patterns=list(patterns), token=False)
    except GatedRepoError:
        raise ParamsError(f"Модель «{name}» закрыта: скачайте её сами и положите папку в COURSE_MODELS_DIR.") from None
    except RepositoryNotFoundError:
        raise ParamsError(f"На huggingface.co нет модели «{name}» (или она закрыта): проверьте имя.") from None
    except Exception:
        log.exception("download of %s", name)
        raise ParamsError(
            f"Не удалось скачать модель «{name}»: нет связи с huggingface.co. Проверьте сеть или возьмите модель курса."
        ) from None


def _check_disk(size: int, place: Path) -> None:
    free = shutil.disk_usage(place).free
    if size > 0.9 * free:
        raise ParamsError(f"Модель займёт {numbers.size(size)} на диске, а свободно {numbers.size(free)}.")
