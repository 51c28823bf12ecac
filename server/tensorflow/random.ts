import * as tf from '@tensorflow/tfjs';
import { nativeBackend } from './native-backend';
import { philoxBits } from './philox';

/** How far apart the keys of two draws of one stream are. */
const DRAW_STRIDE = 1663;
/** Keys are below it and never negative: TensorFlow extends a negative seed to 64 bits with ones, XLA with zeros. */
const KEY_LIMIT = 2 ** 31 - 1;

/**
 * Random numbers keyed by (seed, stream, step): a pure function of the three, so that a compiled step, an eager one and a
 * resumed run draw the same numbers, and a stream that one part of a program uses never shifts another's.
 * The integer bits are TensorFlow's Philox, equal in every mode; the transforms are ordinary tfjs operations.
 */
export class RandomStreams {
  /** `step` is a scalar variable that the entry increases; draws of one stream at one step are always the same. */
  constructor(
    private readonly seed: number,
    private readonly step: tf.Scalar,
    private readonly draw?: tf.Scalar,
  ) {}

  /** Streams of their own for the `draw`-th repetition at one step; `draw` is a scalar int32 below a million. */
  fold(draw: tf.Scalar): RandomStreams {
    return new RandomStreams(this.seed, this.step, draw);
  }

  /** Uniform on [0, 1), 24 bits fine, of any shape. */
  uniform(shape: number[], stream: string): tf.Tensor {
    // The upper 24 bits of the word, so that the float is exact and never 1.
    return tf.tidy(() => {
      const signed = tf.floor(tf.mul(tf.cast(this.bits(shape, stream), 'float32'), 2 ** -8));
      return tf.add(tf.mul(tf.maximum(tf.minimum(signed, 2 ** 23 - 1), -(2 ** 23)), 2 ** -24), 0.5);
    });
  }

  /** Standard normal, of any shape. The tails end at 5.4 standard deviations, where 24 bits end. */
  normal(shape: number[], stream: string): tf.Tensor {
    return tf.tidy(() => {
      // Centred in its cell: symmetric, and never -1 or 1.
      const centred = tf.sub(tf.mul(this.uniform(shape, stream), 2), 1 - 2 ** -24);
      return tf.mul(inverseErrorFunction(centred), Math.SQRT2);
    });
  }

  /** Integers in [0, limit), of any shape; the bias of the remainder, which has the divisor's sign, is below limit / 2^31. */
  integers(shape: number[], limit: number, stream: string): tf.Tensor {
    return tf.tidy(() => tf.mod(this.bits(shape, stream), tf.scalar(limit, 'int32')));
  }

  private bits(shape: number[], stream: string): tf.Tensor {
    const key = streamKey(this.seed, stream);
    const native = nativeBackend();
    if (native === undefined) {
      const draw = this.draw?.dataSync()[0] ?? 0;
      return philoxBits(shape, foldedKey(key, draw), this.step.dataSync()[0] ?? 0);
    }
    const { TF_INT32 } = native.binding;
    const int = (value: number): tf.Scalar => tf.scalar(value, 'int32');
    const drawn =
      this.draw === undefined
        ? int(key)
        : tf.mod(tf.add(int(key), tf.mul(this.draw, int(DRAW_STRIDE))), int(KEY_LIMIT));
    const seed = tf.stack([drawn, tf.cast(this.step, 'int32')]);
    return native.execute(
      'StatelessRandomUniformFullInt',
      [
        native.typeAttribute('T', TF_INT32),
        native.typeAttribute('Tseed', TF_INT32),
        native.typeAttribute('dtype', TF_INT32),
      ],
      [tf.tensor1d(shape, 'int32'), seed],
    );
  }
}

/** The key of a draw: 32-bit arithmetic that wraps around, and a remainder with the divisor's sign, as TensorFlow's. */
function foldedKey(key: number, draw: number): number {
  const remainder = ((key + draw * DRAW_STRIDE) | 0) % KEY_LIMIT;
  return remainder < 0 ? remainder + KEY_LIMIT : remainder;
}

/** A key in [0, 2^31 - 1) for a stream's name under a seed: FNV-1a over the name, mixed with the seed (MurmurHash3's finaliser). */
export function streamKey(seed: number, stream: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < stream.length; i++) hash = Math.imul(hash ^ stream.charCodeAt(i), 0x01000193);
  hash ^= Math.imul(seed, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) % KEY_LIMIT;
}

// Giles (2010), "Approximating the erfinv function", single precision: two polynomials in w = -ln(1 - x^2).
const CENTRAL = [
  2.81022636e-8, 3.43273939e-7, -3.5233877e-6, -4.39150654e-6, 0.00021858087, -0.00125372503, -0.00417768164,
  0.246640727, 1.50140941,
];
const TAIL = [
  -0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613, 0.00943887047,
  1.00167406, 2.83297682,
];

/** erf^-1(x) for x in (-1, 1), of any shape. */
export function inverseErrorFunction(x: tf.Tensor): tf.Tensor {
  return tf.tidy(() => {
    const w = tf.neg(tf.log(tf.mul(tf.sub(1, x), tf.add(1, x))));
    const central = polynomial(CENTRAL, tf.sub(w, 2.5));
    const tail = polynomial(TAIL, tf.sub(tf.sqrt(w), 3));
    return tf.mul(tf.where(tf.less(w, 5), central, tail), x);
  });
}

function polynomial(coefficients: readonly number[], x: tf.Tensor): tf.Tensor {
  return coefficients
    .slice(1)
    .reduce<tf.Tensor>((sum, coefficient) => tf.add(tf.mul(sum, x), coefficient), tf.fill(x.shape, coefficients[0]!));
}
