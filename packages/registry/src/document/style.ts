import { colours, DARK, LIGHT, PLOT_STYLE } from '../plots/palette.ts';
import { markup, type Markup } from './markup.ts';

/** The look of a page: one column of text, figures and numbers below each other, and on paper no links and no shades. */
export const STYLE: Markup = markup`
:root { ${colours(LIGHT)} color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { ${colours(DARK)} } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 62rem; padding: 2.5rem 1.5rem 5rem; background: var(--paper); color: var(--ink);
  font: 15px/1.55 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', sans-serif; font-variant-numeric: tabular-nums; }
header { border-bottom: 1px solid var(--rule); padding-bottom: 1.5rem; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 0.35rem; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; letter-spacing: -0.01em; margin: 0 0 0.75rem; font-weight: 650; }
h3 { font-size: 1rem; margin: 1.75rem 0 0.4rem; font-weight: 650; }
p { margin: 0 0 0.75rem; max-width: 46rem; overflow-wrap: anywhere; }
ul { margin: 0 0 0.75rem; padding-left: 1.2rem; max-width: 46rem; }
li { overflow-wrap: anywhere; }
.lead { color: var(--muted); margin: 0; }
.notice { margin: 1.25rem 0 0; padding: 0.75rem 1rem; border: 2px solid var(--bad); border-left-width: 0.5rem; border-radius: 0.35rem; break-inside: avoid; }
.notice p { margin: 0; } .notice strong { color: var(--bad); }
blockquote { margin: 0.35rem 0 0; max-width: 46rem; overflow-wrap: anywhere; white-space: pre-line; }
.glance { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1rem 1.5rem; margin: 1.5rem 0 0; }
.glance dt { color: var(--muted); font-size: 0.8rem; }
.glance dd { margin: 0.1rem 0 0; font-size: 1.1rem; font-weight: 600; overflow-wrap: anywhere; }
nav { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; padding: 0.9rem 0; font-size: 0.87rem; border-bottom: 1px solid var(--rule); }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
section { padding-top: 2.25rem; }
.wide { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: 0.9rem; min-width: min(100%, 30rem); }
caption { text-align: left; color: var(--muted); font-size: 0.82rem; padding: 0 0 0.35rem; }
th { text-align: left; font-weight: 600; vertical-align: bottom; }
thead th { color: var(--muted); font-size: 0.8rem; border-bottom: 1px solid var(--muted); }
th, td { padding: 0.35rem 1.1rem 0.35rem 0; }
td { border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: break-word; max-width: 34rem; }
.facts th { border-bottom: 1px solid var(--rule); vertical-align: top; font-weight: 400; color: var(--muted); white-space: nowrap; }
.facts td { overflow-wrap: anywhere; max-width: 42rem; }
.number { text-align: right; white-space: nowrap; }
code { font: 0.82em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 0 0.5em; border-radius: 0.25rem; font-size: 0.86em; font-weight: 600; line-height: 1.55; border: 1px solid currentColor; white-space: nowrap; }
.glance small { display: block; font-size: 0.8rem; font-weight: 400; color: var(--muted); }
.good { color: var(--good); } .bad { color: var(--bad); } .unsure { color: var(--unsure); } .plain { color: var(--muted); }
.plots { display: flex; flex-wrap: wrap; gap: 1.25rem 2rem; align-items: end; margin: 0.75rem 0 1.25rem; }
figure { margin: 0; max-width: 100%; break-inside: avoid; }
figcaption { font-size: 0.87rem; font-weight: 600; margin-bottom: 0.3rem; overflow-wrap: anywhere; }
.plot { display: block; width: 100%; height: auto; }
${PLOT_STYLE}
@media print {
  :root { ${colours(LIGHT)} }
  body { max-width: none; padding: 0; font-size: 11px; }
  nav { display: none; }
  section { break-inside: auto; padding-top: 1.25rem; }
  h2, h3 { break-after: avoid; }
  tr { break-inside: avoid; }
}
`;
