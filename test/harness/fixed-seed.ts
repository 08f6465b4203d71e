import fc from 'fast-check';

/**
 * Property tests draw the same cases in every run, so that what passed passes. `PERENNIAL_TEST_SEED` draws others, when one goes looking for what nobody
 * thought of.
 */
fc.configureGlobal({ seed: Number(process.env['PERENNIAL_TEST_SEED'] ?? 20_010_201) });
