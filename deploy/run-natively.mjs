// Runs what docker-compose.yml describes on this machine, without Docker: each service's own command line, until it is well by its own health check.
//   npm run build && node deploy/run-natively.mjs [--stay]
// Uses Debian's PostgreSQL and a MinIO server of its own. Ends with 0 when all are well; with --stay it goes on until Ctrl-C.
import { runNatively } from '../test/dist/deploy/run-natively.js';

process.exitCode = await runNatively({ stay: process.argv.includes('--stay') });
