"""People who use the app beside the one that is timed: sessions over the app's own socket, with no browser that costs anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

PATIENCE_S = 60.0


class Person:
    """One session: opens a page and presses buttons, and reads all that the server draws, as a browser would."""

    def __init__(self, address: str, who: str) -> None:
        place = f"ws://{urlsplit(address).netloc}/_stcore/stream"
        self._socket = connect(place, subprotocols=[Subprotocol("streamlit")], origin=Origin(address), max_size=None)
        self._query = f"who={who}"
        self._buttons: dict[str, str] = {}
        self._fields: dict[str, str] = {}
        self._boxes: dict[str, str] = {}

    @property
    def buttons(self) -> tuple[str, ...]:
        """The labels of all that can be pressed."""
        return tuple(self._buttons)

    def open(self, page: str) -> None:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_name = page
        self._ask(message)

    def type(self, placeholder: str, words: str) -> None:
        message = self._again()
        message.rerun_script.widget_states.widgets.add(id=self._fields[placeholder], string_value=words)
        self._ask(message)

    def tick(self, label: str) -> None:
        message = self._again()
        message.rerun_script.widget_states.widgets.add(id=self._boxes[label], bool_value=True)
        self._ask(message)

    def press(self, label: str) -> None:
        message = self._again()
        message.rerun_script.widget_states.widgets.add(id=self._buttons[label], trigger_value=True)
        self._ask(message)

    def close(self) -> None:
        self._socket.close()

    def _again(self) -> BackMsg:
        message = BackMsg()
        message.rerun_script.query_string = self._query
        message.rerun_script.page_script_hash = self._page
        return message

    def _ask(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())
        for answer in _answers(self._socket):
            kind = answer.WhichOneof("type")
            if kind == "navigation":
                self._page = answer.navigation.page_script_hash
            elif kind == "page_info_changed":
                self._query = answer.page_info_changed.query_string
            elif kind == "delta":
                self._note(answer)
            elif kind == "script_finished" and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return

    def _note(self, answer: ForwardMsg) -> None:
        element = answer.delta.new_element
        if element.HasField("button"):
            self._buttons[element.button.label] = element.button.id
        elif element.HasField("text_input"):
            self._fields[element.text_input.placeholder] = element.text_input.id
        elif element.HasField("checkbox"):
            self._boxes[element.checkbox.label] = element.checkbox.id


def _answers(socket: ClientConnection) -> Iterator[ForwardMsg]:
    while True:
        raw: Any = socket.recv(timeout=PATIENCE_S)
        answer = ForwardMsg()
        answer.ParseFromString(raw)
        yield answer


@contextmanager
def busy(address: str, people: tuple[str, ...], every_s: float) -> Iterator[None]:
    """These people are there, and each takes an edit back or does it again every so many seconds, until the end of the block."""
    over = threading.Event()
    faults: list[Exception] = []
    threads = [
        threading.Thread(target=_try_out, args=(address, who, every_s, number * every_s / len(people), over, faults))
        for number, who in enumerate(people)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if faults:
        raise faults[0]  # a crowd that has gone home is no crowd


def _try_out(address: str, who: str, every_s: float, after_s: float, over: threading.Event, faults: list[Exception]) -> None:
    try:
        person = Person(address, who)
        person.open("your_profile")
        person.type(LIKE, f"fresh air {who}")
        over.wait(after_s)
        while not over.wait(every_s):
            person.press("Undo")
            if not over.wait(every_s):
                person.press("Redo")
        person.close()
    except Exception as error:
        faults.append(error)


LIKE = "Add a like, such as: a quiet evening at home"
