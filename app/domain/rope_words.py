"""How positions are scaled, in words."""

from app.domain.errors import UserError
from app.domain.language import _
from models_registry.rope import Note, Quality, Rope
from models_registry.rope_options import METHODS, RANGES, RopeError, RopeProblem


def quality_word(quality: Quality) -> str:
    """Return what a context does to what the model understands, in two words."""
    match quality:
        case Quality.AS_TRAINED:
            return _("as trained")
        case Quality.USUALLY_FINE:
            return _("usually fine")
        case Quality.EXPECT_LOSS:
            return _("expect loss")
    return _("not known")


def scaling_word(rope: Rope) -> str:
    """Return how positions are scaled, in the field's words: "YaRN × 4"."""
    return scaling_name(rope.type, rope.factor)


def scaling_name(kind: str, factor: float) -> str:
    """Return how positions are scaled; see `Rope.type` and `Rope.factor`."""
    names = {"yarn": "YaRN", "ntk": _("NTK-aware"), "linear": _("linear"), "longrope": "LongRoPE"}
    if kind not in names:
        return _("none")
    return names[kind] if factor == 1 else f"{names[kind]} × {factor:g}"


def number_meanings() -> dict[str, str]:
    """Return what each number of a scaling means, by its name in `RopeOptions`."""
    return {
        "factor": _("how many times longer than the original context to read"),
        "freq_base": _("the base of the frequencies"),
        "freq_scale": _("what positions are multiplied with: 1 divided by the factor"),
        "original_context": _("the context the model was trained for without scaling, such as 8k"),
        "ext_factor": _("YaRN: how much of the high frequencies stays as it was, 0 to 1"),
        "beta_fast": _("YaRN: dimensions that turn more often than this stay as they were"),
        "beta_slow": _("YaRN: dimensions that turn less often than this are scaled in full"),
    }


def note(found: Note) -> str:
    """Return a sentence on what a model's file brings, for a person who sets numbers."""
    match found:
        case Note.WINDOWED_LAYERS:
            return _("Layers with a sliding window keep the scaling of the file; only the others change.")
        case Note.FREQUENCY_FACTORS:
            return _("The file brings frequency factors of its own, which stay in force whatever is set.")
        case Note.LONG_FACTORS:
            return _("The file brings two sets of factors (LongRoPE); the size of the context chooses one.")
    return _("This model does not rotate positions, so there is nothing to scale.")


def explain(error: RopeError) -> UserError:
    """Return what is wrong, and what to do, as a sentence each."""
    names = [shown(name) for name in error.names]
    match error.problem:
        case RopeProblem.OUT_OF_RANGE:
            low, high = RANGES[error.names[0]]
            return UserError(
                _("{name} must be between {low} and {high}; {value} is not.").format(
                    name=names[0], low=f"{low:g}", high=f"{high:g}", value=error.value
                )
            )
        case RopeProblem.UNKNOWN_METHOD:
            return UserError(
                _("“{value}” is not a way to scale positions.").format(value=error.value),
                _("Choose one of {methods}.").format(methods=", ".join(METHODS)),
            )
        case RopeProblem.NO_EFFECT:
            return UserError(
                _("{name} has no effect with {method} scaling.").format(name=names[0], method=error.value),
                _("Leave {name} out, or choose another scaling.").format(name=names[0]),
            )
        case RopeProblem.CONTRADICTION:
            return _contradiction(error, names)
    return _impossible(error)


def shown(name: str) -> str:
    """Return how a field of `RopeOptions` is called where a person sets it."""
    return "rope" if name == "method" else f"rope-{name.replace('_', '-')}"


def _contradiction(error: RopeError, names: list[str]) -> UserError:
    if error.names == ("factor", "freq_scale"):
        return UserError(
            _("{name} and {other} contradict each other.").format(name=names[0], other=names[1]),
            _("The one is 1 divided by the other; give only one of them."),
        )
    if error.names == ("beta_slow", "beta_fast"):
        return UserError(_("{name} must be less than {other}.").format(name=names[0], other=names[1]))
    return UserError(
        _("{name} and {other} contradict each other.").format(name=names[0], other=names[1]),
        _("With {name} 0, {other} has no effect; leave one of them out.").format(
            name=names[0], other=names[1]
        ),
    )


def _impossible(error: RopeError) -> UserError:
    """Return why a model cannot do what the context or the options want."""
    match error.problem:
        case RopeProblem.TOO_LONG:
            return UserError(
                _("{wanted:,} tokens are too far beyond what this model was trained for.").format(
                    wanted=error.value
                ),
                _("Choose a context of at most {most:,} tokens.").format(most=error.most),
            )
        case RopeProblem.LEARNED_POSITIONS:
            return UserError(
                _("This model has learned {most:,} positions, and cannot see more tokens at once.").format(
                    most=error.most
                ),
                _("Choose a context of at most {most:,} tokens.").format(most=error.most),
            )
        case RopeProblem.OWN_FACTORS:
            return UserError(
                _("This model brings its own scaling for long contexts (LongRoPE), which cannot be changed."),
                _("Leave the scaling of positions to the file."),
            )
        case RopeProblem.UNKNOWN_TRAINING:
            return UserError(
                _("The file does not say for which context the model was trained, so nothing can be scaled."),
                _("Give its length with rope-original-context."),
            )
    return UserError(
        _("This model does not rotate positions, so there is nothing to scale."),
        _("Leave the scaling of positions out."),
    )
