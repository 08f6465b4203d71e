declare module 'vitest' {
  interface ProvidedContext {
    /** The socket of the test server's door. */
    perennialTestServer: string;
  }
}

export {};
