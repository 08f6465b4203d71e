/** What any session takes before it has a weight: the runtime's own structures, the compiled reader, what the process's heap rounds up to. */
const SESSION_BYTES = 120_000;
/** What each input column adds: a tensor border, its nodes in the graph, its names on both sides. */
const COLUMN_BYTES = 3_600;

/**
 * Memory that a loaded artifact takes, in bytes, estimated from the size of its file and the number of its input columns: weights are held as they are
 * in the file, and everything else goes with the size of the graph.
 *
 * The two constants are fitted to the growth of the resident set over 1,000 loads in one process (ONNX Runtime 1.30, Node 20, x86-64): 126 KB for 1 column without a
 * hidden layer (estimated 125), 209 KB for 20 columns and a network [32, 16] (203), 414 KB for [256, 256] (484), 505 KB for 100 columns and [64, 32] (540), 4.06 MB
 * for [1000, 1000] (4.29), 36.7 MB for [3000, 3000] (36.5). The growth of one load cannot be measured instead: it is lost in the noise of the process's heap.
 */
export function sessionBytes({ artifactBytes, columns }: { artifactBytes: number; columns: number }): number {
  return SESSION_BYTES + COLUMN_BYTES * columns + artifactBytes;
}
