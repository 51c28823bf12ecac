// `npm start`: makes the clone ready, then trains. Arguments after --headless go to `mine run`.
import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setUp } from './setup.mjs';

const root = dirname(fileURLToPath(import.meta.url));
const [mode, ...rest] = process.argv.slice(2);

if (mode !== '--headless') {
  console.error(
    'The editor side is not there yet. Train from the terminal: npm start -- --headless [CONFIG] [options of `mine run`]',
  );
  process.exit(2);
}

setUp({ engine: true });
const config =
  rest[0] === undefined || rest[0].startsWith('-')
    ? [join(root, 'extension', 'templates', 'gan-25-gaussians.mine.json')]
    : [];
const child = spawn(process.execPath, [join(root, 'dist', 'server', 'cli.js'), 'run', ...config, ...rest], {
  stdio: 'inherit',
});
// Ctrl-C reaches the child too; it writes a checkpoint and decides the exit code.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
