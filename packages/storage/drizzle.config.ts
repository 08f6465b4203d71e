import { defineConfig } from 'drizzle-kit';

/** `npm run migration -w packages/storage` writes the SQL of what changed in the schema. A migration that landed is never edited. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './src/database/schema.ts',
  out: '../../migrations',
});
