"""A browser tab without a browser: opens a page over Streamlit's websocket, clicks, and reads what comes back.

Sends what a browser sends: with every click the state of all widgets of the page, and the fragment of the button. Keeps
widgets of four kinds (radio, checkbox, pills, text); others stay at their defaults. Draws nothing, caches no messages.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

PATIENCE = 60.0
OPENED_AT_ONCE = 10
_FINISHED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)


class PageFailed(RuntimeError):
    """The page showed an error instead of itself."""


@dataclass(slots=True)
class Reply:
    """What one run of the page sent."""

    seconds: float = 0.0  # from the click to the end of the run, as the visitor sees it
    size: int = 0  # bytes
    elements: int = 0
    texts: list[str] = field(default_factory=list)  # every Markdown body

    def says(self, words: str) -> bool:
        """Whether some text of the page contains ``words``."""
        return any(words in text for text in self.texts)


@dataclass(frozen=True, slots=True)
class Widget:
    """A widget on the page: its state as a browser would send it, and the fragment that it belongs to."""

    state: WidgetState
    fragment: str
    options: tuple[str, ...] = ()
    button: bool = False


class Visitor:
    """One open tab. Its websocket answers pings by itself while nobody clicks."""

    def __init__(self, socket: ClientConnection, page: str) -> None:
        self._socket, self._page, self._script = socket, page, ""
        self._query = ""
        self._widgets: dict[str, Widget] = {}  # by the key that the page gave them

    async def show(self, **query: str) -> Reply:
        """Run the page at this query, as a link inside the course does."""
        self._query = urlencode(query)
        message = self._message()
        if not self._script:
            message.rerun_script.page_name = self._page
        self._widgets = {}
        return await self._run(message)

    async def click(self, key: str, *, option: int | None = None) -> Reply:
        """Press a button, or the one at that place in a group of them."""
        button = self._widgets[key]
        if option is not None:
            button.state.string_array_value.data[:] = [button.options[option]]
        message = self._message()
        if option is None:
            message.rerun_script.widget_states.widgets.add(id=button.state.id, trigger_value=True)
        message.rerun_script.fragment_id = button.fragment
        others = {name: widget for name, widget in self._widgets.items() if widget.fragment != button.fragment}
        self._widgets = others if button.fragment else {}  # the run sends anew what it draws
        return await self._run(message)

    def choose(self, key: str, option: int) -> str:
        """Choose an option of a radio by its place; its text. Nothing is sent until a click."""
        radio = self._widgets[key]
        radio.state.string_value = radio.options[option]
        return radio.options[option]

    def _message(self) -> BackMsg:
        """A request to run the page again, with the state of everything on it."""
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._script
        states = [widget.state for widget in self._widgets.values() if not widget.button]
        message.rerun_script.widget_states.widgets.extend(states)
        return message

    async def _run(self, message: BackMsg) -> Reply:
        reply, started = Reply(), time.perf_counter()
        await self._socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while not self._take(await self._socket.recv(), reply):
                pass
        reply.seconds = time.perf_counter() - started
        return reply

    def _take(self, data: str | bytes, reply: Reply) -> bool:
        """Note one message; whether it was the last of the run."""
        message = ForwardMsg()
        message.ParseFromString(data if isinstance(data, bytes) else data.encode())
        reply.size += len(data)
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            self._note(message.delta, reply)
        elif kind == "new_session":
            self._script = message.new_session.page_script_hash
        elif kind == "navigation":
            self._script = message.navigation.page_script_hash or self._script
        elif kind == "script_finished":
            if message.script_finished not in _FINISHED:
                raise PageFailed(f"the script ended with status {message.script_finished}")
            return True
        return False

    def _note(self, delta: Delta, reply: Reply) -> None:
        element = delta.new_element
        reply.elements += 1
        kind = element.WhichOneof("type")
        if kind == "exception":
            raise PageFailed(f"{element.exception.type}: {element.exception.message}")
        if kind == "markdown":
            reply.texts.append(element.markdown.body)
        found = _widget(element, delta.fragment_id)
        if found is not None:
            self._widgets[found.state.id.split("-", 2)[2]] = found


def _widget(element: Element, fragment: str) -> Widget | None:
    kind = element.WhichOneof("type")
    if kind == "button":
        return Widget(WidgetState(id=element.button.id), fragment, button=True)
    if kind == "radio":
        return Widget(WidgetState(id=element.radio.id), fragment, tuple(element.radio.options))
    if kind == "checkbox":
        return Widget(WidgetState(id=element.checkbox.id, bool_value=element.checkbox.default), fragment)
    if kind == "text_input":
        return Widget(WidgetState(id=element.text_input.id, string_value=element.text_input.default), fragment)
    if kind == "button_group":
        state = WidgetState(id=element.button_group.id)
        state.string_array_value.SetInParent()
        return Widget(state, fragment, tuple(option.content for option in element.button_group.options))
    return None


@asynccontextmanager
async def visitors(url: str, page: str, count: int, **query: str) -> AsyncIterator[list[Visitor]]:
    """``count`` tabs that have opened ``page`` at ``query`` and hold it open."""
    address = url.replace("http://", "ws://") + "/_stcore/stream"
    gate = asyncio.Semaphore(OPENED_AT_ONCE)
    async with AsyncExitStack() as stack:

        async def enter() -> Visitor:
            async with gate:
                connection = connect(address, subprotocols=["streamlit"], max_size=None, origin=url)  # type: ignore[list-item, arg-type]
                visitor = Visitor(await stack.enter_async_context(connection), page)
                await visitor.show(**query)
                return visitor

        yield await asyncio.gather(*(enter() for _ in range(count)))
