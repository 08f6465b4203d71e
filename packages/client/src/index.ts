export * from './client.ts';
export * from './errors.ts';
export * from './pages.ts';
export * from './run-watch.ts';
export { Transport, type ClientOptions, type TransportRequest } from './transport.ts';
