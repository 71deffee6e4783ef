"""Every demo by name: what facts, pages, the compute process and notebooks look up.

A demo is a pure function from a frozen Params to a frozen Result. It is imported when it is called, so importing this
module costs nothing; ``heavy`` ones load torch and belong in the compute process.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, cast

from demos.params import Checked, Field, ParamsError, describe, nearest, read


@dataclass(frozen=True, slots=True)
class Demo:
    """Where a demo lives: ``module:function`` and ``module:Params``."""

    name: str
    target: str
    params: str
    heavy: bool = False  # loads torch
    libraries: tuple[str, ...] = ()  # what else it imports when it is called


def _demo(name: str, place: str, *, heavy: bool = False, libraries: tuple[str, ...] = ()) -> Demo:
    return Demo(name, place, f"{place.partition(':')[0]}:Params", heavy, libraries)


_LLAMA = ("transformers.models.llama.modeling_llama",)
_PEFT = (
    "transformers.models.llama.modeling_llama",
    "transformers.integrations.bitsandbytes",
    "peft.tuners.lora.bnb",
    "peft.utils.transformers_weight_conversion",
)

_BNB = ("bitsandbytes.functional",)


_ALL = (
    _demo("lora.count", "demos.lora.parameters:count"),
    _demo("lora.layer", "demos.lora.shapes:layer"),
    _demo("lora.scale", "demos.lora.scale:scale"),
    _demo("lora.flops", "demos.lora.flops:flops"),
    _demo("lora.states", "demos.lora.states:states"),
    _demo("lora.first_step", "demos.lora.first_step:first_step", heavy=True),
    _demo("lora.merge", "demos.lora.merge:merge", heavy=True),
    _demo("lora.spectrum", "demos.lora.spectrum:spectrum", heavy=True),
    _demo("lora.energy", "demos.lora.energy:energy", heavy=True),
    _demo("lora.methods", "demos.lora.methods:methods"),
    _demo("lora.methods.check", "demos.lora.checking:check", heavy=True, libraries=_PEFT),
    _demo("lora.check", "demos.lora.recount:recount", heavy=True, libraries=_PEFT),
    _demo("lora.matrices", "demos.lora.matrices:matrices", heavy=True),
    _demo("lora.inits", "demos.lora.inits:inits", heavy=True, libraries=_PEFT),
    _demo("bits.number", "demos.numeric.number:number"),
    _demo("bits.sums", "demos.numeric.sums:sums"),
    _demo("sensitivity.map", "demos.sensitivity.recorded:sensitivity_map"),
    _demo("sensitivity.layer", "demos.sensitivity.layer:layer", heavy=True, libraries=_PEFT),
    _demo("layers.map", "demos.layers.layer_map:layer_map", heavy=True, libraries=_PEFT),
    _demo("memory.weights", "demos.memory.weights:weights"),
    _demo("memory.training", "demos.memory.training:training"),
    _demo("memory.inference", "demos.memory.inference:inference"),
    _demo("memory.fits", "demos.memory.fits:fits"),
    _demo("memory.claims", "demos.memory.claims:claims"),
    _demo("memory.point", "demos.memory.points:count", heavy=True, libraries=_PEFT),
    _demo("memory.training_state", "demos.memory.training_state:training_state"),
    _demo("quantization.histogram", "demos.quantization.histogram:histogram", heavy=True, libraries=_BNB),
    _demo("quantization.schemes", "demos.quantization.compare:compare", heavy=True, libraries=_BNB),
    _demo("quantization.levels", "demos.quantization.levels:levels", heavy=True, libraries=_BNB),
    _demo("quantization.blocks", "demos.quantization.blocks:blocks", heavy=True, libraries=_BNB),
    _demo("quantization.outliers", "demos.quantization.outliers:outliers", heavy=True, libraries=_PEFT),
    _demo("quantization.trap", "demos.quantization.trap:trap"),
    _demo("chat.render", "demos.chat_templates.render:render"),
    _demo("chat.wrong", "demos.chat_templates.wrong:wrong", heavy=True, libraries=_LLAMA),
    _demo("packing.windows", "demos.packing.windows:windows"),
    _demo("data.lint", "demos.data.lint:lint"),
    _demo("data.convert", "demos.data.convert:convert"),
    _demo("data.balance", "demos.data.balance:balance"),
    _demo("timing.step", "demos.timing.step:step", heavy=True, libraries=_PEFT),
    _demo("timing.compiled", "demos.timing.compiled:compiled"),
    _demo("timing.transfer", "demos.timing.transfer:transfer"),
    _demo("timing.zero", "demos.timing.zero:zero"),
    _demo("timing.tools", "demos.timing.tools:tools"),
    _demo("cost", "demos.cost.cost:cost"),
    _demo("finetuning.rates", "demos.finetuning.sweeps:rates"),
    _demo("finetuning.curves", "demos.finetuning.sweeps:curves"),
    _demo("finetuning.ranks", "demos.finetuning.sweeps:ranks"),
    _demo("finetuning.alphas", "demos.finetuning.sweeps:alphas"),
    _demo("finetuning.methods", "demos.finetuning.race:race"),
    _demo("finetuning.method", "demos.finetuning.one_method:one_method"),
    _demo("finetuning.map", "demos.finetuning.hyperparameters:grid"),
    _demo("finetuning.forgetting", "demos.finetuning.forgetting:forgetting"),
    _demo("finetuning.data_size", "demos.finetuning.data_size:data_size"),
    _demo("finetuning.schedule", "demos.finetuning.schedule:schedule"),
    _demo("merging.precision", "demos.merging.precision:precision", heavy=True, libraries=("bitsandbytes",)),
    _demo("merging.answers", "demos.merging.answers:answers", heavy=True, libraries=_PEFT),
    _demo("merging.arithmetic", "demos.merging.arithmetic:arithmetic", heavy=True, libraries=_PEFT),
    _demo("merging.switching", "demos.merging.switching:switching", heavy=True, libraries=_PEFT),
    _demo("router.confusion", "demos.router.confusion:confusion"),
    _demo("router.ask", "demos.router.ask:ask", heavy=True, libraries=_PEFT),
    _demo("finetuning.adapters.open", "demos.finetuning.adapters.opening:look", heavy=True),
    _demo("finetuning.adapters.answer", "demos.finetuning.adapters.answering:answer", heavy=True, libraries=_PEFT),
    _demo("finetuning.adapters.route", "demos.finetuning.adapters.routing:route", heavy=True, libraries=_PEFT),
    _demo("finetuning.adapters.merge", "demos.finetuning.adapters.merging:compare", heavy=True, libraries=_PEFT),
    _demo("finetuning.adapters.spectrum", "demos.finetuning.adapters.shrinking:look", heavy=True),
    _demo("finetuning.adapters.shrink", "demos.finetuning.adapters.shrinking:shrink", heavy=True, libraries=_PEFT),
    _demo("finetuning.adapters.export", "demos.finetuning.adapters.export:export", heavy=True, libraries=_PEFT),
    _demo("inference.sample", "demos.inference.sample:sample", heavy=True, libraries=_PEFT),
    _demo("inference.compare", "demos.inference.compare:compare", heavy=True, libraries=_PEFT),
    _demo("inference.speed", "demos.inference.speed:speed"),
    _demo("inference.measure", "demos.inference.timing:measure", heavy=True, libraries=_PEFT),
    _demo("classifier.compare", "demos.classifier.compare:compare"),
    _demo("classifier.threshold", "demos.classifier.threshold:threshold"),
    _demo("ways.compare", "demos.ways.compare:compare"),
    _demo("ways.once", "demos.ways.once:once", heavy=True, libraries=_PEFT),
)
DEMOS: Mapping[str, Demo] = MappingProxyType({demo.name: demo for demo in _ALL})
"""All demos by name."""


def call(name: str, arguments: Mapping[str, object]) -> Any:
    """The Result of a demo for plain arguments; missing ones take their defaults.

    Raises:
        ParamsError: no such demo or field, a value that it cannot use.
    """
    given = params(name, arguments)
    return _load(DEMOS[name].target)(given)


def params(name: str, arguments: Mapping[str, object]) -> Checked:
    """The typed Params of a demo from plain values (text of a URL or of a lesson's preset included).

    Raises:
        ParamsError: no such demo or field, a value of the wrong kind or outside its limits.
    """
    return read(_params(name), arguments)


def describe_fields(name: str) -> tuple[Field, ...]:
    """The fields of a demo in order, as a form may show them.

    Raises:
        ParamsError: no such demo.
    """
    return describe(_params(name))


def fields(name: str) -> frozenset[str]:
    """The names of a demo's fields.

    Raises:
        ParamsError: no such demo.
    """
    return frozenset(field.name for field in describe_fields(name))


def _params(name: str) -> type[Checked]:
    if name not in DEMOS:
        raise ParamsError(f"Нет демонстрации «{name[:40]}»{nearest(name, DEMOS)}.")
    return cast("type[Checked]", _load(DEMOS[name].params))


@cache
def _load(place: str) -> Any:
    module, _, attribute = place.partition(":")
    return getattr(importlib.import_module(module), attribute)
