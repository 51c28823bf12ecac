// Makes a fresh clone ready: dependencies, bundles and, with --engine, the native engine. Does nothing that is already done.
import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const FIRST_NODE = [20, 17];

/** Runs a program in the repository and ends this one with its exit code if it fails. */
export function runOrExit(command, args, options = {}) {
  // npm is a .cmd file on Windows, which only a shell starts.
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32' && command === 'npm',
    ...options,
  });
  if (result.error) {
    console.error(`${command} could not be started: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  const stamp = join(root, 'node_modules', '.mine-installed');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return;
  console.error('Installing dependencies (once)...');
  runOrExit('npm', ['ci', '--no-audit', '--no-fund']);
  writeFileSync(stamp, lock);
}

function newestChange(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestChange(file) : statSync(file).mtimeMs);
  }
  return newest;
}

function buildBundles() {
  const bundle = join(root, 'dist', 'server', 'cli.js');
  const sources = ['server', 'extension', 'webview'].map((folder) => newestChange(join(root, folder)));
  const newest = Math.max(
    ...sources,
    statSync(join(root, 'esbuild.mjs')).mtimeMs,
    statSync(join(root, 'package-lock.json')).mtimeMs,
  );
  if (existsSync(bundle) && statSync(bundle).mtimeMs > newest) return;
  runOrExit(process.execPath, ['esbuild.mjs']);
}

/** Installs the CPU engine if there is none; `install` itself returns at once if there is one. */
function installEngine() {
  runOrExit(process.execPath, [join('dist', 'server', 'cli.js'), 'engine', 'install']);
}

export function setUp({ engine }) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < FIRST_NODE[0] || (major === FIRST_NODE[0] && minor < FIRST_NODE[1])) {
    console.error(`Node ${process.versions.node} is too old: Node ${FIRST_NODE.join('.')} or newer is needed.`);
    process.exit(1);
  }
  installDependencies();
  buildBundles();
  if (engine) installEngine();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setUp({ engine: process.argv.includes('--engine') });
