"""For Ollama: the adapters in PEFT's form beside a Modelfile that names the base model and asks as training asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from persona_core.files import write_beside, write_json
from persona_core.trends.model.network import TrendNetwork

MODELFILE, ADAPTER = "Modelfile", "adapter"
HOW = """\
# Made by Personascope. The reasons come from the adapters; the number comes from a head that Ollama does not know, so that it is
# not said here. Ollama reads adapters of some Gemma versions as they are; for others convert them first:
#   python convert_lora_to_gguf.py {adapter} --base MODEL_FOLDER --outfile {adapter}.gguf     (from llama.cpp)
# and write {adapter}.gguf after ADAPTER. Then:
#   ollama create trend-reasons -f Modelfile
FROM {base}
ADAPTER ./{adapter}
TEMPLATE \"\"\"{{{{ .Prompt }}}}\"\"\"
PARAMETER temperature 0
PARAMETER num_predict 90
PARAMETER stop "\\n"
"""


def export(network: TrendNetwork, base: Path, folder: Path) -> Path:
    """Leaves the folder with everything but the base model, which is named and not copied; gives back the Modelfile."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    kept = {name.replace(".default", ""): one.detach().contiguous() for name, one in network.trained.items() if "lora" in name}
    write_beside(folder / ADAPTER / "adapter_model.safetensors", save(kept))
    config: dict[str, Any] = network.model.peft_config["default"].to_dict()
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    write_json(folder / ADAPTER / "adapter_config.json", plain | {"base_model_name_or_path": base.name, "inference_mode": True})
    write_beside(folder / MODELFILE, HOW.format(base=base.resolve(), adapter=ADAPTER).encode())
    return folder / MODELFILE
