const NUMBER = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });
const SHARE = new Intl.NumberFormat('en-US', { style: 'percent', maximumSignificantDigits: 3 });

/** A number for people: `1,307`. */
export function spokenNumber(value: number): string {
  return NUMBER.format(value);
}

/** A share for people: `12 %`. */
export function spokenShare(share: number): string {
  return SHARE.format(share).replace('%', ' %');
}
