"""What the samplers are called, and what each value is for."""

from app.domain.language import _


def sampler_name(name: str) -> str:
    """Return the field's name of a sampler or of one of its values: "top_k" is "top-k"."""
    return name.replace("_", "-")


def groups() -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the values of the samplers by what they are for, in the order in which they are shown."""
    return (
        (
            _("Which tokens are possible"),
            (
                "temperature",
                "top_k",
                "top_p",
                "min_p",
                "typical_p",
                "top_n_sigma",
                "xtc_probability",
                "xtc_threshold",
                "dynamic_range",
                "dynamic_exponent",
            ),
        ),
        (
            _("Against repetition"),
            (
                "repeat_penalty",
                "repeat_last_n",
                "frequency_penalty",
                "presence_penalty",
                "dry_multiplier",
                "dry_base",
                "dry_allowed_length",
                "dry_last_n",
            ),
        ),
        (
            _("Other ways to choose a token"),
            ("mirostat", "mirostat_tau", "mirostat_eta", "adaptive_target", "adaptive_decay"),
        ),
    )
