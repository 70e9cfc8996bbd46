"""What each value of the samplers does, in few words."""

from app.domain.language import _


def meanings() -> dict[str, str]:
    """Return what each value of the samplers does."""
    return {
        "temperature": _("how freely tokens are chosen: 0 is strict, 1 is lively"),
        "top_k": _("choose only among the N likeliest tokens; 0 for all"),
        "top_p": _("choose only among the likeliest tokens that together reach this probability; 1 for all"),
        "min_p": _("choose only among tokens at least this fraction as likely as the likeliest; 0 for all"),
        "typical_p": _(
            "choose only among tokens about as surprising as expected that "
            "together reach this probability; 1 for all"
        ),
        "top_n_sigma": _(
            "choose only among tokens scored within this many standard deviations of the best; 0 for all"
        ),
        "xtc_probability": _(
            "XTC: how often all likely tokens but the least likely of them are left out; 0 for never"
        ),
        "xtc_threshold": _("XTC: the probability from which a token counts as likely"),
        "dynamic_range": _(
            "dynamic temperature: how far it follows the model's uncertainty; 0 for not at all"
        ),
        "dynamic_exponent": _("dynamic temperature: the exponent of its curve; 1 is linear"),
        "repeat_penalty": _("make tokens that occurred recently less likely; 1 for no penalty"),
        "repeat_last_n": _("how many recent tokens the repeat, frequency and presence penalties look at"),
        "frequency_penalty": _("a penalty for each time a token occurred recently; 0 for none"),
        "presence_penalty": _("a single penalty for every token that occurred recently; 0 for none"),
        "dry_multiplier": _("DRY: a penalty for repeating whole sequences of tokens; 0 for none"),
        "dry_base": _("DRY: how fast the penalty grows with the length of the sequence"),
        "dry_allowed_length": _("DRY: the longest sequence that may repeat without a penalty"),
        "dry_last_n": _("DRY: how many recent tokens to look at"),
        "mirostat": _("mirostat: keep the text evenly surprising, with version 1 or 2; 0 for off"),
        "mirostat_tau": _("mirostat: the surprise to keep, in bits per token"),
        "mirostat_eta": _("mirostat: how fast deviations are corrected"),
        "adaptive_target": _("adaptive-p: prefer tokens of about this probability; 0 for off"),
        "adaptive_decay": _("adaptive-p: how long earlier tokens count; nearer to 1 is longer"),
    }
