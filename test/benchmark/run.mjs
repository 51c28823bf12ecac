// `npm run benchmark`: bundles the benchmark and our side of it as the product is bundled, and runs it.
import { build } from 'esbuild';
import path from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const sources = path.dirname(fileURLToPath(import.meta.url));
const output = path.join(sources, '../../dist/benchmark');
await build({
  entryPoints: [path.join(sources, 'benchmark.ts'), path.join(sources, 'ours.ts')],
  outdir: output,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  sourcemap: true,
  logLevel: 'warning',
  external: ['@mapbox/node-pre-gyp', 'prettier'],
});
const { runBenchmark } = createRequire(import.meta.url)(path.join(output, 'benchmark.js'));
try {
  await runBenchmark(sources, process.argv.slice(2));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
