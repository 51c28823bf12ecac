import { installEngine } from '../../server/tensorflow/engine/install-engine';
import { loadTensorFlow, type LoadedTensorFlow } from '../../server/tensorflow/load-tensorflow';

/**
 * TensorFlow for a test file: installs the CPU engine into the user's own cache if it is missing, as a user would, and
 * loads it into this process. Call it once per file, in `beforeAll`.
 * @throws EngineInstallError if there is none and none can be installed.
 */
export async function loadEngineForTests(): Promise<LoadedTensorFlow> {
  await installEngine({ device: 'cpu' });
  const loaded = await loadTensorFlow({ device: 'cpu', threads: 0 });
  // Without this a broken loader would let every test compare the portable backend with itself.
  if (loaded.kind !== 'native') throw new Error(`the native engine was not loaded: ${loaded.description}`);
  return loaded;
}
