import type { EstimateReport } from '../protocol/estimate-report';
import { outputColours as colours } from './colours';
import { countText, metricText, padded } from './text-format';

const digits = 3;
const labelWidth = 20;

/** The report for people: the estimate with its interval first, then what to hold beside it, then warnings. */
export function estimateReportText(report: EstimateReport): string {
  const { estimate, interval, unit, x, y, rows, nearestNeighbour, canonicalCorrelation, warnings } = report;
  const [low, high] = interval.map(valueText);
  const inUnit = (value: EstimateReport['estimate']) => `${valueText(value)} ${unit}`;
  const lines: (readonly [string, string])[] = [
    ['mutual information', colours.bold(`${inUnit(estimate)}   95 % [${low}, ${high}]`)],
    [
      'nearest neighbours',
      nearestNeighbour ? `${inUnit(nearestNeighbour.estimate)}   k = ${nearestNeighbour.neighbours}` : 'not computed',
    ],
    ['if Gaussian', canonicalCorrelation ? inUnit(canonicalCorrelation.estimate) : 'not computed'],
    ['X', sideText(x)],
    ['Y', sideText(y)],
    ['read on', `${countText(rows)} pairs, each by a network that was not trained on it`],
    ['computed on', `${report.device}, ${countText(report.steps)} steps, ${report.seconds.toFixed(1)} s`],
  ];
  return [
    ...lines.map(([label, text]) => `${padded(label, labelWidth)}${text}`),
    ...warnings.map((warning) => colours.yellow(`⚠ ${warning}`)),
    '',
  ].join('\n');
}

/** Without the sign of a value that is zero in the digits shown. */
function valueText(value: EstimateReport['estimate']): string {
  return metricText(value, digits).replace(/^-(0\.0+)$/, '$1');
}

function sideText({ source, columns, constant }: EstimateReport['x']): string {
  const used = columns.length - constant.length;
  return `${source}, ${countText(used)} column${used === 1 ? '' : 's'}`;
}
