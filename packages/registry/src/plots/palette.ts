import { markup, type Markup } from '../document/markup.ts';

/** How the classes of plots look, in the names of the colours that the page or the file around them sets. */
export const PLOT_STYLE: Markup = markup`
.plot { font: 11px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif; }
.plot text { fill: var(--muted); }
.plot .value { fill: var(--ink); }
.plot .grid { stroke: var(--rule); fill: none; }
.plot .reference { stroke: var(--muted); stroke-dasharray: 4 4; fill: none; }
.plot .margin { stroke: var(--bad); stroke-dasharray: 4 3; fill: none; }
.plot .this { stroke: var(--accent); stroke-width: 2; fill: none; }
.plot .other { stroke: var(--other); stroke-width: 1.5; fill: none; }
.plot .bar { fill: var(--accent); opacity: 0.75; }
.plot .faint { fill: var(--accent); opacity: 0.3; }
.plot .whisker { stroke: var(--ink); stroke-width: 1.25; fill: none; }
.plot .dot { fill: var(--accent); }
.plot .dot.good { fill: var(--good); }
.plot .dot.bad { fill: var(--bad); }
.plot .dot.unsure { fill: var(--unsure); }
.plot .dot.plain { fill: var(--other); }
`;

/** Colours on white. */
export const LIGHT = {
  paper: '#ffffff',
  ink: '#18212c',
  muted: '#5a6675',
  rule: '#e2e7ed',
  shade: '#f5f7f9',
  accent: '#1d5fa8',
  other: '#98a3b1',
  good: '#1b7547',
  bad: '#b42318',
  unsure: '#8f5a00',
} as const;

/** The same on nearly black, each of at least the contrast that it has on white. */
export const DARK: Record<keyof typeof LIGHT, string> = {
  paper: '#11161c',
  ink: '#e6ebf1',
  muted: '#9aa7b6',
  rule: '#29323d',
  shade: '#181f27',
  accent: '#73b0f4',
  other: '#6d7a89',
  good: '#5fc48f',
  bad: '#f08a80',
  unsure: '#e0b050',
};

/** Declarations of the colours as custom properties. */
export function colours(palette: Record<keyof typeof LIGHT, string>): string {
  return Object.entries(palette)
    .map(([name, value]) => `--${name}: ${value};`)
    .join(' ');
}
