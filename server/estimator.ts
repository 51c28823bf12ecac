// One estimate of two arrays, in a process of its own: the engine's library path must be set before it starts, and its
// work blocks. Forked by `mine estimate`.
import { Refusal } from './config/refusal';
import { arrayEstimate } from './estimation/array-estimate';
import { resolveMode } from './experiments/compile-mode';
import { estimateRequest, type EstimatorMessage } from './protocol/estimate-report';
import { jsonNumberOf } from './protocol/json-number';
import { loadTensorFlow } from './tensorflow/load-tensorflow';

/** Nobody waits for the estimate any more. */
process.on('disconnect', () => process.exit(1));

async function estimate(): Promise<EstimatorMessage> {
  try {
    const request = estimateRequest.parse(JSON.parse(process.argv[2] ?? 'null'));
    const { description, notice } = await loadTensorFlow({ device: 'auto', threads: 0 });
    const report = await arrayEstimate(request, {
      mode: resolveMode('auto'),
      device: description,
      notice,
      onStage: (stage) => {
        tell({ kind: 'stage', stage });
      },
      onProgress: (steps, limit, validation) => {
        tell({ kind: 'progress', steps, limit, validation: jsonNumberOf(validation) });
      },
    });
    return { kind: 'finished', report };
  } catch (error) {
    if (error instanceof Refusal) return { kind: 'refused', problems: [...error.problems] };
    return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
  }
}

function tell(message: EstimatorMessage, sent?: () => void): void {
  process.send?.(message, undefined, undefined, sent);
}

if (!process.send) throw new Error('The estimator is started by `mine estimate`, not by hand.');
void estimate().then((last) => {
  // TensorFlow's threads must not keep the process.
  tell(last, () => process.exit(0));
});
