import type { Verdict } from '@perennial/contract';
import type { Part, Tone } from '../document/document.ts';

export function verdictTone(verdict: Verdict): Tone {
  switch (verdict) {
    case 'pass':
      return 'good';
    case 'fail':
      return 'bad';
    case 'inconclusive':
      return 'unsure';
    case 'no-baseline':
      return 'plain';
  }
}

export function verdictBadge(verdict: Verdict): Part {
  return { badge: verdict, tone: verdictTone(verdict) };
}
