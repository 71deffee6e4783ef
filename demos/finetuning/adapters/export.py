"""What a learner takes along: the merged model, a GGUF for llama.cpp, a Modelfile for Ollama.

Files are written beside the adapter's own in the data directory and named in the result; the page hands them out.
Leaves out the adapter itself: its files are what the page has already.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from demos.finetuning import base_model
from demos.finetuning.adapters import gguf_file, merging, store
from demos.finetuning.adapters.container import AdapterError
from demos.finetuning.adapters.gguf_file import FileType
from demos.finetuning.quantized import Base
from demos.finetuning.spec import RunSpec
from demos.params import Checked, parameter

Form = Literal["safetensors", "gguf-f32", "gguf-f16", "gguf-q8_0"]
FORMS = {
    "safetensors": "Слитая модель, safetensors (zip)",
    "gguf-f32": "GGUF, float32",
    "gguf-f16": "GGUF, float16",
    "gguf-q8_0": "GGUF, 8 бит (q8_0)",
}
"""What can be exported, for a learner."""
README = """Слитая модель курса «Донастройка»: база и адаптер в одних весах, float32.

Открыть в Python:

    from transformers import AutoModelForCausalLM, AutoTokenizer
    model = AutoModelForCausalLM.from_pretrained("папка")
    tokenizer = AutoTokenizer.from_pretrained("папка")
"""


@dataclass(frozen=True, slots=True)
class Params(Checked):
    """Which adapter in which form, and the base it was trained on: that is what it is merged into."""

    adapter: str = parameter("", "Адаптер")
    form: Form = parameter("gguf-f32", "Вид файла", choices=tuple(FORMS))
    quantization: Literal["none", "nf4", "fp4"] = parameter("none", "Квантование базы", choices=("none", "nf4", "fp4"))
    double_quantization: bool = parameter(True, "Двойное квантование")


@dataclass(frozen=True, slots=True)
class Result:
    """Where the file lies and its bytes. ``problem`` is a sentence when there is none."""

    problem: str = ""
    path: str = ""
    bytes: int = 0


def export(params: Params) -> Result:
    """Merge and write; what was written before is handed out again."""
    try:
        path = _written(params)
    except AdapterError as problem:
        return Result(problem=str(problem))
    return Result(path=str(path), bytes=path.stat().st_size)


def file_name(params: Params) -> str:
    """What the file is called on the learner's disk."""
    return "merged.zip" if params.form == "safetensors" else f"merged-{params.form.removeprefix('gguf-')}.gguf"


def modelfile(gguf: str = "merged-f32.gguf") -> str:
    """Ollama's recipe for the exported GGUF: our chat template in Go's language, our end, no chance."""
    return (
        f"FROM ./{gguf}\n"
        'TEMPLATE """{{- range .Messages }}<|{{ .Role }}|>{{ .Content }}'
        f'{base_model.END}{{{{- end }}}}<|assistant|>"""\n'
        f'PARAMETER stop "{base_model.END}"\n'
        "PARAMETER temperature 0\n"
        "PARAMETER repeat_penalty 1\n"
        "PARAMETER num_ctx 512\n"
    )


def save_merged(base: Base, folder: Path) -> None:
    """Weights, config and tokenizer as transformers reads them."""
    base.model.save_pretrained(folder)
    base.tokenizer.save_pretrained(folder)


def _written(params: Params) -> Path:
    adapter = store.adapter(params.adapter)
    kind = f"{params.quantization}{'-dq' if params.double_quantization else ''}"
    path = store.folder(params.adapter) / "export" / kind / file_name(params)
    if not path.is_file():
        base = merging.merged(
            adapter, RunSpec(quantization=params.quantization, double_quantization=params.double_quantization)
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        if params.form == "safetensors":
            _zip(base, fresh)
        else:
            kept = cast("FileType", params.form.removeprefix("gguf-"))
            gguf_file.write(base, fresh, file_type=kept, name="Донастройка: мини-переводчик с адаптером")
        fresh.replace(path)
    return path


def _zip(base: Base, path: Path) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        save_merged(base, Path(folder))
        for file in sorted(Path(folder).iterdir()):
            archive.write(file, f"merged/{file.name}")
        archive.writestr("merged/README.txt", README)
