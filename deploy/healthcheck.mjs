// Ends with 0 when the platform's process of this container is alive, whatever its role: each answers /healthz on PERENNIAL_PORT.
const { PERENNIAL_PORT = '8080' } = process.env;
const url = `http://127.0.0.1:${PERENNIAL_PORT}/healthz`;
try {
  const { ok, status } = await fetch(url, { signal: AbortSignal.timeout(4_000) });
  if (!ok) throw new Error(`status ${status}`);
} catch (error) {
  process.stderr.write(`${url}: ${error.cause?.message ?? error.message}\n`);
  process.exitCode = 1;
}
