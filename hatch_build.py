"""What the wheel carries of other people's work: Vega, Vega-Lite and Vega-Embed in one script, and their licences.

The build hook takes the script from the package vl-convert-python, which needs neither Node nor a network, and puts it into the wheel
as ``runfolio/site_templates/vendor``. It is never committed. A work tree builds sites without it; to have charts there, too, make the
same files in the folder that git ignores::

    python -m pip install hatchling 'vl-convert-python>=1.9,<2'
    python hatch_build.py

The script is one function, because the bundle's own thousands of top-level names would collide with a page's, and hands over what the
pages call by ``rfData``, as every data file of a site does. What data can make Vega do beyond drawing is taken out (`GUARD`). The same
versions of the package give the same bytes.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

INSIDE = "runfolio/site_templates/vendor"
SCRIPT, LISTING = "vega.js", "licences.json"

BSD_3 = """{holder}
All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the following conditions
are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following disclaimer.

2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following disclaimer in
   the documentation and/or other materials provided with the distribution.

3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote products derived from
   this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE
COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES
(INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION)
HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE)
ARISING IN ANY WAY OUT OF THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""
ISC = """{holder}

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided that
the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES
OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR
ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS
ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
"""
MIT = """{holder}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject
to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR
ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH
THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""
BREWER = """Copyright 2002 Cynthia Brewer, Mark Harrower, and The Pennsylvania State University

Licensed under the Apache License, Version 2.0 (the "License"); you may not use this file except in compliance with the License. You
may obtain a copy of the License at http://www.apache.org/licenses/LICENSE-2.0

Unless required by applicable law or agreed to in writing, software distributed under the License is distributed on an "AS IS" BASIS,
WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the License for the specific language governing
permissions and limitations under the License.
"""
UNLICENSE = """This is free and unencumbered software released into the public domain (https://unlicense.org/).{holder}
"""
TEXTS = {"BSD-3-Clause": BSD_3, "ISC": ISC, "MIT": MIT, "Apache-2.0": BREWER, "Unlicense": UNLICENSE}
LAB = "University of Washington Interactive Data Lab"

GUARD = r"""
// A paint that is no colour would be asked for by the browser (url(...)), and may come out of a run's params: it is not painted.
const PAINT = /^\s*(#[0-9a-f]{3,8}|[a-z]+|(rgb|hsl|hwb|lab|lch|oklab|oklch|color)a?\([-+.,%\/\w\s]*\))\s*$/i;
const svg = vega.renderModule("svg");
const paints = (value) => (value.gradient ? /^[\w-]*$/.test(value.id || "") : PAINT.test(String(value)));
class Careful extends svg.renderer {
  style(element, item) {
    if (item) for (const name of ["fill", "stroke"]) if (item[name] && !paints(item[name])) item[name] = null;
    super.style(element, item);
  }
}
vega.renderModule("svg", { ...svg, renderer: Careful });
// A few letters of an expression could ask for all of the memory.
const most = (name, at, limit) => {
  const made = vega.expressionFunction(name);
  vega.expressionFunction(name, (...given) => {
    if (!(Math.abs(at(given)) <= limit)) throw new RangeError(name + " makes at most " + limit + " in a chart");
    return made(...given);
  });
};
most("sequence", ([start, stop, step = 1]) => (stop === undefined ? start : (stop - start) / step), 1e5);
most("pad", ([, length]) => length, 1e4);
// What goes wrong after the start would only reach the console: whoever draws asks for it.
class View extends vega.View {
  constructor(...given) {
    super(...given);
    this.faults = [];
    const quiet = { level: () => quiet, warn: () => quiet, info: () => quiet, debug: () => quiet };
    quiet.error = (...said) => { this.faults.push(said[0] instanceof Error ? said[0] : new Error(said.join(" "))); return quiet; };
    this.logger(quiet);
  }
}
const refuse = () => Promise.reject(new Error("a chart loads nothing"));
const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse };
window.rfData("assets/vega", (element, spec, options) => vegaEmbed(element, spec, { ...options, loader, viewClass: View }));
"""
"""What stands between Vega and a page: runs in the same function, and hands over what pages call."""


class Part(NamedTuple):
    """A package in the script: its name, its licence, who holds the copyright, and its version where vl-convert tells it."""

    name: str
    licence: str
    holder: str
    version: str = ""


def parts() -> list[Part]:
    """Return what the script is made from."""
    import vl_convert

    return [
        Part("Vega", "BSD-3-Clause", f"Copyright (c) 2015-2023, {LAB}", vl_convert.get_vega_version()),
        Part("Vega-Lite", "BSD-3-Clause", f"Copyright (c) 2015, {LAB}", newest_vega_lite()),
        Part("Vega-Embed", "BSD-3-Clause", f"Copyright (c) 2015, {LAB}", vl_convert.get_vega_embed_version()),
        Part("Vega-Themes", "BSD-3-Clause", f"Copyright (c) 2016, {LAB}", vl_convert.get_vega_themes_version()),
        Part("Vega-Tooltip", "BSD-3-Clause", "Copyright 2016 Interactive Data Lab and contributors"),
        Part("vega-schema-url-parser", "BSD-3-Clause", "Copyright (c) 2017, Vega"),
        Part("D3 (array, color, dispatch, dsv, force, format, geo, geo-projection, hierarchy, interpolate, path, quadtree, scale, "
             "scale-chromatic, shape, time, time-format, timer) and internmap", "ISC", "Copyright 2010-2026 Mike Bostock"),
        Part("d3-delaunay and delaunator", "ISC", "Copyright 2018-2026 Observable, Inc.\nCopyright (c) 2021-2026, Mapbox"),
        Part("ColorBrewer's colours", "Apache-2.0", ""),
        Part("GeographicLib (in d3-geo)", "MIT", "Copyright 2008-2012 Charles Karney"),
        Part("integrate-adaptive-simpson (in d3-geo-projection)", "MIT", "Copyright 2015 Ricky Reusser"),
        Part("topojson-client", "ISC", "Copyright 2012-2019 Michael Bostock"),
        Part("semver", "ISC", "Copyright (c) Isaac Z. Schlueter and Contributors"),
        Part("fast-json-patch", "MIT", "Copyright (c) 2013, 2014, 2020 Joachim Wester"),
        Part("json-stringify-pretty-compact", "MIT", "Copyright (c) 2014, 2016, 2017, 2019, 2021, 2022 Simon Lydell"),
        Part("lodash.debounce", "MIT", "Copyright jQuery Foundation and other contributors <https://jquery.org/>\nBased on Underscore.js, "
             "copyright Jeremy Ashkenas, DocumentCloud and Investigative Reporters & Editors <http://underscorejs.org/>"),
        Part("robust-predicates", "Unlicense", ""),
    ]  # fmt: skip


def newest_vega_lite() -> str:
    """Return the newest version of Vega-Lite that vl-convert holds."""
    import vl_convert

    return str(max(vl_convert.get_vegalite_versions(), key=lambda version: [int(part) for part in version.split(".")]))


def vega_script() -> str:
    """Return the script that hands over Vega-Embed's function, behind its guard."""
    import vl_convert

    # The bundler knows Vega-Embed by name, and Vega itself by none: how Vega-Embed calls it is read from its own code.
    bundle = vl_convert.javascript_bundle("window.made=vegaEmbed;", vl_version=newest_vega_lite())
    names = re.fullmatch(r"(.*\.viewClass\|\|([\w$]+)\.View\).*)window\.made=([\w$]+);\s*", bundle, re.DOTALL)
    if names is None:
        raise RuntimeError("hatch_build.py: the bundle of this vl-convert has another form; adapt vega_script() to it.")
    return f'(function(){{"use strict";{names[1]}\n{{const vega={names[2]},vegaEmbed={names[3]};{GUARD}}}}})();\n'


def write_vendored(folder: Path) -> list[str]:
    """Write the script and the licences into a folder, and return the names of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files, listed = {SCRIPT: vega_script()}, []
    for number, part in enumerate(parts()):
        file = f"licence-{number:02}.txt"
        files[file] = TEXTS[part.licence].format(holder=part.holder)
        listed.append({"name": part.name, "version": part.version, "licence": part.licence, "file": file})
    files[LISTING] = json.dumps(listed, indent=1) + "\n"
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return sorted(files)


class VendorHook(BuildHookInterface[Any]):
    """Puts the vendored files into a wheel; an editable install goes without."""

    PLUGIN_NAME = "custom"
    _folder: Path | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files and name them to the builder."""
        if self.target_name != "wheel" or version == "editable":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="runfolio-vendor-"))
        for name in write_vendored(self._folder):
            build_data["force_include"][str(self._folder / name)] = f"{INSIDE}/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the files that the wheel now holds."""
        if self._folder is not None:
            shutil.rmtree(self._folder)


if __name__ == "__main__":
    target = Path(__file__).resolve().parent / "site_templates" / "vendor"
    print(f"{target}: {len(write_vendored(target))} files")
