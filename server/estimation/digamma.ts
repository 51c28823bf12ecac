/**
 * The digamma function psi(x), the derivative of ln Gamma, for x > 0; relative error below 1e-13.
 *
 * Recurrence up to 8, then the asymptotic series (Abramowitz & Stegun 6.3.5, 6.3.18).
 */
export function digamma(x: number): number {
  let shift = 0;
  let at = x;
  for (; at < 8; at++) shift -= 1 / at;
  const inverse = 1 / (at * at);
  const series =
    inverse *
    (1 / 12 -
      inverse * (1 / 120 - inverse * (1 / 252 - inverse * (1 / 240 - inverse * (1 / 132 - (inverse * 691) / 32760)))));
  return shift + Math.log(at) - 0.5 / at - series;
}
