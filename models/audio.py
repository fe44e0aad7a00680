"""Audio operations on tensors: resampling, log-mel spectrogram, mu-law. The one place that imports torchaudio.

Torchaudio's wheel is linked to CUDA and does not import beside a CPU build of torch until `models/fix_torchaudio.py`
has moved its shared objects aside (the Makefile runs it; it says why). Only Python parts of torchaudio are used, which
work with torch 2.11 to 2.13. What must run on the device uses soxr and NumPy instead: no torch there.
"""

import torch
import torchaudio

N_MELS = 80
MEL_HOP_S = 0.008  # a control frame
MEL_LOW_HZ, MEL_HIGH_HZ = 40.0, 16_000.0
LOG_MEL_FLOOR = 1e-10  # power: -100 dB
MU_LAW_CLASSES = 256


def resample(audio: torch.Tensor, from_hz: int, to_hz: int) -> torch.Tensor:
    """float [..., n] to float [..., ceil(n to_hz / from_hz)], by a windowed sinc of 64 zero crossings, no delay."""
    return torchaudio.functional.resample(audio, from_hz, to_hz, lowpass_filter_width=64, rolloff=0.95)


def log_mel(audio: torch.Tensor, rate_hz: int) -> torch.Tensor:
    """Log-mel spectrogram in dB: a full-scale sine adds up to 0..1.8 dB over the bands, silence is -100 dB in each.

    Args: `audio` float [..., n] at `rate_hz`, -1..1.
    Returns: float [..., 1 + n // hop, 80], hop 8 ms; frame i is centred on sample i hop. Bands are HTK mel from 40 Hz
        to 16 kHz or half the rate, windows periodic Hann of 2048 samples at 48 kHz (43 ms, the same at other rates).
    """
    n_fft = 2 * round(1024 * rate_hz / 48_000)
    spectrogram = torchaudio.transforms.MelSpectrogram(
        sample_rate=rate_hz,
        n_fft=n_fft,
        hop_length=round(MEL_HOP_S * rate_hz),
        f_min=MEL_LOW_HZ,
        f_max=min(MEL_HIGH_HZ, rate_hz / 2),
        n_mels=N_MELS,
        power=2.0,
    ).to(audio)
    full_scale = (n_fft / 4) ** 2  # power of a full-scale sine in its bin: half the sum of a Hann window, squared
    return 10.0 * torch.log10((spectrogram(audio) / full_scale).clamp_min(LOG_MEL_FLOOR)).transpose(-1, -2)


def mu_law_encode(audio: torch.Tensor) -> torch.Tensor:
    """float [...] -1..1 to int64 [...] 0..255: 256 classes, finer near silence; 0.0 is class 128."""
    return torchaudio.functional.mu_law_encoding(audio, MU_LAW_CLASSES)


def mu_law_decode(classes: torch.Tensor) -> torch.Tensor:
    """int [...] 0..255 to float32 [...] -1..1, within half a class of what was encoded."""
    return torchaudio.functional.mu_law_decoding(classes, MU_LAW_CLASSES)
