"""The queues of the services."""

from threading import Event

from app.services.threads import Threads


def test_what_is_asked_is_answered_and_after_the_end_it_is_cancelled():
    threads = Threads(1, "test")
    assert threads.submit(pow, 2, 5).result() == 32
    threads.shutdown()
    late = threads.submit(pow, 2, 5)
    called = Event()
    late.add_done_callback(lambda _done: called.set())
    assert late.cancelled()
    assert called.is_set()


def test_what_a_mistake_raises_is_raised_to_who_asked():
    threads = Threads(1, "test")

    def fail():
        raise RuntimeError("within")

    assert str(threads.submit(fail).exception()) == "within"
    threads.shutdown()
