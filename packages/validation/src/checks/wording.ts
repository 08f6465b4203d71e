/** A number for a sentence, with four digits that count. */
export function numberText(value: number): string {
  return Number(value.toPrecision(4)).toLocaleString('en-US', { maximumSignificantDigits: 4 });
}

export function rowsText(rows: number): string {
  return `${rows.toLocaleString('en-US')} test ${rows === 1 ? 'row' : 'rows'}`;
}

/** A share as a percentage. */
export function shareText(share: number): string {
  return `${numberText(share * 100)} %`;
}
