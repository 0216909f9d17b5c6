import ast
import subprocess
import sys
from pathlib import Path

import graft
from graft.registry.packaged_code import imported, write_code

SOURCE = Path(graft.__file__).parent


def test_the_packaged_code_imports_without_the_repository(tmp_path: Path):
    write_code(SOURCE, tmp_path / "graft")
    code = (
        "import graft.serving.pyfunc, sys; "
        "print([m.__file__ for n, m in sys.modules.items() if n.startswith('graft.')])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::ImportWarning", "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = ast.literal_eval(done.stdout.splitlines()[-1])
    assert files and all(file.startswith(str(tmp_path)) for file in files)


def test_imports_inside_functions_are_packaged_and_other_rooms_are_not():
    names = imported(SOURCE, "graft.serving.pyfunc")
    assert "graft.training.adapter" in names
    assert not any(name.startswith("graft.stages") for name in names)
    assert not any(name.startswith("graft.sources") for name in names)


def test_a_second_write_leaves_no_old_module(tmp_path: Path):
    out = tmp_path / "graft"
    (out / "old").mkdir(parents=True)
    (out / "old" / "module.py").write_text("")
    write_code(SOURCE, out)
    assert not (out / "old").exists() and (out / "serving" / "pyfunc.py").is_file()
