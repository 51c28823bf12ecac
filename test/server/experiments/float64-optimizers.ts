import type { OptimizerConfig } from '../../../server/config/common';

export function rateFactor(schedule: 'constant' | 'linear' | 'cosine', progress: number): number {
  return { constant: 1, linear: 1 - progress, cosine: (1 + Math.cos(Math.PI * progress)) / 2 }[schedule];
}

/** One step down the gradients; changes the state's parameters and the optimiser's own variables. */
export function descend(
  config: OptimizerConfig,
  name: string,
  state: Map<string, Float64Array>,
  gradients: ReadonlyMap<string, Float64Array>,
  rate: number,
): void {
  const learningRate = config.learningRate * rate;
  for (const [variable, g] of gradients) {
    const old = state.get(variable)!;
    if (config.kind === 'sgd') {
      state.set(
        variable,
        old.map((v, i) => v - learningRate * g[i]!),
      );
      continue;
    }
    const [power1, power2] = ['beta1', 'beta2'].map((beta) => state.get(`${name}/${beta}-power`)![0]!) as [
      number,
      number,
    ];
    const [first, second] = ['first', 'second'].map((moment) => `${name}/${moment}-moment/${variable}`) as [
      string,
      string,
    ];
    const m = state.get(first)!.map((v, i) => config.beta1 * v + (1 - config.beta1) * g[i]!);
    const v = state.get(second)!.map((u, i) => config.beta2 * u + (1 - config.beta2) * g[i]! ** 2);
    state.set(first, m).set(second, v);
    const corrected = (i: number): number =>
      m[i]! / (1 - power1) / (Math.sqrt(v[i]! / (1 - power2)) + config.epsilon / Math.sqrt(1 - power2));
    state.set(
      variable,
      old.map((w, i) => w - learningRate * corrected(i)),
    );
  }
  if (config.kind === 'adam') {
    for (const beta of ['beta1', 'beta2'] as const) {
      const power = `${name}/${beta}-power`;
      state.set(
        power,
        state.get(power)!.map((p) => p * config[beta]),
      );
    }
  }
}
