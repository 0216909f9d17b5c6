import json
from threading import Event

from graft.monitoring.watch.notifications import ATTEMPTS, Notifications


class Place:
    """Accepts documents after some failures."""

    def __init__(self, num_failures: int) -> None:
        self.left, self.bodies, self.num_lost = num_failures, list[bytes](), 0

    def send(self, _url: str, body: bytes) -> None:
        if self.left:
            self.left -= 1
            raise OSError("refused")
        self.bodies.append(body)

    def lose(self) -> None:
        self.num_lost += 1


def test_a_notification_that_fails_is_sent_again() -> None:
    place = Place(num_failures=ATTEMPTS - 1)
    notify = Notifications("http://x", place.lose, place.send, pause_s=0)
    notify({"event": "one"})
    notify({"event": "two"})
    notify.close()
    assert [json.loads(body)["event"] for body in place.bodies] == ["one", "two"]
    assert place.num_lost == 0


def test_a_notification_that_cannot_be_sent_is_counted() -> None:
    place = Place(num_failures=ATTEMPTS)
    notify = Notifications("http://x", place.lose, place.send, pause_s=0)
    notify({"event": "one"})
    notify({"event": "two"})
    notify.close()
    assert [json.loads(body)["event"] for body in place.bodies] == ["two"]
    assert place.num_lost == 1


def test_a_receiver_that_hangs_holds_nobody_up() -> None:
    free, lost = Event(), list[int]()
    notify = Notifications(
        "http://x", lambda: lost.append(1), lambda *_: bool(free.wait()) and None
    )
    for number in range(1100):
        notify({"event": number})
    assert len(lost) >= 99  # the queue has a bound
    free.set()
    notify.close()


def test_without_an_address_nothing_is_sent() -> None:
    place = Place(0)
    notify = Notifications(None, place.lose, place.send)
    notify({"event": "one"})
    notify.close()
    assert not place.bodies and not place.num_lost
