"""What each value of the samplers does, in few words."""

from app.domain.language import _


def meanings() -> dict[str, str]:
    """Return what each value of the samplers does."""
    return {
        "temperature": _("0 is strict, 1 is lively"),
        "top_k": _("only the N likeliest tokens; 0 for all"),
        "top_p": _("only the likeliest tokens that together reach this probability; 1 for all"),
        "min_p": _("only tokens at least this fraction as likely as the likeliest; 0 for all"),
        "typical_p": _("only tokens about as surprising as expected, up to this probability; 1 for all"),
        "top_n_sigma": _("only tokens within this many standard deviations of the best; 0 for all"),
        "xtc_probability": _("how often the likely tokens but the last of them are left out; 0 for never"),
        "xtc_threshold": _("from which probability a token is likely there"),
        "dynamic_range": _("how far the temperature follows the model's doubt; 0 for not at all"),
        "dynamic_exponent": _("the bend of that curve; 1 is straight"),
        "repeat_penalty": _("makes tokens that were there less likely; 1 for none"),
        "repeat_last_n": _("how many tokens back the penalties look"),
        "frequency_penalty": _("a penalty for each time a token was there; 0 for none"),
        "presence_penalty": _("a penalty for a token that was there at all; 0 for none"),
        "dry_multiplier": _("a penalty for repeating whole sequences (DRY); 0 for none"),
        "dry_base": _("how fast it grows with their length"),
        "dry_allowed_length": _("the length up to which they are free"),
        "dry_last_n": _("how many tokens back it looks"),
        "mirostat": _("hold the surprise of the text level: version 1 or 2; 0 for not"),
        "mirostat_tau": _("the surprise to hold, in bits a token"),
        "mirostat_eta": _("how fast it is corrected"),
        "adaptive_target": _("prefer tokens of about this probability (adaptive-p); 0 for not"),
        "adaptive_decay": _("how long it remembers: nearer to 1 is longer"),
    }
