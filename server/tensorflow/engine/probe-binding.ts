import { cpus } from 'node:os';
import { z } from 'zod';
import { ChildFailedError, runChild } from './run-child';

/** What a process that loaded the binding found out. */
export interface BindingProbe {
  tensorflowVersion: string;
  usesGpu: boolean;
  nodeVersion: string;
  /** The accelerators that TensorFlow uses, else the processor. */
  devices: string[];
  /** Median speed of a product of two float32 matrices `[size, size]`, in GFLOP/s; null when it was not timed. */
  gigaflops: number | null;
  /** TensorFlow's messages on why it can't use the GPU. */
  hindrances: string[];
}

/*
 * Runs in a process of its own, since a library that does not fit takes the process with it. It is a text for `node -e`
 * so that it needs no file beside the bundle, and uses the raw binding so that it needs no package. Several products
 * are asked for before one result is read: on a GPU they run asynchronously, and reading one costs a copy.
 */
const program = String.raw`
const [, file, size, milliseconds] = process.argv;
const binding = require(file);
const attributes = [
  { name: 'transpose_a', type: binding.TF_ATTR_BOOL, value: false },
  { name: 'transpose_b', type: binding.TF_ATTR_BOOL, value: false },
  { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
];
const matrix = (n, values) => binding.createTensor([n, n], binding.TF_FLOAT, Float32Array.from(values));
const product = (a, b) => binding.executeOp('MatMul', attributes, [a, b], 1)[0].id;
const small = binding.tensorDataSync(product(matrix(2, [1, 2, 3, 4]), matrix(2, [5, 6, 7, 8])));
if (small.join() !== '19,22,43,50') throw new Error('a product of two 2x2 matrices gave ' + small.join());
let gigaflops = null;
if (size > 0) {
  const n = Number(size);
  const values = { length: n * n };
  const a = matrix(n, Array.from(values, (_, i) => ((i * 7919) % 1000) / 1000 - 0.5));
  const products = 8;
  const secondsForProducts = () => {
    const start = process.hrtime.bigint();
    const ids = Array.from({ length: products }, () => product(a, a));
    binding.tensorDataSync(ids.at(-1));
    ids.forEach((id) => binding.deleteTensor(id));
    return Number(process.hrtime.bigint() - start) / 1e9;
  };
  secondsForProducts();
  const seconds = [];
  for (const begin = Date.now(); Date.now() - begin < milliseconds || seconds.length < 3; ) seconds.push(secondsForProducts());
  seconds.sort((x, y) => x - y);
  gigaflops = (products * 2 * n ** 3) / seconds[seconds.length >> 1] / 1e9;
}
process.stdout.write('\n' + JSON.stringify({
  tensorflowVersion: binding.TF_Version,
  usesGpu: binding.isUsingGpuDevice(),
  nodeVersion: process.versions.node,
  gigaflops,
}) + '\n');
`;

const answerSchema = z.strictObject({
  tensorflowVersion: z.string().min(1),
  usesGpu: z.boolean(),
  nodeVersion: z.string(),
  gigaflops: z.number().positive().nullable(),
});

export interface ProbeOptions {
  environment: Record<string, string>;
  /** Rows of the square matrices to time a product of; 0 times nothing. */
  matrixSize?: number;
  /** The program to load the binding in; this process's own Node by default. */
  node?: string;
  signal?: AbortSignal | undefined;
}

/**
 * Loads the binding in a process of its own and multiplies two matrices with it.
 *
 * @throws ChildFailedError with what the loader, TensorFlow or the operating system said.
 */
export async function probeBinding(
  binding: string,
  { environment, matrixSize = 0, node = process.execPath, signal }: ProbeOptions,
): Promise<BindingProbe> {
  const { stdout, stderr } = await runChild(node, ['-e', program, '--', binding, String(matrixSize), '500'], {
    signal,
    timeoutMilliseconds: 120_000,
    environment: {
      ...environment,
      // Inside an editor the running program is Electron.
      ELECTRON_RUN_AS_NODE: '1',
      // An option of the parent (a debugger's port, a loader) is not meant for this process.
      NODE_OPTIONS: undefined,
      TF_CPP_MIN_LOG_LEVEL: '0',
    },
  });
  const answer = stdout.trim().split('\n').at(-1) ?? '';
  let content: unknown;
  try {
    content = JSON.parse(answer);
  } catch {
    throw new ChildFailedError(node, 'ended without an answer', stderr.slice(-2000));
  }
  const { usesGpu, ...rest } = answerSchema.parse(content);
  const gpus = [...stderr.matchAll(/Created device .*name: ([^,]+), pci bus id/g)].map((match) => match[1]!);
  return {
    ...rest,
    usesGpu,
    devices: usesGpu ? [...new Set(gpus.length > 0 ? gpus : ['GPU'])] : [processorName()],
    hindrances: stderr
      .split('\n')
      .filter((line) =>
        /Could not find cuda drivers|Cannot dlopen|Could not load dynamic library|CUDA_ERROR|failed call to cuInit/i.test(
          line,
        ),
      )
      .map((line) => line.replace(/^.*?\] /, '').trim()),
  };
}

function processorName(): string {
  const all = cpus();
  return `${all[0]?.model.trim() ?? process.arch}, ${all.length} threads`;
}
