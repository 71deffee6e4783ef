"""A verdict on the page: what was printed stands where it belongs, and acts on nothing."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from graders.protocol import Check, Outcome, Verdict


def drawn(verdict: Verdict) -> AppTest:
    def script(data: dict[str, object]) -> None:
        from graders.protocol import Verdict
        from ui.widgets.verdict import show_verdict

        show_verdict(Verdict.from_json(data), {})

    tab = AppTest.from_function(script, kwargs={"data": verdict.to_json()}).run()
    assert not tab.exception
    return tab


def check(name: str, outcome: Outcome, output: str) -> Check:
    return Check(name, f"Проверка {name}", "c", 1, float(outcome is Outcome.PASSED), outcome, "Не так.", output=output)


def test_a_failed_check_shows_what_was_printed_during_it_and_others_in_one_place() -> None:
    checks = (check("a", Outcome.FAILED, "печать a <b>\n"), check("b", Outcome.PASSED, "печать b\n"))
    tab = drawn(Verdict("x", Outcome.PARTIAL, "Не так.", checks, output="при загрузке\n"))
    shown = [code.value for code in tab.code]
    assert shown == ["печать a <b>", "при загрузке", "печать b"]
    assert [code.value for code in tab.expander[0].code] == ["при загрузке", "печать b"]
    captions = [caption.value for caption in tab.caption]
    assert "Что напечатал ваш код в этой проверке:" in captions
    assert "Проверка «Проверка b»:" in captions
    assert not any("печать" in str(text.value) for text in tab.markdown), "never markup"


def test_without_output_there_is_nothing_to_unfold() -> None:
    tab = drawn(Verdict("x", Outcome.FAILED, "Не так.", (check("a", Outcome.FAILED, ""),)))
    assert not tab.expander
    assert not tab.code


def test_a_verdict_stored_before_checks_had_output_is_still_read() -> None:
    data = Verdict("x", Outcome.PASSED, "Верно.", (check("a", Outcome.PASSED, ""),), output="всё вместе").to_json()
    for stored in data["checks"]:
        del stored["output"]
    assert [code.value for code in drawn(Verdict.from_json(data)).code] == ["всё вместе"]
