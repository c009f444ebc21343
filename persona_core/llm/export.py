"""What was trained, for Ollama: adapters in PEFT's form beside a Modelfile that names the base model, which is not copied."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from persona_core.files import write_beside, write_json

MODELFILE, ADAPTER = "Modelfile", "adapter"
HOW = """\
# Made by Personascope. {says}
# Ollama reads adapters of some Gemma versions as they are; for others convert them first:
#   python convert_lora_to_gguf.py {adapter} --base MODEL_FOLDER --outfile {adapter}.gguf     (from llama.cpp)
# and write {adapter}.gguf after ADAPTER. Then:
#   ollama create {name} -f Modelfile
FROM {base}
ADAPTER ./{adapter}
TEMPLATE \"\"\"{{{{ .Prompt }}}}\"\"\"
PARAMETER temperature 0
PARAMETER num_predict {most}
{stop}"""


def export_adapters(model: Any, base: Path, folder: Path, *, name: str, says: str, most: int, stop: str = "") -> Path:
    """Leaves the folder with everything but the base model; gives back the Modelfile. `model` wears its adapters by PEFT."""
    from safetensors.torch import save

    folder.mkdir(parents=True, exist_ok=True)
    worn = {key: one for key, one in model.state_dict().items() if "lora_" in key and ".default." in key}
    kept = {key.replace(".default", ""): one.detach().contiguous() for key, one in worn.items()}
    write_beside(folder / ADAPTER / "adapter_model.safetensors", save(kept))
    config: dict[str, Any] = model.peft_config["default"].to_dict()
    plain = {key: sorted(value) if isinstance(value, set) else value for key, value in config.items()}
    write_json(folder / ADAPTER / "adapter_config.json", plain | {"base_model_name_or_path": base.name, "inference_mode": True})
    ends = f'PARAMETER stop "{stop}"\n' if stop else ""
    text = HOW.format(says=says, name=name, base=base.resolve(), adapter=ADAPTER, most=most, stop=ends)
    write_beside(folder / MODELFILE, text.encode())
    return folder / MODELFILE
