import { Html } from "./html.ts";

/** The page's whole style; in light and dark, on wide screens and narrow ones. */
export const STYLE = new Html(`
:root { color-scheme: light dark; --line: #d0d4da; --soft: #f4f5f7; --text: #1b1f24; --dim: #57606a; --link: #0757b8; --page: #ffffff; }
@media (prefers-color-scheme: dark) { :root { --line: #3a414a; --soft: #1d2229; --text: #e4e8ee; --dim: #a3adb9; --link: #7db7ff; --page: #12161b; } }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page); display: grid; grid-template: "header header" auto "nav main" 1fr / 22rem minmax(0, 1fr); }
header { grid-area: header; padding: 1rem 2rem; border-bottom: 1px solid var(--line); }
header h1, header p { margin: 0; }
nav { grid-area: nav; position: sticky; top: 0; align-self: start; max-height: 100vh; overflow: auto; padding: 0 1rem 2rem 2rem; font-size: .875rem; }
nav h2 { font-size: .8125rem; text-transform: uppercase; letter-spacing: .06em; color: var(--dim); margin: 1.25rem 0 .25rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav a { display: flex; gap: .5rem; align-items: baseline; padding: .125rem 0; overflow-wrap: anywhere; text-decoration: none; }
nav a:hover, nav a:focus { text-decoration: underline; }
main { grid-area: main; padding: 1rem 2rem 4rem; max-width: 72rem; }
a { color: var(--link); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 1rem; background: var(--page); padding: .5rem; z-index: 1; }
article { border-top: 1px solid var(--line); padding: .5rem 0 1.5rem; }
h2 { margin: 2.5rem 0 .5rem; }
h2::first-letter { text-transform: uppercase; }
h3 { margin: 1rem 0 .25rem; font-weight: 600; overflow-wrap: anywhere; }
h4 { margin: 1.25rem 0 .25rem; font-size: .9375rem; }
p { margin: .25rem 0 .75rem; max-width: 60rem; }
.access { color: var(--dim); }
code { font: .875em ui-monospace, monospace; overflow-wrap: anywhere; }
td code, p code { background: var(--soft); padding: .05em .3em; border-radius: .25em; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { border: 1px solid var(--line); padding: .375rem .625rem; text-align: left; vertical-align: top; font-weight: normal; }
thead th { background: var(--soft); font-weight: 600; }
tbody th { width: 16rem; }
.method { display: inline-block; flex: none; min-width: 3.75rem; text-align: center; font: 600 .75rem ui-monospace, monospace; padding: .1rem .35rem; border: 1px solid currentColor; border-radius: .25rem; }
.get { color: #1a6e2e; } .post { color: #0757b8; } .put, .patch { color: #8a4b00; } .delete { color: #b3261e; }
@media (prefers-color-scheme: dark) { .get { color: #7fd48f; } .post { color: #7db7ff; } .put, .patch { color: #f0b46a; } .delete { color: #ff9d94; } }
@media (max-width: 60rem) { body { display: block; } nav { position: static; max-height: none; padding: 0 2rem; } table, thead, tbody, tr, th, td { display: block; } thead { position: absolute; left: -99rem; } tr { border-top: 1px solid var(--line); padding: .25rem 0; } th, td { border: 0; padding: .1rem 0; width: auto; } tbody th { width: auto; } }
`);
