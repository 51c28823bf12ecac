import { access, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { tensorflowLibraries } from './python-environment';
import { ChildFailedError, runChild } from './run-child';

/** The binding's version of Node's stable native interface; it is the same in every Node since 12 and in Electron. */
const nodeInterfaceVersion = 8;
const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'];

/** The C++ compiler and its version, or undefined when there is none. */
export async function findCompiler(signal?: AbortSignal): Promise<{ command: string; version: string } | undefined> {
  if (process.platform === 'win32') return undefined;
  const chosen = process.env['CXX'];
  for (const command of chosen ? [chosen] : ['c++', 'g++', 'clang++']) {
    try {
      const { stdout } = await runChild(command, ['--version'], { signal, timeoutMilliseconds: 20_000 });
      return { command, version: stdout.split('\n')[0]!.trim() };
    } catch (error) {
      if (!(error instanceof ChildFailedError)) throw error;
    }
  }
  return undefined;
}

/** Where the sources of tfjs-node's binding and the headers of Node's native interface lie. */
function sourceFolders(): { binding: string; nodeHeaders: string } {
  const fromHere = createRequire(path.join(__dirname, 'engine.js'));
  const packageFolder = (name: string): string => path.dirname(fromHere.resolve(`${name}/package.json`));
  return {
    binding: packageFolder('@tensorflow/tfjs-node'),
    nodeHeaders: path.join(packageFolder('node-api-headers'), 'include'),
  };
}

/**
 * Compiles tfjs-node's binding into `<folder>/binding/tfjs_binding.node`, linked to the libraries in
 * `<folder>/tensorflow`, which it will find beside itself wherever the folder is moved to.
 *
 * The compiler is called directly: the sources are two files that include nothing but Node's C interface and
 * TensorFlow's. node-gyp would need Python's build modules, make, and the headers of the running Node, which it
 * downloads where a distribution or Electron doesn't ship them.
 *
 * @throws ChildFailedError with the compiler's message.
 */
export async function compileBinding(folder: string, compiler: string, signal?: AbortSignal): Promise<string> {
  const { binding, nodeHeaders } = sourceFolders();
  const objects = path.join(folder, 'objects');
  const tensorflow = path.join(folder, 'tensorflow');
  await mkdir(objects, { recursive: true });
  await mkdir(path.join(folder, 'binding'), { recursive: true });
  const compiled = await Promise.all(
    sources.map(async (source) => {
      const object = path.join(objects, `${source}.o`);
      await runChild(
        compiler,
        [
          ...['-std=c++17', '-O2', '-fPIC', '-w', `-DNAPI_VERSION=${nodeInterfaceVersion}`],
          ...['-isystem', nodeHeaders, '-isystem', path.join(tensorflow, 'include'), '-I', binding],
          ...['-c', path.join(binding, 'binding', source), '-o', object],
        ],
        { signal },
      );
      return object;
    }),
  );
  const output = path.join(folder, 'binding', 'tfjs_binding.node');
  const libraries =
    process.platform === 'darwin'
      ? tensorflowLibraries.map((name) => path.join(tensorflow, name))
      : await Promise.all(tensorflowLibraries.map((name) => makeNamesake(name, objects, compiler, signal)));
  // Node's own symbols are found in the program that loads the binding.
  const platform =
    process.platform === 'darwin'
      ? ['-bundle', '-undefined', 'dynamic_lookup', '-Wl,-rpath,@loader_path/../tensorflow']
      : ['-shared', '-Wl,-rpath,$ORIGIN/../tensorflow', '-Wl,--no-as-needed', '-Wl,-z,now'];
  await runChild(compiler, [...platform, ...compiled, ...libraries, '-o', output], { signal });
  return output;
}

/**
 * An empty library that only has the name of TensorFlow's. A linker needs nothing else to note the dependency, and
 * reading the 450,000 symbols of the real one takes GNU ld 5 to 20 s. That the real one has every symbol is checked
 * when the binding is loaded (`-z now`).
 */
async function makeNamesake(name: string, folder: string, compiler: string, signal?: AbortSignal): Promise<string> {
  const file = path.join(folder, name);
  const empty = path.join(folder, `${name}.cc`);
  await writeFile(empty, '');
  await runChild(compiler, ['-shared', '-fPIC', '-nostdlib', `-Wl,-soname,${name}`, empty, '-o', file], { signal });
  return file;
}

/** The binding that was built beforehand and ships beside the bundle, or undefined. */
export async function findPrebuiltBinding(folder = path.join(__dirname, 'native')): Promise<string | undefined> {
  const file = path.join(folder, `${process.platform}-${process.arch}`, 'tfjs_binding.node');
  try {
    await access(file);
    return file;
  } catch {
    return undefined;
  }
}
