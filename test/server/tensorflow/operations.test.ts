import * as tf from '@tensorflow/tfjs';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ganConfig } from '../../../server/config/gan';
import { mutualInformationConfig } from '../../../server/config/mutual-information';
import { prepareExperiment } from '../../../server/experiments/registry';
import { FunctionNodes } from '../../../server/tensorflow/graph-nodes';
import { loadEngineForTests } from '../native-engine';
import { difference, expectedResults, OPERATION_NAMES, OPERATIONS, runOperations } from './operation-table';

beforeAll(loadEngineForTests);

it('every operation of the oracle has its row here, and the reverse', () => {
  expect(Object.keys(OPERATIONS)).toEqual(OPERATION_NAMES);
});

describe.each(['eager', 'graph', 'xla'] as const)('operations in mode %s', (mode) => {
  let results: ReturnType<typeof runOperations>;
  let eager: ReturnType<typeof runOperations>;
  beforeAll(() => {
    results = runOperations(OPERATION_NAMES, mode);
    eager = runOperations(OPERATION_NAMES, 'eager');
  });

  it.each(OPERATION_NAMES)('%s has the value and the gradients of the oracle', (name) => {
    const found = results.get(name)!;
    const expected = eager.get(name)!;
    expect(difference(found, expectedResults(name))).toBeUndefined();
    expect(difference(found, expected)).toBeUndefined();
    // The same type, too.
    expect(found['value']!.values.constructor).toBe(expected['value']!.values.constructor);
  });
});

describe('the comparison fails when the recorder', () => {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `this` below
  const { add, constant } = FunctionNodes.prototype;
  type Node = Parameters<typeof add>;
  const alterNodes = (altered: (...node: Node) => Node): void => {
    vi.spyOn(FunctionNodes.prototype, 'add').mockImplementation(function (this: FunctionNodes, ...node) {
      return add.apply(this, altered(...node));
    });
  };
  afterEach(() => {
    vi.restoreAllMocks();
    tf.disposeVariables();
  });

  it.each<[string, string, () => void]>([
    [
      'swaps the inputs of an operation',
      'sub',
      () => {
        alterNodes((operation, inputs, attributes) => [
          operation,
          operation === 'Sub' ? [...inputs].reverse() : inputs,
          attributes,
        ]);
      },
    ],
    [
      'loses an attribute',
      'leakyRelu',
      () => {
        alterNodes((operation, inputs, attributes) => [
          operation,
          inputs,
          Object.fromEntries(Object.entries(attributes).filter(([name]) => name !== 'alpha')),
        ]);
      },
    ],
    [
      'takes the wrong output',
      'unstack',
      () => {
        alterNodes((operation, inputs, attributes) => [
          operation,
          inputs.map((input) => input.replace(/output:2$/, 'output:0')),
          attributes,
        ]);
      },
    ],
    [
      'writes another constant',
      'addScalar',
      () => {
        vi.spyOn(FunctionNodes.prototype, 'constant').mockImplementation(function (
          this: FunctionNodes,
          ...[shape, type, bytes]
        ) {
          return constant.call(this, shape, type, shape.length === 0 ? new Uint8Array(bytes.length) : bytes);
        });
      },
    ],
    [
      'forgets a part of the gradient',
      'softplus',
      () => {
        alterNodes((operation, inputs, attributes) => [
          operation === 'Sigmoid' ? 'Tanh' : operation,
          inputs,
          attributes,
        ]);
      },
    ],
  ])('%s', (_, name, injectFault) => {
    injectFault();
    expect(difference(runOperations([name], 'graph').get(name)!, expectedResults(name))).toMatch(/ is .*, not /);
  });
});

describe('the experiments', () => {
  // Tested in program.test.ts, random.test.ts and optimizers.test.ts; the last three are the loop around a step.
  const ELSEWHERE = [
    ...['AssignVariableOp', 'StatelessRandomUniformFullInt', 'ResourceApplyAdam'],
    ...['While', 'TensorScatterUpdate', 'AddV2'],
  ];

  it('use no operation that is missing from the table', async () => {
    const context = { folder: '.', onPreparing: () => undefined };
    const add = vi.spyOn(FunctionNodes.prototype, 'add');
    runOperations(OPERATION_NAMES, 'graph');
    const known = add.mock.calls.map(([operation]) => operation);
    add.mockClear();
    for (const config of [
      ...(['relu', 'elu', 'leaky-relu'] as const).map((activation) =>
        mutualInformationConfig.parse({
          experiment: 'mutual-information',
          statisticsNetwork: { hidden: [4], activation },
          training: { learningRateSchedule: 'cosine' },
        }),
      ),
      mutualInformationConfig.parse({
        experiment: 'mutual-information',
        data: { kind: 'nonlinear', function: 'sine', examples: 500 },
        mutualInformation: { bound: 'mine-f' },
        training: { optimizer: { kind: 'sgd' }, learningRateSchedule: 'linear' },
      }),
      ganConfig.parse({ experiment: 'gan', data: { kind: 'gaussian-grid', examples: 200 } }),
      ganConfig.parse({
        experiment: 'gan',
        data: { kind: 'spiral', examples: 200 },
        generator: { prior: 'uniform', weightAveraging: 0.99 },
        mutualInformation: { clipping: 'none' },
      }),
    ])
      (await prepareExperiment(config, context)).dispose();
    const used = new Set(add.mock.calls.map(([operation]) => operation));
    expect(used.size).toBeGreaterThan(30);
    expect([...used].filter((name) => ![...known, ...ELSEWHERE].includes(name))).toEqual([]);
  });
});
