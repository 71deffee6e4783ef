"""argparse in Russian: its own headings and complaints, which an operator reads.

argparse looks its texts up through ``gettext`` under the names ``_`` and ``ngettext`` of its own module; those two are
set here. Leaves out the complaints that only a mistake of ours could cause.
"""

from __future__ import annotations

import argparse
import sys
from typing import NoReturn

from common import numbers

TEXTS = {
    "usage: ": "как вызвать: ",
    "positional arguments": "что указать",
    "options": "ключи",
    "show this help message and exit": "показать эту справку",
    "unrecognized arguments: %s": "лишнее: %s",
    "not allowed with argument %s": "не сочетается с %s",
    "ignored explicit argument %r": "значение %r здесь не нужно",
    "the following arguments are required: %s": "не хватает: %s",
    "one of the arguments %s is required": "нужен один из ключей: %s",
    "expected one argument": "нужно одно значение",
    "expected at most one argument": "нужно не больше одного значения",
    "expected at least one argument": "нужно хотя бы одно значение",
    "ambiguous option: %(option)s could match %(matches)s": "ключ %(option)s неоднозначен: %(matches)s",
    "unexpected option string: %s": "неожиданный ключ: %s",
    "invalid %(type)s value: %(value)r": "не подходит значение %(value)r",
    "invalid choice: %(value)r (choose from %(choices)s)": "нет такого: %(value)r; есть: %(choices)s",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s: %(message)s",
    "unknown parser %(parser_name)r (choices: %(choices)s)": "нет команды %(parser_name)r; есть: %(choices)s",
}


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks Russian; its subparsers are of the same class."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where the help is; ends the process with status 2."""
        print(f"{message[:1].upper()}{message[1:]}. Справка: {self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def _translate(text: str) -> str:
    return TEXTS.get(text, text)


def _count(one: str, many: str, count: int) -> str:
    if one == "expected %s argument":
        return f"нужно %s {numbers.word(count, 'значение', 'значения', 'значений')}"
    return one if count == 1 else many


vars(argparse).update(_=_translate, ngettext=_count)
