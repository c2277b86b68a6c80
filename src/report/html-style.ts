/** How a document looks: light, dark, on a phone and on paper. The colours are those of the workbench. */

const light = `
--page: #ffffff; --raised: #f4f6f8; --line: #dde2e8; --text: #1b1f24; --muted: #4d5661; --link: #0b5cad;
--accepted: #1b5aa5; --rejected: #b04a00;
--series-1: #0894ff; --series-2: #5400ae; --series-3: #b68c1d; --series-4: #006b10; --series-5: #651451; --other: #79828d;
--good: #006b10; --bar: #1b5aa5;`

const dark = `
--page: #14181d; --raised: #1c2229; --line: #2c343d; --text: #e6eaef; --muted: #a9b3bf; --link: #7ab8ff;
--accepted: #6aaeff; --rejected: #ffa24a;
--series-1: #72a7ff; --series-2: #d8dc00; --series-3: #b629d3; --series-4: #b9911f; --series-5: #f0a698; --other: #7d8894;
--good: #7fd18b; --bar: #6aaeff;`

const page = `
:root { color-scheme: light dark; ${light} }
@media screen and (prefers-color-scheme: dark) { :root { ${dark} } }
* { box-sizing: border-box; }
html { background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 24px 32px 64px; max-width: 1280px; }
h1, h2, h3, h4, h5 { line-height: 1.25; margin: 32px 0 8px; overflow-wrap: anywhere; }
h1 { font-size: 28px; margin-top: 8px; }
h2 { font-size: 21px; padding-top: 16px; border-top: 1px solid var(--line); margin-top: 40px; }
h3 { font-size: 17px; } h4, h5 { font-size: 15px; }
p { margin: 8px 0; max-width: 78ch; overflow-wrap: anywhere; }
ul { padding-left: 22px; margin: 8px 0; } li { margin: 4px 0; overflow-wrap: anywhere; max-width: 84ch; }
a { color: var(--link); } a:focus-visible, [tabindex]:focus-visible, summary:focus-visible, button:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -9999px; } .skip:focus { position: static; }
[data-figure] { unicode-bidi: isolate; }
.alarm { color: var(--rejected); } .good { color: var(--good); } .absent { color: var(--muted); }
.address, .path, code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; font-size: 0.92em; }
.path, .address { overflow-wrap: anywhere; }
.note, .warning { border-left: 4px solid var(--line); background: var(--raised); padding: 8px 12px; }
.warning { border-left-color: var(--rejected); }
nav { background: var(--raised); border: 1px solid var(--line); border-radius: 6px; padding: 8px 20px 12px; margin: 24px 0; }
nav h2 { border: 0; margin: 8px 0; padding: 0; font-size: 17px; } nav ol { margin: 0; padding-left: 24px; columns: 260px auto; } nav li { break-inside: avoid; }`

const parts = `
.facts { display: grid; gap: 4px 16px; margin: 12px 0; }
.facts > div { display: grid; grid-template-columns: minmax(110px, 190px) minmax(0, 1fr); gap: 0 16px; }
.facts dt { color: var(--muted); overflow-wrap: anywhere; } .facts dd { margin: 0; grid-column: 2; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; margin: 12px 0; }
table { border-collapse: collapse; min-width: 320px; font-size: 14px; }
caption { text-align: left; color: var(--muted); padding: 4px 0; }
th, td { text-align: left; vertical-align: top; padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); mso-number-format: "\\@"; }
th { font-weight: 600; } tbody th { font-weight: 500; } thead th { color: var(--muted); white-space: nowrap; }
th.right, td.right { text-align: right; white-space: nowrap; }
th .path, td .path { word-break: break-all; min-width: 140px; display: inline-block; }
.has-more > * { border-bottom: 0; padding-bottom: 0; } .more td { color: var(--muted); font-size: 13px; padding-top: 0; }
td .time, th .time, td .address, th .address { white-space: nowrap; }
th button { font: inherit; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th button::after { content: " \\2195"; color: var(--muted); } th[aria-sort=ascending] button::after { content: " \\2191"; } th[aria-sort=descending] button::after { content: " \\2193"; }
.quotes { list-style: none; padding: 0; margin: 8px 0; } .quotes li { max-width: none; margin: 6px 0; }
.where { color: var(--muted); font-size: 13px; overflow-wrap: anywhere; }
pre { margin: 2px 0; padding: 8px 10px; background: var(--raised); border: 1px solid var(--line); border-radius: 4px; overflow-x: auto; }
pre code { font-size: 12.5px; } .quotes pre, .command pre { white-space: pre-wrap; overflow-wrap: anywhere; }
.command { position: relative; margin: 8px 0; } @media screen { .command:has(.copy) pre { padding-right: 78px; } }
.copy { position: absolute; top: 6px; right: 6px; font: 12px system-ui, sans-serif; color: var(--text); background: var(--page); border: 1px solid var(--line); border-radius: 4px; padding: 2px 8px; cursor: pointer; }
.entry { margin: 20px 0; padding: 2px 18px 12px; border: 1px solid var(--line); border-radius: 6px; }
.entry h3, .entry h4 { margin-top: 14px; } .entry .entry { border-left-width: 3px; }
.badge { display: inline-block; margin-left: 6px; padding: 0 8px; border: 1px solid currentColor; border-radius: 10px; font-size: 13px; font-weight: 600; }
.badge::first-letter { text-transform: uppercase; } .badge.yes { color: var(--good); } .badge.no { color: var(--rejected); } .badge.open { color: var(--muted); font-weight: 400; }
.label { display: inline-block; min-width: 28px; color: var(--muted); } .inset { margin-left: 20px; }
details { margin: 8px 0; } summary { cursor: pointer; color: var(--link); }
figure { margin: 16px 0; } figcaption p { color: var(--muted); margin: 2px 0 6px; }`

const drawings = `
svg { display: block; width: 100%; max-width: 100%; height: auto; font: 12px system-ui, "Liberation Sans", Arial, sans-serif; }
svg text { fill: var(--text); } svg .halo { paint-order: stroke; stroke: var(--page); stroke-width: 4px; stroke-linejoin: round; } svg .quiet { fill: var(--muted); }
svg .grid { stroke: var(--line); } svg .edge { stroke: var(--muted); fill: none; } svg .frame { fill: none; stroke: var(--line); }
.f1 { fill: var(--series-1); } .f2 { fill: var(--series-2); } .f3 { fill: var(--series-3); } .f4 { fill: var(--series-4); } .f5 { fill: var(--series-5); } .f6 { fill: var(--other); }
.l1 { stroke: var(--series-1); } .l2 { stroke: var(--series-2); } .l3 { stroke: var(--series-3); } .l4 { stroke: var(--series-4); } .l5 { stroke: var(--series-5); } .l6 { stroke: var(--other); }
.link { fill: none; stroke-opacity: 0.55; } .node { fill: var(--muted); }
.high { fill: var(--rejected); } .medium { fill: var(--accepted); } .low, .info { fill: var(--other); }
.data { fill: var(--accepted); } .back { fill: var(--raised); } .hatch { stroke: var(--muted); stroke-width: 1.5; } .cross { stroke: var(--rejected); stroke-width: 1.5; } .dot { fill: var(--muted); }`

const media = `
.paper { display: none; }
.narrow { display: none; max-width: 560px; }
@media screen and (max-width: 820px) { .wide { display: none; } .narrow { display: block; } }
@media (max-width: 700px) {
  body { padding: 12px 14px 40px; } h1 { font-size: 23px; }
  .facts > div { grid-template-columns: minmax(0, 1fr); margin-bottom: 4px; } .facts dd { grid-column: 1; }
  .entry { padding: 2px 12px 8px; } nav ol { columns: auto; } .inset { margin-left: 8px; }
}
@media screen and (max-width: 700px) {
  table, tbody, tr, th, td, caption { display: block; } thead { position: absolute; left: -9999px; }
  table { min-width: 0; } tr { padding: 6px 0; border-bottom: 1px solid var(--line); } th, td, tbody th { border: 0; padding: 1px 0; overflow-wrap: anywhere; }
  th.right, td.right { text-align: left; } [data-title]::before { content: attr(data-title) ": "; color: var(--muted); font-weight: 400; }
  .has-more { border: 0; padding-bottom: 0; } .more { padding-top: 0; } th .path, td .path { min-width: 0; }
}
@page { size: A4; margin: 15mm 14mm 17mm; }
@media print {
  html { font-size: 9pt; line-height: 1.4; background: none; } body { padding: 0; max-width: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1, h2, h3, h4, h5, caption, summary, .has-more { break-after: avoid; } h2 { margin-top: 20px; }
  .skip, .copy, .screen { display: none; } .paper { display: block; color: var(--muted); font-size: 8.5pt; margin: 2px 0; }
  .compact { font-size: 5.5pt; line-height: 1.2; } .compact th, .compact td { padding: 0.5px 5px 0.5px 0; } .compact th .path, .compact td .path { font-size: 1em; display: inline; }
  .scroll { overflow: visible; } svg { break-inside: avoid; }
  table { font-size: 7.5pt; width: 100%; } th, td { padding: 3px 8px 3px 0; overflow-wrap: anywhere; } th.right, td.right { overflow-wrap: normal; } thead th { white-space: normal; }
  thead { display: table-header-group; } tr, li, .facts > div, figure > .scroll { break-inside: avoid; }
  th .path, td .path { min-width: 0; } pre { white-space: pre-wrap; overflow-wrap: anywhere; break-inside: auto; padding: 2px 6px; } pre code { font-size: 7pt; } .where, .more td { font-size: 7pt; } .entry { padding: 0 10px 4px; margin: 10px 0; } h3 { font-size: 11pt; } h4, h5 { font-size: 10pt; }
  details::details-content { content-visibility: visible; display: block; height: auto; } summary { list-style: none; color: inherit; }
}`

export const style = [page, parts, drawings, media].join('\n')
