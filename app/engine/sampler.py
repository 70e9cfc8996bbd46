"""The sampler chain: from logits to the next token."""

from collections.abc import Sequence

from llama_cpp import llama_cpp as api

from app.domain.settings import Settings
from app.engine.context import Context


class Sampler:
    """llama.cpp's samplers in the order that its own tools use.

    Penalties, top-k, top-p, min-p, temperature, and a draw with the seed. Top-k comes early because
    the others are slow on a whole vocabulary. Temperature 0 takes the likeliest token.
    """

    def __init__(self, settings: Settings, seed: int, vocabulary: int, prompt: Sequence[int]) -> None:
        """Build the chain.

        Args:
            settings: Checked values.
            seed: For the draw.
            vocabulary: Number of tokens.
            prompt: What stands before the answer; its end counts for the repeat penalty.
        """
        self._chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
        if settings.repeat_penalty != 1.0 and settings.repeat_last_n:
            last_n = settings.repeat_last_n
            self._add(api.llama_sampler_init_penalties(vocabulary, last_n, settings.repeat_penalty, 0.0, 0.0))
        if settings.temperature == 0:
            self._add(api.llama_sampler_init_greedy())
        else:
            if settings.top_k:
                self._add(api.llama_sampler_init_top_k(settings.top_k))
            if settings.top_p < 1:
                self._add(api.llama_sampler_init_top_p(settings.top_p, 1))
            if settings.min_p:
                self._add(api.llama_sampler_init_min_p(settings.min_p, 1))
            self._add(api.llama_sampler_init_temp(settings.temperature))
            self._add(api.llama_sampler_init_dist(seed))
        if settings.repeat_penalty != 1.0:
            for token in prompt[-settings.repeat_last_n :] if settings.repeat_last_n else ():
                api.llama_sampler_accept(self._chain, token)

    def _add(self, sampler: "api.llama_sampler_p") -> None:
        if not sampler:  # a null pointer in the chain would end the process
            raise RuntimeError("llama.cpp refused a sampler")
        api.llama_sampler_chain_add(self._chain, sampler)

    def sample(self, context: Context) -> int:
        """Return the next token, drawn from the logits of the last token that was read."""
        return api.llama_sampler_sample(self._chain, context.handle, -1)

    def close(self) -> None:
        """Free the chain with everything in it."""
        if self._chain:
            api.llama_sampler_free(self._chain)
            self._chain = None
