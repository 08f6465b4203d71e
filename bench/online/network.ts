import { writeArtifact } from '@perennial/onnx';

/** The columns of the model that serving is measured with. */
export const COLUMNS = Array.from({ length: 20 }, (_, i) => `x${i + 1}`);

function weights(rows: number, columns: number) {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => Math.sin(i * 12.9898) / 2);
  return { shape: [rows, columns], data };
}

/** A network of hidden layers of 32 and 16 on 20 numbers, as the platform writes it: standardised, two classes. */
export function benchNetwork(): Uint8Array<ArrayBuffer> {
  const widths = [COLUMNS.length, 32, 16, 1];
  const layers = widths.slice(1).map((width, i) => ({
    name: `dense_${i + 1}`,
    inputs: [i === 0 ? 'dense' : `dense_${i}`],
    kind: 'dense' as const,
    kernel: weights(widths[i] ?? 0, width),
    bias: { shape: [width], data: new Float32Array(width).fill(0.01) },
    activation: i === 2 ? ('sigmoid' as const) : ('relu' as const),
  }));
  const artifact = writeArtifact({
    encoder: {
      columns: COLUMNS.map((name) => ({ name, type: 'number' })),
      features: COLUMNS.map((name) => ({
        kind: 'numeric',
        name,
        column: name,
        impute: 0,
        missingIndicator: false,
        clip: {},
        log: false,
        center: 0.5,
        scale: 2,
      })),
    },
    network: {
      inputs: [{ name: 'dense', kind: 'dense', width: COLUMNS.length }],
      layers,
      output: 'dense_3',
    },
    label: { kind: 'binary', name: 'yes', threshold: 0.5 },
    properties: {},
  });
  return Uint8Array.from(artifact);
}

/** A row as a client sends it: numbers of six digits or so. */
export function benchInstance(row: number): Record<string, number> {
  return Object.fromEntries(
    COLUMNS.map((name, i) => [name, Math.round(Math.sin(row * 31 + i * 7) * 1e6) / 1e6]),
  );
}

/** The body of a request of some rows. */
export function benchBody(rows: number, first = 0): string {
  return JSON.stringify({ instances: Array.from({ length: rows }, (_, row) => benchInstance(first + row)) });
}
