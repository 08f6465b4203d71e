import { testBackend } from '../testing/backend-contract.ts';
import { wasmBackend } from './wasm-backend.ts';

testBackend(wasmBackend);
