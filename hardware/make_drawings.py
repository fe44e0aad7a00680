"""Write the makers' drawings and tables from netlist.toml, or say which of them are out of date.

python -m hardware.make_drawings            writes hardware/drawings/
python -m hardware.make_drawings --check    writes nothing; exit status 1 where a file differs
"""

import argparse
import sys
import tomllib
from pathlib import Path

from .makers.breadboard_picture import breadboard_picture
from .makers.netlist import Netlist, NetlistError, read_netlist
from .makers.panel import check_panel
from .makers.panel_dxf import panel_dxf
from .makers.panel_svg import panel_svg
from .makers.schematic import schematic
from .makers.tables import bill_page, wiring_page

FOLDER = Path(__file__).resolve().parent / "drawings"


def drawings(netlist: Netlist) -> dict[str, str]:
    """File name -> content of everything that is made; raises NetlistError for what cannot be built."""
    made = {
        "schematic.svg": schematic(netlist),
        "breadboard.svg": breadboard_picture(netlist),
        "wiring.md": wiring_page(netlist),
        "bill_of_materials.md": bill_page(netlist),
    }
    for name, panel in netlist.panels.items():
        check_panel(netlist, panel)
        made[f"panel_{name}.svg"] = panel_svg(netlist, panel)
        made[f"panel_{name}.dxf"] = panel_dxf(netlist, panel)
    return made


def out_of_date(made: dict[str, str], folder: Path = FOLDER) -> list[str]:
    """The files in `folder` that are missing, differ from `made`, or that nothing makes any more."""
    kept = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} if folder.is_dir() else {}
    return sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))


def main(arguments: list[str] | None = None) -> int:
    """Run it; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m hardware.make_drawings", description="The makers' drawings.")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is out of date")
    options = parser.parse_args(arguments)
    try:
        made = drawings(read_netlist())
    except (NetlistError, tomllib.TOMLDecodeError) as error:
        print(f"netlist.toml: {error}", file=sys.stderr)
        return 1
    if options.check:
        stale = out_of_date(made)
        if stale:
            print(
                f"Differs from netlist.toml: {', '.join(stale)}. Run `python -m hardware.make_drawings`.",
                file=sys.stderr,
            )
        return 1 if stale else 0
    FOLDER.mkdir(exist_ok=True)
    for name, text in made.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
        print(f"drawings/{name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
