import * as tf from '@tensorflow/tfjs';
import { nativeBackend } from './native-backend';

/**
 * Rows of `values` `[count, ...]` at int32 `indices` `[n]`: `[n, ...]`. `tf.gather` reads the indices to check their range,
 * which a recorded step cannot. No gradient flows through it: it takes examples out of data.
 */
export function gatherRows(values: tf.Tensor, indices: tf.Tensor): tf.Tensor {
  const native = nativeBackend();
  if (native === undefined) return tf.gather(values, indices);
  const { TF_INT32, TF_FLOAT } = native.binding;
  return native.execute(
    'GatherV2',
    [
      native.intAttribute('batch_dims', 0),
      native.typeAttribute('Tparams', values.dtype === 'int32' ? TF_INT32 : TF_FLOAT),
      native.typeAttribute('Tindices', TF_INT32),
      native.typeAttribute('Taxis', TF_INT32),
    ],
    [values, indices, tf.scalar(0, 'int32')],
  );
}
