"""What a person does in the browser, by the words and keys of the pages. Leaves out judging: the tests do that."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from benchmarks.browser import settle

PATIENCE = 20_000
"""Milliseconds for what a page shows: a machine that runs other tests too paints late."""
VERDICT_WITHIN = 60_000
"""Milliseconds for a verdict: far more than it takes, for a machine that does other things too."""
expect.set_options(timeout=PATIENCE)

TRACEBACK = re.compile(r"Traceback|Error:|Exception|\.py\"?, line \d")
"""What nobody but a programmer of the course should ever read."""


@dataclass
class Visitor:
    """One person with one tab. ``complaints`` collects what the browser's console says in red."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, address: str) -> None:
        """Type an address of the course and wait until it is painted."""
        self.page.goto(f"{self.url}{address}")
        settle(self.page)

    def reload(self) -> None:
        self.page.reload()
        settle(self.page)

    def key(self, name: str) -> Locator:
        """The element that the app calls ``name``."""
        return self.page.locator(f".st-key-{re.sub('[^a-zA-Z0-9_-]', '-', name)}")

    def press(self, name: str) -> None:
        """Press the button of that key and wait for the answer."""
        self.key(name).locator("button").click()
        settle(self.page)

    def answer(self, question: str, confidence: str) -> None:
        """Answer a question of the lesson with what is chosen, as sure as ``confidence`` says."""
        self.key(f"confidence-{question}").get_by_text(confidence, exact=True).click()
        settle(self.page)

    @property
    def title(self) -> Locator:
        """The heading of the lesson's block."""
        return self.page.locator("[data-testid='stMain'] h2")

    @property
    def text(self) -> str:
        """Everything that can be read on the page."""
        return self.page.locator("[data-testid='stMain']").inner_text()

    @property
    def scrolled(self) -> float:
        """How far down the page is, in pixels."""
        return float(self.page.locator("[data-testid='stMain']").evaluate("main => main.scrollTop"))

    # The workbench of an exercise

    @property
    def editor(self) -> Locator:
        return self.page.locator(".cm-content")

    @property
    def bench(self) -> Locator:
        """The page with the editor and everything that answers it."""
        return self.page.locator("[data-testid='stMain']")

    @property
    def code(self) -> str:
        """The whole text of the editor, also what is scrolled out of sight."""
        return str(self.editor.evaluate("content => content.cmTile.view.state.doc.toString()"))

    def write(self, source: str) -> None:
        """Replace what is in the editor; typed as one piece, as a paste is."""
        self.editor.click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(source)

    def state(self) -> Locator:
        """The line beside the editor's buttons: saving, saved, not saved."""
        return self.page.locator("[data-part=state]")

    def saved(self) -> None:
        """Wait until the draft is stored."""
        expect(self.state()).to_contain_text("Сохранено", timeout=PATIENCE)

    def submit(self) -> None:
        self.bench.get_by_role("button", name="Отправить на проверку", exact=True).click()

    def run(self) -> None:
        self.bench.get_by_role("button", name="Запустить", exact=True).click()

    def upload(self, name: str, content: bytes) -> None:
        self.page.locator("[data-part=file]").set_input_files(
            {"name": name, "mimeType": "text/x-python", "buffer": content}
        )

    def _listen(self, message: ConsoleMessage) -> None:
        # Streamlit looks for its own address from a deep link upwards and takes the first that answers.
        if message.type == "error" and "/_stcore/" not in message.location.get("url", ""):
            self.complaints.append(message.text)


def source_of(folder: Path, name: str) -> str:
    """A file of an exercise's folder."""
    return (folder / name).read_text(encoding="utf-8")
