// Bundles the four programs into dist/. One context per runtime, so that each sees only what its runtime has.
import { build, context } from 'esbuild';

const watch = process.argv.includes('--watch');
const common = { bundle: true, sourcemap: true, logLevel: 'warning', target: 'node20', legalComments: 'none' };
const node = { ...common, platform: 'node', format: 'cjs' };

const programs = [
  {
    ...node,
    entryPoints: { cli: 'server/cli.ts', trainer: 'server/trainer.ts', estimator: 'server/estimator.ts' },
    outdir: 'dist/server',
    // node-pre-gyp is only reached by tfjs-node's own index, which is never loaded.
    external: ['@mapbox/node-pre-gyp'],
  },
  { ...node, entryPoints: { extension: 'extension/extension.ts' }, outdir: 'dist/extension', external: ['vscode'] },
  {
    ...common,
    entryPoints: { panel: 'webview/panel.ts' },
    outdir: 'dist/webview',
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
  },
];

for (const program of programs) {
  if (watch) await (await context(program)).watch();
  else await build(program);
}
