"""What the screen makes of the engine's words on imports, takes and notes, whatever is missing in them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ui.pages.instruments.import_jobs import job_of, jobs_of
from ui.pages.instruments.takes import STATES, state_text, takes_of

UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text() | st.floats())


def test_a_job_says_what_it_does_or_what_came_of_it() -> None:
    running = job_of({"number": 3, "source": "a.wav", "state": "running", "step": "listen", "share": 0.25})
    assert running is not None
    assert (running.words, running.share, running.under_way, running.sign) == ("listening", 0.25, True, "loop")
    done = job_of(
        {"number": 4, "state": "done", "words": "A: 1 note", "instrument": "a", "share": 1.0, "remarks": ["x"]}
    )
    assert done is not None
    assert (done.words, done.instrument, done.under_way, done.remarks) == ("A: 1 note", "a", False, ("x",))
    several = "f.sf2 has 3 presets; name one by --preset: 0:0 Piano"
    failed = job_of({"number": 5, "state": "failed", "words": several})
    assert failed is not None
    assert failed.wants_preset
    assert not done.wants_preset


def test_those_under_way_come_first_then_the_newest() -> None:
    states = ("done", "failed", "running", "waiting", "cancelled")
    jobs = jobs_of([{"number": number, "state": state} for number, state in enumerate(states, 1)])
    assert [job.number for job in jobs] == [3, 4, 5, 2, 1]


@UNHURRIED
@given(st.dictionaries(st.sampled_from(["number", "state", "share", "words", "remarks", "step", "source"]), ANYTHING))
def test_strange_jobs_are_survived(strange: dict[str, object]) -> None:
    job = job_of(strange)
    number = strange.get("number")
    assert (job is None) == (not isinstance(number, int) or isinstance(number, bool))
    assert job is None or 0.0 <= job.share <= 1.0


def test_takes_are_what_is_kept_of_them() -> None:
    about = {"seconds": 4.0, "heard": "A3", "clipped_samples": 2, "peaks": [0.1, 0.5], "start_s": 1.0, "end_s": 3.0}
    (take,) = takes_of([about])
    assert (take.number, take.start, take.end, take.peaks) == (1, 0.25, 0.75, (0.1, 0.5))
    assert take.words == "A3 · 2.0 s · too loud"
    assert takes_of([about | {"keep": False}])[0].words == "left out"
    assert takes_of([about | {"end_s": None, "start_s": 0.0, "clipped_samples": 0}])[0].words == "A3 · 4.0 s"


@UNHURRIED
@given(
    st.none()
    | st.lists(
        st.none()
        | st.dictionaries(st.sampled_from(["seconds", "heard", "peaks", "start_s", "end_s", "keep"]), ANYTHING)
    )
)
def test_strange_takes_are_survived_and_keep_their_numbers(strange: list[object] | None) -> None:
    takes = takes_of(strange)
    assert [take.number for take in takes] == list(range(1, len(strange or ()) + 1))
    assert all(0.0 <= take.start <= 1.0 and 0.0 <= take.end <= 1.0 for take in takes)


@pytest.mark.parametrize("state", STATES)
def test_every_state_of_the_input_has_words(state: str) -> None:
    assert state_text(state) != state
    assert state_text("dancing") == "dancing"
