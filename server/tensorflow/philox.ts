import * as tf from '@tensorflow/tfjs';

/**
 * The bits of TensorFlow's `StatelessRandomUniformFullInt` for seed (key, step), in JavaScript, for backends without that
 * operation: Philox 4x32-10 (Salmon et al., 2011) with the seed scrambled as TensorFlow does.
 */
export function philoxBits(shape: number[], key: number, step: number): tf.Tensor {
  // The operation's seeds are sign-extended to 64 bits.
  const counter = [key >>> 0, key < 0 ? 0xffffffff : 0, step >>> 0, step < 0 ? 0xffffffff : 0] as const;
  const mixed = philox(counter, [0x3ec8f720, 0x02461e29]);
  const size = shape.reduce((product, dim) => product * dim, 1);
  const bits = new Int32Array(size);
  for (let block = 0; block * 4 < size; block++) {
    const words = philox([block >>> 0, Math.floor(block / 2 ** 32), mixed[2], mixed[3]], [mixed[0], mixed[1]]);
    for (let lane = 0; lane < 4 && block * 4 + lane < size; lane++) bits[block * 4 + lane] = words[lane]! | 0;
  }
  return tf.tensor(bits, shape, 'int32');
}

type Block = readonly [number, number, number, number];

function philox(counter: Block, key: readonly [number, number]): Block {
  let [a, b, c, d] = counter;
  let [low, high] = key;
  for (let round = 0; round < 10; round++) {
    const [high0, low0] = multiply(0xd2511f53, a);
    const [high1, low1] = multiply(0xcd9e8d57, c);
    [a, b, c, d] = [(high1 ^ b ^ low) >>> 0, low1, (high0 ^ d ^ high) >>> 0, low0];
    low = (low + 0x9e3779b9) >>> 0;
    high = (high + 0xbb67ae85) >>> 0;
  }
  return [a, b, c, d];
}

/** The upper and lower 32 bits of a product of two unsigned 32-bit numbers. */
function multiply(x: number, y: number): readonly [number, number] {
  const product = BigInt(x) * BigInt(y);
  return [Number(product >> 32n), Number(product & 0xffffffffn)];
}
