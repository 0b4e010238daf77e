"""How the evidence page looks, and what its script does: it makes a file of the decisions that a person wrote into the forms, and sends nothing.

Slots differ by number, by colour and by the line under them, so that no colour need be seen. On paper the forms are boxes to tick and lines to write on.
"""

from __future__ import annotations

__all__ = ["SCRIPT", "SLOT_STYLES", "STYLE"]

SLOT_STYLES = 6
"""Ways in which slots are marked; the seventh is marked as the first."""

_LIGHT = ("#fff1c9", "#dcecf7", "#e9e0f5", "#d5f0e3", "#fbdfe6", "#e8e8e4")
_DARK = ("#4d3a0c", "#1d3a4e", "#40305a", "#123f30", "#55202f", "#3b3f43")
_LINES = ("solid", "dashed", "dotted", "double", "wavy", "solid")


def _colours(names: tuple[str, ...]) -> str:
    return "; ".join(f"--s{number}: {colour}" for number, colour in enumerate(names, start=1))


_SLOTS = "".join(
    f"mark.s{number} {{ background: var(--s{number}); text-decoration: underline {line} {'3.5px' if number == 6 else '2px'} }}\n"
    for number, line in enumerate(_LINES, start=1)
)

_MARKS = f"""
:root {{ {_colours(_LIGHT)} }}
@media screen and (prefers-color-scheme: dark) {{ :root {{ {_colours(_DARK)} }} }}
mark {{ color: inherit; background: none; border-radius: .15rem; text-underline-offset: .22em }}
{_SLOTS}mark b {{ font-size: .72em; border: 1px solid currentColor; border-radius: .6rem; padding: 0 .35em; margin-right: .25em; unicode-bidi: isolate }}
mark b {{ display: inline-block; line-height: 1.25; text-decoration: none; vertical-align: .1em }}
mark.own {{ text-decoration: underline dotted 1px; color: var(--muted) }}
"""

_LOOKS = """
svg .e, svg .v { fill: none; stroke: var(--ink); stroke-width: 2px } svg .v { stroke: var(--link); stroke-width: 2.5px }
svg .h { fill: var(--link) } svg .few { fill: none; stroke: var(--accent); stroke-width: 1.2px; stroke-dasharray: 2.5 2 }
.facts { list-style: none; padding: 0; margin: 1rem 0; display: grid; grid-template-columns: repeat(auto-fit, minmax(13.5rem, 1fr)); gap: .7rem }
.facts li { border: 1px solid var(--line); border-top: 4px solid var(--accent); border-radius: .3rem; padding: .5rem .8rem; break-inside: avoid }
.facts strong { display: block; font-size: 1.25em; line-height: 1.25; overflow-wrap: anywhere } .facts span { color: var(--muted) }
.group { border-left: 5px solid var(--accent) } .group h3 { font-size: 1.25em } .group h3 .t { font-weight: normal }
.lines { list-style: none; padding: 0; margin: .4rem 0 } .lines > li { margin: .5rem 0; break-inside: avoid } .lines .said { margin: 0 }
.by { color: var(--muted); font-size: .9em; margin: 0 0 .1rem }
.tests { display: grid; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); gap: .9rem; align-items: start }
.test { border: 1px solid var(--line); border-radius: .3rem; padding: .5rem .8rem; min-width: 0; break-inside: avoid }
.test h5 { margin: 0 0 .2rem; font-size: 1em }
.test p { margin: .3rem 0 } .test figure { margin: .4rem 0 } .test figcaption { font-weight: normal; font-size: .9em }
.checks li { margin: .5rem 0; max-width: 46rem; break-inside: avoid } .checks .t { display: block; font-size: 1em }
.key { list-style: none; padding: 0; margin: .3rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1.4rem }
.decision { border: 2px solid var(--line); border-radius: .3rem; padding: .3rem .9rem .8rem; margin: 1.1rem 0 .6rem; max-width: 46rem }
.decision h4 { margin-top: .5rem } fieldset { border: 0; padding: 0; margin: .3rem 0 } legend { font-weight: bold; padding: 0 }
.decision label { display: block; margin: .35rem 0 } fieldset label { padding-left: 1.7em; text-indent: -1.7em }
.decision .written { font-weight: bold; margin-bottom: .1rem }
.decision textarea, .decision input[type=text] { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--muted); border-radius: .2rem }
.decision textarea, .decision input[type=text] { box-sizing: border-box; width: 100%; padding: .3rem .4rem; display: block }
input[type=radio] { accent-color: var(--accent); margin-right: .5em }
button { font: inherit; border: 0; color: var(--paper); background: var(--link); border-radius: .3rem; padding: .4rem .9rem }
button { margin-top: .5rem; cursor: pointer }
:is(button, input, textarea, summary):focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
output { display: block; min-height: 1.4em; margin-top: .3rem; font-weight: bold } [hidden] { display: none }
code { overflow-wrap: anywhere; font-size: .95em }
@media (max-width: 40rem) { .tests { grid-template-columns: 1fr } .decision { padding: .2rem .6rem .6rem } }
@media print { .tests { grid-template-columns: 1fr 1fr } #groups, .group + .group { break-before: page } .group { border-left: 0 }
  button, output { display: none }
  .facts { grid-template-columns: repeat(4, 1fr); gap: 2mm } .decision { break-inside: avoid } .decision textarea { min-height: 22mm }
  .said, .facts li, .e, .v, .h, .few, .a, .s, .m { print-color-adjust: exact; -webkit-print-color-adjust: exact } }
"""

STYLE = _MARKS + _LOOKS

SCRIPT = """
(function () {
  "use strict";
  var all = document.getElementById("decisions");
  var forms = Array.prototype.slice.call(document.querySelectorAll(".decision[data-group]"));
  if (!all || !forms.length) { return; }
  function field(form, name) { return form.querySelector("[data-field=" + name + "]"); }
  function value(form, name) { return field(form, name).value.trim(); }
  function chosen(form) { return form.querySelector("input[type=radio]:checked"); }
  function lacks(form) {
    if (!chosen(form)) { return form.querySelector("input[type=radio]"); }
    return ["reason", "reviewer"].map(function (name) { return field(form, name); }).find(function (one) { return !one.value.trim(); });
  }
  function decision(form) {
    return {
      group: form.dataset.group, decision: chosen(form).value, reason: value(form, "reason"),
      reviewer: value(form, "reviewer"), role: value(form, "role"), time: new Date().toISOString().slice(0, 19) + "Z"
    };
  }
  function save(made, name, told) {
    var text = JSON.stringify({ format: "klero-decision/1", result: all.dataset.result, decisions: made }, null, 2) + "\\n";
    var link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = name;
    document.body.append(link); link.click(); link.remove();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 60000);
    told.textContent = all.dataset.saved.replace("{file}", name).replace("{n}", made.length);
  }
  forms.forEach(function (form) {
    var told = form.querySelector("output");
    var button = form.querySelector("button");
    button.hidden = false;
    button.addEventListener("click", function () {
      var missing = lacks(form);
      if (missing) { told.textContent = all.dataset.missing; missing.focus(); return; }
      save([decision(form)], "decision-" + form.dataset.group + ".json", told);
    });
    ["reviewer", "role"].forEach(function (name) {
      field(form, name).addEventListener("change", function () {
        var mine = field(form, name).value;
        forms.forEach(function (other) { if (!field(other, name).value) { field(other, name).value = mine; } });
      });
    });
  });
  var button = all.querySelector("button");
  var told = all.querySelector("output");
  button.hidden = false;
  button.addEventListener("click", function () {
    var begun = forms.filter(function (form) { return chosen(form) || value(form, "reason"); });
    var missing = begun.map(lacks).find(Boolean);
    if (!begun.length || missing) { told.textContent = all.dataset.missing; (missing || lacks(forms[0])).focus(); return; }
    save(begun.map(decision), "decision.json", told);
  });
})();
"""
