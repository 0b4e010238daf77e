"""How a page about themes looks, and the one thing that its script does: a slider beside the levels, where a browser runs scripts."""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

# Kinds differ in shape as well as in colour: circle, square, diamond; in tables they are words.
STYLE = """
:root { --few: #8a4b9c; --lone: #b3541e; --theme: #a9cbe3 }
@media screen and (prefers-color-scheme: dark) { :root { --few: #cf9be0; --lone: #f0a065; --theme: #3a6a8e } }
.w { fill: var(--few) } .o { fill: var(--lone) } .c { fill: var(--theme) }
svg .d { fill: none; stroke: var(--accent); stroke-width: 2.2px; stroke-linecap: round }
svg .h { font-size: 12px; paint-order: stroke; stroke: var(--paper); stroke-width: 3.5px; stroke-linejoin: round }
svg a:hover circle, svg a:hover rect, svg a:hover path { stroke: var(--link); stroke-width: 2px }
.map svg { border: 1px solid var(--line); box-sizing: border-box }
.map circle, .key circle { stroke: var(--accent) } .tree .c { stroke: var(--accent); stroke-width: .6px }
.group h3 { margin-bottom: .4rem } .group h3 .t { font-weight: normal }
.voices { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: .8rem; align-items: start }
.voices .group { margin: 0; padding: .6rem .8rem; min-width: 0; overflow-wrap: anywhere } .voices h3 { font-size: 1em; margin: 0 0 .2rem }
.k0 { border-left: 5px solid var(--accent) } .k1 { border-left: 5px solid var(--few) } .k2 { border-left: 5px solid var(--lone) }
blockquote { margin: .3rem 0 } .by { color: var(--muted); font-size: .9em; margin: .1rem 0 .7rem }
.key { list-style: none; padding: 0; margin: .3rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem }
.key svg { display: inline-block; vertical-align: -.15em }
.level { border: 1px solid var(--line); border-radius: .4rem; padding: .4rem .9rem; margin: .5rem 0 } .level summary { padding: .2rem 0 }
.slider { display: flex; flex-wrap: wrap; gap: .3rem .8rem; align-items: center; margin: .8rem 0 } .slider input { flex: 1 1 14rem; max-width: 24rem }
.slider input { accent-color: var(--accent) } input:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
@media screen and (max-width: 40rem) { .map svg, .tree svg { width: 60rem; max-width: none } .voices { grid-template-columns: 1fr } }
@media print { .voices { display: block; columns: 2; column-gap: 6mm }
  .voices .group { padding: .3rem 0; margin: .3rem 0 } .whole summary { display: none } .slider { display: none }
  .k0, .k1, .k2 { border-left: 0 } .w, .o, .s, .c, .d { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  details.whole::details-content { content-visibility: visible; block-size: auto } }
"""

SCRIPT = """
(function () {
  "use strict";
  var box = document.getElementById("slider");
  var levels = Array.prototype.slice.call(document.querySelectorAll("details.level"));
  if (!box || levels.length < 2) { return; }
  var input = document.createElement("input");
  var label = document.createElement("label");
  var told = document.createElement("output");
  input.type = "range"; input.id = "granularity"; input.min = 1; input.max = levels.length; input.step = 1;
  input.value = 1 + Math.max(0, levels.findIndex(function (one) { return one.open; }));
  label.htmlFor = input.id; label.textContent = box.dataset.label;
  told.htmlFor = input.id;
  function show() {
    levels.forEach(function (one, i) { one.open = i === input.value - 1; });
    var text = levels[input.value - 1].querySelector("summary").textContent;
    told.textContent = text; input.setAttribute("aria-valuetext", text);
  }
  input.addEventListener("input", show);
  box.append(label, input, told);
  show();
})();
"""
