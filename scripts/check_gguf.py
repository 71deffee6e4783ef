"""``python scripts/check_gguf.py COMMAND FOLDER``: does llama.cpp answer as transformers does, from our GGUF?

``prepare`` merges an adapter (``--adapter ZIP``, or none: the base alone) and writes model.gguf and requests.json with
transformers' greedy answers; ``compare`` lets llama.cpp answer the same requests, as text and as a chat, and prints how
many answers are equal and how many ended by the stop token. ``compare`` needs nothing but ``xllamacpp``: wheels of
llama.cpp itself, where llama-cpp-python would be compiled for half an hour.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

MODEL, REQUESTS = "model.gguf", "requests.json"
COUNT = 50
MOST = 96
END = "<|end|>"


@dataclass(frozen=True, slots=True)
class Counts:
    """What came out of ``of`` requests."""

    of: int
    equal: int  # text given as our template renders it
    equal_chats: int  # messages given, rendered by the template inside the GGUF
    stopped: int  # ended by the stop token, which is not in the text


def prepare(folder: Path, adapter: Path | None, file_type: str, task: str = "") -> None:
    """Write the model and the requests with the answers that are expected."""
    from demos.finetuning import base_model, evaluate, skills
    from demos.finetuning.adapters import files, gguf_file, merging, store
    from demos.finetuning.quantized import open_base
    from demos.finetuning.spec import RunSpec
    from demos.finetuning.tasks import build

    spec = RunSpec(quantization="none")
    base = open_base(spec)
    if adapter is not None:
        found = store.unzip(adapter.read_bytes())
        base = merging.merged(files.open_adapter(found[files.CONFIG], found[files.WEIGHTS]), spec)
    random = Random("gguf")
    prompts = [chat[:-1] for chat in build(task).test[: COUNT // 2]] if task else []
    prompts += [skills.draw(random, "test").prompt for _ in range(COUNT - len(prompts))]
    said = evaluate.greedy(base.model, base.tokenizer, prompts, most=MOST, batch=1)
    folder.mkdir(parents=True, exist_ok=True)
    gguf_file.write(base, folder / MODEL, file_type=file_type)  # type: ignore[arg-type]
    rows = [
        {"prompt": base_model.render(prompt), "messages": [asdict(message) for message in prompt], "answer": answer}
        for prompt, answer in zip(prompts, said, strict=True)
    ]
    (folder / REQUESTS).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")


def compare(folder: Path) -> Counts:
    """Ask llama.cpp."""
    rows = json.loads((folder / REQUESTS).read_text(encoding="utf-8"))
    server = _server(folder / MODEL)
    asked: dict[str, Any] = {"temperature": 0, "repeat_penalty": 1.0, "cache_prompt": False}
    texts = [
        server.handle_completions({"prompt": row["prompt"], "max_tokens": MOST, **asked})["choices"][0] for row in rows
    ]
    chats = [
        server.handle_chat_completions({"messages": row["messages"], "max_tokens": MOST, **asked})["choices"][0]
        for row in rows
    ]
    return Counts(
        len(rows),
        sum(one["text"].strip() == row["answer"] for one, row in zip(texts, rows, strict=True)),
        sum(one["message"]["content"].strip() == row["answer"] for one, row in zip(chats, rows, strict=True)),
        sum(one["finish_reason"] == "stop" and END not in one["text"] for one in texts),
    )


def _server(path: Path) -> Any:
    """llama.cpp's own server on one thread, its cache in float32 as transformers' is."""
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.n_gpu_layers = 512, 1, 0
    params.cpuparams.n_threads = 1
    params.warmup = False
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    return xllamacpp.Server(params)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two commands; the exit status of ``compare`` is 0 when everything is equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("prepare", "compare"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--adapter", type=Path)
    parser.add_argument("--type", default="f32", choices=("f32", "f16", "q8_0"))
    parser.add_argument("--task", default="", help="half of the requests are of this tuning task")
    chosen = parser.parse_args(arguments)
    if chosen.command == "prepare":
        prepare(chosen.folder, chosen.adapter, chosen.type, chosen.task)
        return 0
    counts = compare(chosen.folder)
    print(json.dumps(asdict(counts)))
    print(f"{counts.equal} of {counts.of} equal, {counts.equal_chats} as chats, {counts.stopped} ended by {END}")
    return 0 if counts.equal == counts.equal_chats == counts.stopped == counts.of else 1


if __name__ == "__main__":
    sys.exit(main())
