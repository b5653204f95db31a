"""``/docs``: one page that says what the model takes and how to call it, and lets one try. No script from elsewhere, no CDN."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from typing import Any

from runfolio._version import __version__
from runfolio.flavors.python_function import PyFuncModel
from runfolio.flavors.schema import Schema
from runfolio.serving.openapi import example

_STYLE = """
:root{color-scheme:light dark;--ink:#1c1c1a;--soft:#5d5c57;--line:#dcdad3;--paper:#fdfcf9;--sunk:#f3f1ea;--link:#0b5c86;--bad:#a3261b}
@media(prefers-color-scheme:dark){:root{--ink:#e9e7e0;--soft:#a5a299;--line:#3a3934;--paper:#171714;
--sunk:#22221e;--link:#7cc0e6;--bad:#f0877c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,sans-serif}
main{max-width:56rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .25rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2.25rem 0 .6rem}
p{margin:.4rem 0}
.soft{color:var(--soft)}
a{color:var(--link)}
code,pre,textarea{font:13.5px/1.5 ui-monospace,monospace}
pre,textarea{background:var(--sunk);border:1px solid var(--line);border-radius:6px;padding:.75rem;margin:0;
width:100%;overflow:auto;color:inherit}
textarea{min-height:11rem;resize:vertical}
table{border-collapse:collapse;width:100%}
.wide{overflow-x:auto}
td code,p code{overflow-wrap:anywhere}
th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft);font-size:.875rem}
button{font:inherit;padding:.5rem 1.1rem;border-radius:6px;border:1px solid var(--ink);
background:var(--ink);color:var(--paper);cursor:pointer}
button:focus-visible,textarea:focus-visible,input:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
input{font:inherit;padding:.4rem .6rem;border:1px solid var(--line);border-radius:6px;background:var(--sunk);color:inherit;width:100%}
label{display:block;margin:.6rem 0 .25rem;font-size:.875rem;color:var(--soft)}
.row{display:flex;gap:1rem;align-items:center;margin:.75rem 0}
.bad{color:var(--bad)}
"""
_SCRIPT = """
document.getElementById('origin').textContent=location.origin;
const go=document.getElementById('go'),out=document.getElementById('out'),took=document.getElementById('took');
go.addEventListener('click',async()=>{
  const head={'content-type':'application/json'},token=document.getElementById('token');
  if(token&&token.value)head.authorization='Bearer '+token.value;
  took.textContent='…';
  const begun=performance.now();
  try{
    const answer=await fetch('invocations',{method:'POST',headers:head,body:document.getElementById('body').value});
    const text=await answer.text();
    out.textContent=text;
    took.className=answer.ok?'soft':'bad';
    took.textContent=answer.status+' in '+(performance.now()-begun).toFixed(1)+' ms';
  }catch(error){took.className='bad';took.textContent='The server could not be reached.'}
});
"""


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


_POLICY = (
    f"default-src 'none'; style-src {_digest(_STYLE)}; script-src {_digest(_SCRIPT)}; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = (
    ("content-security-policy", _POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
)


def page(model: PyFuncModel, served: Mapping[str, Any], *, token: bool) -> str:
    """Return the page.

    Parameters
    ----------
    model : PyFuncModel
    served : dict
        ``name``, ``version``, ``uri``, ``digest`` of the model, as far as they are known.
    token : bool
        Whether a token is asked for.
    """
    name = html.escape(str(served.get("name") or "model"))
    version = f" {html.escape(str(served['version']))}" if served.get("version") else ""
    body = html.escape(json.dumps(example(model), indent=2))
    signature = model.metadata.signature
    auth = " -H 'authorization: Bearer TOKEN'" if token else ""
    facts = " · ".join(html.escape(str(served[key])) for key in ("uri", "engine") if served.get(key))
    digest = f'<p class="soft"><code>{html.escape(str(served["digest"]))}</code></p>' if served.get("digest") else ""
    asks = '<label for="token">Token</label><input id="token" type="password" autocomplete="off">' if token else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{name}{version}</title><link rel="icon" href="data:,"><style>{_STYLE}</style></head><body><main>
<h1>{name}{version}</h1>
<p class="soft">{facts}</p>{digest}
<h2>What it takes</h2>{_table(signature.inputs if signature else None, "Any input: the model has no signature.")}
{_params(model)}
<h2>What it gives</h2>{_table(signature.outputs if signature else None, "Not declared.", given=True)}
<h2>Try it</h2>
<label for="body">Body of <code>POST /invocations</code>, JSON</label>
<textarea id="body" spellcheck="false">{body}</textarea>{asks}
<div class="row"><button id="go" type="button">Predict</button><span id="took" class="soft" role="status"></span></div>
<pre id="out" tabindex="0" aria-label="Answer"></pre>
<h2>Call it</h2>
<pre tabindex="0">curl <span id="origin">http://HOST:PORT</span>/invocations{auth} \\
  -H 'content-type: application/json' \\
  -d '{html.escape(json.dumps(example(model)))}'</pre>
<p class="soft">Also as <code>dataframe_split</code>, <code>instances</code> or <code>inputs</code>, as <code>text/csv</code> and as
<code>application/vnd.apache.parquet</code>: MLflow's scoring protocol.</p>
<h2>Also here</h2>
<p><a href="openapi.json">openapi.json</a> · <a href="metrics">metrics</a> · <a href="health?details">health</a></p>
<p class="soft">runfolio {__version__}</p>
</main><script>{_SCRIPT}</script></body></html>
"""


def _table(schema: Schema | None, nothing: str, *, given: bool = False) -> str:
    """Return a table of columns; of those that are `given`, nobody asks whether they are required."""
    if schema is None:
        return f'<p class="soft">{nothing}</p>'
    rows = "".join(
        f"<tr><td>{_named(name)}</td><td>{html.escape(_kind(spec))}</td>"
        f"{'' if given else '<td>yes</td>' if spec.required else '<td>no</td>'}</tr>"
        for name, spec in zip(schema.input_names(), schema, strict=True)
    )
    return _rows(("name", "type") if given else ("name", "type", "required"), rows)


def _named(name: str | int) -> str:
    """Return a name as it stands in a table; what has none is known by its position."""
    return f"<code>{html.escape(name)}</code>" if isinstance(name, str) else f'<span class="soft">position {name}</span>'


def _kind(spec: Any) -> str:
    return f"{spec.dtype} {spec.shape}" if hasattr(spec, "shape") else repr(spec.type)


def _params(model: PyFuncModel) -> str:
    signature = model.metadata.signature
    if signature is None or signature.params is None:
        return ""
    rows = "".join(
        f"<tr><td><code>{html.escape(each.name)}</code></td><td>{html.escape(repr(each.dtype))}{'[]' if each.shape else ''}</td>"
        f"<td>{html.escape(json.dumps(each.to_dict()['default']))}</td></tr>"
        for each in signature.params
    )
    return "<h2>Parameters</h2>" + _rows(("name", "type", "default"), rows)


def _rows(names: tuple[str, ...], rows: str) -> str:
    heads = "".join(f"<th>{name}</th>" for name in names)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'
