/** What stands where a secret was. */
export const REDACTED = '[redacted]';

/** Secrets by their shape: our tokens, webhooks' secrets, `Authorization` values, private keys, and what stands before the host of an address. */
const SECRET_SHAPES: readonly [RegExp, string][] = [
  [/perennial_[\w-]{43}/g, REDACTED],
  [/whsec_[A-Za-z0-9+/]{16,}=*/g, REDACTED],
  [/\b(Bearer|Basic)\s+[\w.~+/-]{12,}=*/g, `$1 ${REDACTED}`],
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, REDACTED],
  [/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, `$1${REDACTED}@`],
];

/** What PostgreSQL has no room for. */
const UNKEEPABLE = /[\0\p{Surrogate}]/gu;

/** Names under which a secret may stand whose shape nobody knows. */
const SECRET_NAME = /secret|passw|passphrase|authorization|cookie|credential|api-?_?key|private-?_?key/i;

/**
 * A JSON value without what must not be kept: secrets, also such as somebody pasted into a reason, and characters that PostgreSQL has no room for (NUL and unpaired
 * surrogates, which become U+FFFD).
 */
export function withoutSecrets<Value>(value: Value): Value {
  return cleaned(value) as Value;
}

function cleaned(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleaned);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      cleanText(name),
      isSecret(name, inner) ? REDACTED : cleaned(inner),
    ]),
  );
}

function cleanText(text: string): string {
  const plain = text.replace(UNKEEPABLE, '\uFFFD');
  return SECRET_SHAPES.reduce((rest, [shape, instead]) => rest.replace(shape, instead), plain);
}

function isSecret(name: string, value: unknown): boolean {
  return SECRET_NAME.test(name) && typeof value === 'string';
}
