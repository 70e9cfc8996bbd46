"""One loaded model: its weights and its vocabulary."""

import ctypes
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from llama_cpp import llama_cpp as api

from app.domain.errors import UserError
from app.domain.language import _
from app.domain.loading import LoadOptions
from app.engine import native
from app.engine.template import Segment, Template

_ALL_LAYERS = 999
_REMEMBERED_TEXTS = 4096


class LoadCancelled(Exception):
    """Loading was stopped by a person."""


class LoadedModel:
    """A model in memory; all calls come from the engine's thread.

    Attributes:
        path: The file it came from.
        trained_context: Tokens it was trained to see at once. Read before any context exists, since
            making one with YaRN changes what llama.cpp says.
    """

    def __init__(
        self, path: Path, on_progress: Callable[[float], bool], options: LoadOptions | None = None
    ) -> None:
        """Load `path`.

        Args:
            path: A GGUF file whose header has been checked.
            on_progress: Called with the part that is done, from 0 to 1; False stops loading.
            options: Memory and devices; the usual ones when None.

        Raises:
            LoadCancelled: When `on_progress` returned False.
            UserError: When llama.cpp cannot load the file, with its reason.
        """
        stopped = False

        def progress(fraction: float, _data: int | None) -> bool:
            nonlocal stopped
            stopped = stopped or not on_progress(fraction)
            return not stopped

        parameters = api.llama_model_default_params()
        options = options or LoadOptions()
        parameters.n_gpu_layers = _ALL_LAYERS if options.gpu_layers is None else options.gpu_layers
        parameters.load_mode = _load_mode(options)
        callback = api.llama_progress_callback(progress)
        parameters.progress_callback = callback
        native.lines.clear()
        self._model = api.llama_model_load_from_file(str(path).encode(), parameters)
        if not self._model:
            if stopped:
                raise LoadCancelled
            raise _refusal(path)
        self.path = path
        self.trained_context = api.llama_model_n_ctx_train(self._model)
        self._vocab = api.llama_model_get_vocab(self._model)
        # A chat asks the same of its whole history every turn.
        self._spells_control = lru_cache(_REMEMBERED_TEXTS)(self._spells_control_token)
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}
        self._adds_space = self.piece((self.tokenize("a", special=False) or [0])[0]).startswith(b" ")
        source = api.llama_model_chat_template(self._model, None)
        self.template = Template(
            source.decode("utf-8", "replace") if source else None,
            self._special_text(api.llama_vocab_bos(self._vocab)),
            self._special_text(api.llama_vocab_eos(self._vocab)),
            lambda text: self._token(text) is not None,
        )
        markers = self.template.reasoning
        tags = markers.tokens if markers else ()
        # `piece` would leave these out.
        self._markers = {token: tag.encode() for tag in tags if (token := self._token(tag)) is not None}

    @property
    def handle(self) -> "api.llama_model_p":
        """Return llama.cpp's pointer, for the context that is made from it."""
        return self._model

    @property
    def vocab(self) -> "api.llama_vocab_p":
        """Return llama.cpp's pointer to the vocabulary, for samplers and grammars."""
        return self._vocab

    @property
    def vocabulary_size(self) -> int:
        """Return the number of tokens."""
        return api.llama_vocab_n_tokens(self._vocab)

    def close(self) -> None:
        """Give the memory back; the contexts made from it must be closed before."""
        if self._model:
            api.llama_model_free(self._model)
            self._model = None

    def tokenize(self, text: str, *, special: bool) -> list[int]:
        """Return the tokens of `text`, without a beginning-of-text token.

        Args:
            text: Any text.
            special: Whether `<|im_end|>` and its like become the control tokens they name. False for
                everything that a person or a model wrote.
        """
        data = text.encode("utf-8", "replace")
        size = len(data) + 8
        while True:
            tokens = (api.llama_token * size)()
            count = api.llama_tokenize(self._vocab, data, len(data), tokens, size, False, special)
            if count >= 0:
                return tokens[:count]
            size = -count

    @property
    def beginning(self) -> list[int]:
        """Return the token that every text begins with, if this vocabulary has such a one."""
        return [api.llama_vocab_bos(self._vocab)] if api.llama_vocab_get_add_bos(self._vocab) else []

    def prompt(self, segments: list[Segment], written: Callable[[str], list[int] | None]) -> list[int]:
        """Return the tokens of a rendered conversation.

        Template and text are tokenised together, as in training, except around what must stay apart:
        text that spells a control token, and answers whose own tokens are known.

        Args:
            segments: The rendered conversation.
            written: Gives the tokens in which this engine wrote a text, or None.
        """
        tokens: list[int] = []
        joined = ""
        for segment in segments:
            own = written(segment.text) if segment.turn is not None else None
            if own is None and (segment.turn is None or not self._spells_control(segment.text)):
                joined += segment.text
                continue
            tokens += self._tokenize_behind(tokens, joined, special=True)
            joined = ""
            tokens += own if own is not None else self._tokenize_behind(tokens, segment.text, special=False)
        tokens += self._tokenize_behind(tokens, joined, special=True)
        begun = tokens[:1] == self.beginning  # many templates write it themselves
        return tokens if begun else self.beginning + tokens

    def _tokenize_behind(self, tokens: Sequence[int], text: str, *, special: bool) -> list[int]:
        """Return the tokens of `text` that follows `tokens`.

        Vocabularies of the SentencePiece kind put a space in front of every text; one that stands within
        another must not get it.
        """
        if not tokens or not text or not self._adds_space:
            return self.tokenize(text, special=special)
        before = self.tokenize("\n", special=False)
        both = self.tokenize("\n" + text, special=special)
        apart = both[: len(before)] == before
        return both[len(before) :] if apart else self.tokenize(text, special=special)

    def _spells_control_token(self, text: str) -> bool:
        return self.tokenize(text, special=True) != self.tokenize(text, special=False)

    def is_end(self, token: int) -> bool:
        """Return whether `token` ends an answer."""
        found = self._ends.get(token)
        if found is None:
            found = self._ends[token] = bool(api.llama_vocab_is_eog(self._vocab, token))
        return found

    def piece(self, token: int) -> bytes:
        """Return the bytes that `token` stands for; control tokens stand for none."""
        found = self._pieces.get(token)
        if found is None:
            found = self._pieces[token] = self._read_piece(token, special=False)
        return found

    def visible_piece(self, token: int) -> bytes:
        """Return the bytes that `token` stands for, also when it marks reasoning."""
        return self._markers.get(token) or self.piece(token)

    def marks_reasoning(self, token: int) -> bool:
        """Return whether `token` begins or ends reasoning; a model may end whole answers with it, too."""
        return token in self._markers

    def _token(self, text: str) -> int | None:
        """Return the token that alone is spelled so, control tokens among them; None without one."""
        tokens = self.tokenize(text, special=True)
        return tokens[0] if len(tokens) == 1 else None

    def spelled(self, tokens: Sequence[int]) -> tuple[tuple[str, bool], ...]:
        """Return the text of `tokens` in stretches, each with whether it is a control token's name."""
        parts: list[tuple[bytes, bool]] = []
        for token in tokens:
            control = bool(api.llama_vocab_is_control(self._vocab, token))
            piece = self._read_piece(token, special=True) if control else self.piece(token)
            if parts and not control and not parts[-1][1]:
                parts[-1] = (parts[-1][0] + piece, False)
            else:
                parts.append((piece, control))
        return tuple((text.decode("utf-8", "replace"), control) for text, control in parts)

    def _special_text(self, token: int) -> str:
        return self._read_piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            length = api.llama_token_to_piece(self._vocab, token, buffer, size, 0, special)
            if length >= 0:
                return buffer.raw[:length]
            size = -length


def _load_mode(options: LoadOptions) -> int:
    if options.mmap:
        return api.LLAMA_LOAD_MODE_MMAP_MLOCK if options.mlock else api.LLAMA_LOAD_MODE_MMAP
    return api.LLAMA_LOAD_MODE_MLOCK if options.mlock else api.LLAMA_LOAD_MODE_NONE


def _refusal(path: Path) -> UserError:
    """Say why llama.cpp would not load `path`: it tells only its log."""
    log = "\n".join(native.lines)
    if unknown := re.search(r"unknown model architecture: '([^']*)'", log):
        return UserError(
            _(
                "“{file}” has the architecture “{architecture}”, which this version of Fireside cannot run."
            ).format(file=path.name, architecture=unknown[1]),
            _("A newer version of Fireside may support it."),
            "choose-model",
        )
    if re.search(r"failed to allocate|unable to allocate|out of memory|cudaMalloc failed", log):
        return UserError(
            _("There is not enough memory for “{file}”.").format(file=path.name),
            _("Close other programs, or choose a smaller model."),
            "choose-model",
        )
    reason = re.search(r"error loading model: (.*)", log)
    return UserError(
        _("“{file}” could not be loaded: {reason}.").format(
            file=path.name, reason=reason[1] if reason else _("llama.cpp gives no reason")
        ),
        _("The file may be damaged; downloading it again often helps."),
        "choose-model",
    )
