import { copyFile, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { compileBinding } from './compile-binding';
import type { EngineProgress } from './engine-contents';
import { type BindingProbe, probeBinding } from './probe-binding';
import { ChildFailedError } from './run-child';

/** What a binding can be made with; at least one of the two is there. */
export interface BindingTools {
  /** A C++ compiler. */
  compiler: string | undefined;
  /** A binding that was built beforehand. */
  prebuilt: string | undefined;
}

export interface BindingOptions {
  /** Holds `tensorflow/`; `binding/` is made beside it. */
  folder: string;
  environment: Record<string, string>;
  onProgress: (progress: EngineProgress) => void;
  signal: AbortSignal;
}

/**
 * Puts the prebuilt binding into the engine's folder if it loads there, else one compiled here, and tries it.
 *
 * @throws ChildFailedError with what the compiler or the loader said.
 */
export async function makeBinding(
  { compiler, prebuilt }: BindingTools,
  { folder, environment, onProgress, signal }: BindingOptions,
): Promise<{ probe: BindingProbe; bindingSource: 'compiled' | 'prebuilt' }> {
  const binding = path.join(folder, 'binding', 'tfjs_binding.node');
  if (prebuilt) {
    await mkdir(path.dirname(binding), { recursive: true });
    await copyFile(prebuilt, binding);
    onProgress({ stage: 'Trying the prebuilt binding' });
    try {
      return { probe: await probeBinding(binding, { environment, signal }), bindingSource: 'prebuilt' };
    } catch (error) {
      // Built for another C library, say; compiling it here then helps.
      if (!(error instanceof ChildFailedError)) throw error;
      if (!compiler) {
        throw new Error('the prebuilt binding does not load, and there is no C++ compiler', { cause: error });
      }
      await rm(binding);
    }
  }
  onProgress({ stage: 'Compiling the binding' });
  await compileBinding(folder, compiler!, signal);
  await rm(path.join(folder, 'objects'), { recursive: true });
  onProgress({ stage: 'Trying the engine' });
  return { probe: await probeBinding(binding, { environment, signal }), bindingSource: 'compiled' };
}
