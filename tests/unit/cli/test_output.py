"""How the terminal prints an answer that was thought about."""

from app.cli.output import Voice


def test_thoughts_are_dimmed_and_stand_above_the_answer(capsys):
    voice = Voice(dimmed=True)
    voice.think("Hm, ")
    voice.think("well.")
    voice.speak("Yes")
    voice.speak(".")
    assert capsys.readouterr().out == "\x1b[2mHm, \x1b[22m\x1b[2mwell.\x1b[22m\n\nYes."


def test_a_pipe_gets_the_answer_alone(capsys):
    voice = Voice(dimmed=False)
    voice.think("Hm.")
    voice.speak("Yes.")
    assert capsys.readouterr().out == "Yes."
