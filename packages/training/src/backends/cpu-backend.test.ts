import { testBackend } from '../testing/backend-contract.ts';
import { cpuBackend } from './cpu-backend.ts';

testBackend(cpuBackend);
