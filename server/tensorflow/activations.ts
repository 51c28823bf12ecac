import * as tf from '@tensorflow/tfjs';
import { nativeBackend } from './native-backend';

export type Activation = 'relu' | 'elu' | 'leaky-relu';

/** The activation that a configuration names; `leakiness` is the slope of LeakyReLU for negative inputs. */
export function activate(x: tf.Tensor, activation: Activation, leakiness = 0.2): tf.Tensor {
  switch (activation) {
    case 'relu':
      return tf.relu(x);
    case 'elu':
      return tf.elu(x);
    case 'leaky-relu':
      return leakyRelu(x, leakiness);
  }
}

/**
 * LeakyReLU. tfjs composes its gradient of comparisons and products, on which TensorFlow's graph optimiser fails
 * ("remapper failed") and loses its fusions; here it is TensorFlow's own `LeakyReluGrad`.
 */
export function leakyRelu(x: tf.Tensor, leakiness: number): tf.Tensor {
  const native = nativeBackend();
  if (native === undefined) return tf.leakyRelu(x, leakiness);
  return tf.customGrad((x, save) => {
    const value = tf.leakyRelu(x as tf.Tensor, leakiness);
    // The output has the input's sign, and so the same gradient; saving the input makes the optimiser fail as above.
    (save as tf.GradSaveFunc)([value]);
    const attributes = [native.typeAttribute('T', native.binding.TF_FLOAT), native.floatAttribute('alpha', leakiness)];
    return {
      value,
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => native.execute('LeakyReluGrad', attributes, [dy, saved[0]!]),
    };
  })(x);
}
